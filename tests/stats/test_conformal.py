"""Conformal promises, against enumeration of every order of a small sample."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest

from normwright.stats import alarms, bet, conformal_p, control_flags, lasting_p


@pytest.mark.parametrize("values", [(1, 2, 3, 4, 5, 6), (1, 1, 2, 2, 2, 3), (4, 4, 4, 4, 4, 4)])
@pytest.mark.parametrize("alpha", [0.17, 0.2, 0.34, 0.5, 0.9])
def test_the_expected_loss_is_bounded_over_every_order(
    values: tuple[int, ...], alpha: float
) -> None:
    """Over all orders of six scores, the last is flagged no more often than promised."""
    flagged = total = 0
    for order in permutations(values):
        found = control_flags(order[:-1], alpha).threshold
        flagged += found is not None and order[-1] >= found
        total += 1

    assert Fraction(flagged, total) <= Fraction(alpha)


def test_without_ties_the_bound_is_nearly_reached() -> None:
    """The threshold wastes less than one row: the share is above alpha - 1 / (n + 1)."""
    alpha, values = 0.5, range(7)
    flagged = [
        order[-1] >= (control_flags(order[:-1], alpha).threshold or math.inf)
        for order in permutations(values)
    ]

    assert alpha - 1 / 7 <= np.mean(flagged) <= alpha


def test_it_is_the_least_threshold_that_keeps_the_promise() -> None:
    """At the next lower score the promise would be broken, by the rule as it is published."""
    rng = np.random.default_rng(3)
    scores = np.round(rng.normal(size=300), 1)
    found = control_flags(scores, 0.1)

    assert found.threshold is not None
    assert (found.flagged + 1) / 301 <= 0.1
    lower = scores[scores < found.threshold].max()
    assert (np.sum(scores >= lower) + 1) / 301 > 0.1


def test_too_few_rows_promise_nothing() -> None:
    """Nineteen rows can promise one in twenty and eighteen cannot; it says how many are needed."""
    enough, few = control_flags(np.arange(19.0), 0.05), control_flags(np.arange(18.0), 0.05)

    assert enough.threshold is not None
    assert few.threshold is None
    assert few.needed == 19


@pytest.mark.parametrize("values", [(1, 2, 3, 4, 5), (1, 1, 2, 2, 3)])
def test_p_values_are_valid_over_every_order(values: tuple[int, ...]) -> None:
    """Over all orders P(p <= u) <= u at every value that p can take."""
    ps = [float(conformal_p(o[:-1], [o[-1]])[0]) for o in permutations(values)]

    assert all(np.mean([p <= u for p in ps]) <= u + 1e-12 for u in set(ps))


def test_lasting_p_holds_for_nearly_every_reference() -> None:
    """In at most a share delta of references some level is passed by more than it should."""
    rng = np.random.default_rng(5)
    broken = 0
    for _ in range(400):
        # The truth is uniform, so that the share of later scores above s is 1 - s exactly.
        reference = rng.random(50)
        grid = np.concatenate([reference, reference - 1e-12])
        broken += bool((lasting_p(reference, grid, delta=0.1) < 1 - grid - 1e-9).any())

    assert 0 < broken / 400 <= 0.1 + 3 * math.sqrt(0.1 * 0.9 / 400)


def test_a_bet_is_fair() -> None:
    """The e-value of a uniform p-value has mean one, by quadrature, and small p-values pay."""
    # Substituting p = u**8 takes the pole at zero away.
    u = (np.arange(200_000) + 0.5) / 200_000
    mean = float(np.mean(bet(u**8) * 8 * u**7))

    assert mean == pytest.approx(1.0, abs=1e-3)
    assert bet([1e-3])[0] > 10 > 1 > bet([1.0])[0]


def test_alarms_are_rarer_than_promised_and_come_after_a_change() -> None:
    """Without a change alarms stay under the rate; with small p-values one comes soon."""
    rng = np.random.default_rng(1)
    calm = sum(rung for _, rung in alarms(bet(rng.random(100_000)), rate=0.01))
    first = next(
        i for i, (_, rung) in enumerate(alarms(bet(rng.random(500) ** 3), rate=0.01)) if rung
    )

    assert calm <= 1_000
    assert first < 40


def test_wrong_settings_are_refused() -> None:
    """Shares outside (0, 1), NaN scores and impossible rates are errors."""
    for wrong in (0.0, 1.0):
        with pytest.raises(ValueError, match="between 0 and 1"):
            control_flags([1.0], wrong)
        with pytest.raises(ValueError, match="between 0 and 1"):
            list(alarms([1.0], rate=wrong))
    with pytest.raises(ValueError, match="NaN"):
        control_flags([math.nan], 0.1)
    with pytest.raises(ValueError, match="delta"):
        lasting_p([1.0], [1.0], delta=0.9)
