"""What a judge's flags say of the truth: published formula, coverage, and never nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright import stats

QUIET = settings(deadline=None, max_examples=80, derandomize=True)


def test_a_perfect_judge_changes_little() -> None:
    """With Se and Sp known to be near 1 the estimate is the share of flags, wider than exact."""
    found = stats.rogan_gladen(30, 300, (5000, 5000), (5000, 5000))
    wilson = stats.wilson(30, 300)

    assert found.value == pytest.approx(0.1)
    assert found.interval is not None
    assert found.interval.low == pytest.approx(wilson.low, abs=0.002)
    assert found.interval.high == pytest.approx(wilson.high, abs=0.002)


def test_worked_by_hand() -> None:
    """60 flags of 300 by a judge of 92 and 98 % are 20 %: (0.2 + 0.98 - 1) / (0.92 + 0.98 - 1)."""
    assert stats.rogan_gladen(60, 300, (92, 100), (196, 200)).value == pytest.approx(0.2)


def hits_of(fewest: int, most: int, *, least: int) -> st.SearchStrategy[tuple[int, int]]:
    """Hits, at least so many, and the units they are of, between fewest and most."""
    return st.integers(fewest, most).flatmap(lambda n: st.tuples(st.integers(least, n), st.just(n)))


@QUIET
@given(
    hits_of(1, 400, least=1),
    hits_of(1, 80, least=0),
    hits_of(1, 80, least=0),
)
def test_flags_are_never_explained_away(
    flags: tuple[int, int], se: tuple[int, int], sp: tuple[int, int]
) -> None:
    """With a flag the upper end is above 0; the value lies inside; a coin has no estimate."""
    found = stats.rogan_gladen(*flags, se, sp)
    if se[0] / se[1] + sp[0] / sp[1] <= 1:
        assert found.value is None
        return

    assert found.interval is not None
    assert found.value is not None
    assert 0 <= found.interval.low <= found.value <= found.interval.high <= 1
    assert found.interval.high > 0


def test_three_flags_of_two_thousand() -> None:
    """The bound a gate uses, for two judges, with each part at 5 % over three candidates.

    The trap: corrected with the least specificity that its test leaves possible, both would be 0.
    """
    alpha = 2 * 0.05 / 3
    good = stats.rogan_gladen_upper(3, 2000, (45, 50), alpha)
    poor = stats.rogan_gladen_upper(3, 2000, (30, 50), alpha)

    assert 100 * good == pytest.approx(0.605, abs=0.001)
    assert 100 * poor == pytest.approx(1.060, abs=0.001)
    least = stats.lower_bound(196, 200, 0.025)
    assert stats.upper_bound(3, 2000, 0.025) + least - 1 < 0


def covered(rate: float, se: float, sp: float, rounds: int, seed: int) -> float:
    """The share of simulated studies whose interval holds the rate."""
    rng = np.random.default_rng(seed)
    flags = rng.binomial(400, rate * se + (1 - rate) * (1 - sp), rounds)
    found, cleared = rng.binomial(80, se, rounds), rng.binomial(150, sp, rounds)
    kept = 0
    for f, s, c in zip(flags.tolist(), found.tolist(), cleared.tolist(), strict=True):
        ends = stats.rogan_gladen(f, 400, (s, 80), (c, 150)).ends
        kept += ends is not None and ends[0] <= rate <= ends[1]
    return kept / rounds


@pytest.mark.parametrize(
    ("rate", "se", "sp"), [(0.02, 0.9, 0.97), (0.1, 0.8, 0.95), (0.4, 0.9, 0.9)]
)
def test_interval_covers(rate: float, se: float, sp: float) -> None:
    """With both counts of the judge uncertain the truth is inside 95 times in 100 or more often."""
    found = covered(rate, se, sp, 1500, 8)

    assert found > 0.935
    # Where false alarms outnumber the true ones the interval is wide; elsewhere it is not.
    assert found < (0.995 if rate == 0.02 else 0.975)


@pytest.mark.parametrize(("se", "sp"), [(0.9, 0.95), (0.55, 0.85), (0.55, 0.5)])
@pytest.mark.parametrize("rate", [0.0, 0.03, 0.97, 1.0])
def test_interval_covers_at_the_ends_and_beside_a_coin(rate: float, se: float, sp: float) -> None:
    """With few units and few labels, at rates of 0 and 1 and with Se + Sp near 1, it holds 95 %.

    A judge that its labels show to be no better than a coin gives no interval, and none is counted.
    """
    rng = np.random.default_rng(3)
    kept = made = 0
    for _ in range(250):
        flags = int(rng.binomial(46, rate * se + (1 - rate) * (1 - sp)))
        found, cleared = int(rng.binomial(20, se)), int(rng.binomial(20, sp))
        ends = stats.rogan_gladen(flags, 46, (found, 20), (cleared, 20)).ends
        made += ends is not None
        kept += ends is not None and ends[0] <= rate <= ends[1]

    assert made > 100
    # Three standard errors of 250 rounds under 95 %.
    assert kept / made > 0.95 - 3 * (0.95 * 0.05 / made) ** 0.5


@pytest.mark.parametrize("rate", [0.04, 0.96])
def test_a_judge_that_errs_less_than_measured_makes_nothing_surer(rate: float) -> None:
    """Its false alarms, or its misses, were 3 in 10 where measured and are none here."""
    rng = np.random.default_rng(4)
    kept = 0
    for _ in range(200):
        found, cleared = int(rng.binomial(50, 0.7)), int(rng.binomial(50, 0.7))
        few = rate < 0.5
        flags = int(rng.binomial(120, rate * 0.7 if few else 1 - (1 - rate) * 0.7))
        ends = stats.rogan_gladen(flags, 120, (found, 50), (cleared, 50)).ends
        assert ends is not None
        kept += ends[0] <= rate <= ends[1]

    assert kept / 200 >= 0.95


@QUIET
@given(
    hits_of(1, 200, least=0),
    hits_of(2, 60, least=1),
    hits_of(2, 60, least=1),
)
def test_what_is_flagged_and_what_is_not_are_treated_alike(
    flags: tuple[int, int], se: tuple[int, int], sp: tuple[int, int]
) -> None:
    """Counting the harmless instead, with both errors exchanged, mirrors value and interval."""
    found = stats.rogan_gladen(*flags, se, sp)
    other = stats.rogan_gladen(flags[1] - flags[0], flags[1], sp, se)

    if found.value is None:
        assert other.value is None
        return
    assert found.ends is not None
    assert other.ends is not None
    assert other.value == pytest.approx(1 - found.value, abs=1e-9)
    assert other.ends == pytest.approx([1 - found.ends[1], 1 - found.ends[0]], abs=1e-9)
    assert found.ends[1] > found.ends[0]


@pytest.mark.parametrize("bad", [((3, 2), (1, 2)), ((1, 2), (-1, 2))])
def test_impossible_counts(bad: tuple[tuple[int, int], tuple[int, int]]) -> None:
    """A judge cannot find more than it was shown."""
    with pytest.raises(ValueError, match="count"):
        stats.rogan_gladen(1, 2, *bad)


def test_fewest_confirmations() -> None:
    """Of 60 flags in 1,500 units 23 prove more than 1 %, and 25 where three candidates were."""
    assert stats.confirmations_needed(1500, 0.01) == 23
    assert stats.confirmations_needed(1500, 0.01, 0.05 / 3) == 25
    assert stats.confirmations_needed(0, 0.1) is None
    assert stats.confirmations_needed(3, 0.5, 0.05) is None


@QUIET
@given(st.integers(1, 800), st.floats(0.001, 0.9), st.sampled_from([0.01, 0.05]))
def test_confirmations_are_the_fewest(n: int, limit: float, alpha: float) -> None:
    """That many prove it, one fewer does not."""
    k = stats.confirmations_needed(n, limit, alpha)
    if k is None:
        assert stats.lower_bound(n, n, alpha) <= limit
    else:
        assert stats.lower_bound(k, n, alpha) > limit >= stats.lower_bound(k - 1, n, alpha)


def test_units_for_candidates_and_judges() -> None:
    """598 clean units become 817 with three candidates and 1,150 with a judge of 92 in 100."""
    assert stats.zero_failures_n(0.005) == 598
    assert stats.zero_failures_n(0.005, candidates=3) == 817
    assert stats.zero_failures_n(0.005, candidates=3, se=(92, 100)) == 1150
    with pytest.raises(ValueError, match="no n would do"):
        stats.zero_failures_n(0.005, se=(0, 10))
    with pytest.raises(ValueError, match="candidate"):
        stats.zero_failures_n(0.005, candidates=0)
