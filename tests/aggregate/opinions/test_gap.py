"""The dip is the distance to the nearest distribution with one peak, and its chances are right."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import linprog

from normwright.aggregate.opinions.gap import CRITICAL, LEVELS, dip, dip_p


def slow_dip(values: np.ndarray) -> float:
    """The dip by linear programming: the best one-peaked distribution for each possible peak."""
    x = np.sort(values)
    return min(_programme(x, peak) for peak in range(len(x)))


def _programme(x: np.ndarray, peak: int) -> float:
    # Unknown are the distribution before the peak and up to it, after it and from it, and d.
    n = len(x)
    left = list(range(peak + 1))
    right = list(range(peak + 1, n + 1))
    place = [x[i] for i in range(peak + 1)] + [x[i] for i in range(peak, n)]
    rows, limits = [], []

    def at_most(entries: dict[int, float], limit: float) -> None:
        row = np.zeros(n + 2)
        for i, entry in entries.items():
            row[i] = entry
        rows.append(row)
        limits.append(limit)

    for i in left + right:
        rank = i if i <= peak else i - 1
        steps = [rank / n] if i <= peak else [(rank + 1) / n]
        if i not in (peak, peak + 1):
            steps = [rank / n, (rank + 1) / n]
        for step in steps:
            at_most({i: 1, n + 1: -1}, step)
            at_most({i: -1, n + 1: -1}, -step)
    at_most({peak: 1, peak + 1: -1}, 0)
    for side, sign in ((left, 1), (right, -1)):
        for a, b, c in zip(side, side[1:], side[2:], strict=False):
            one, two = place[b] - place[a], place[c] - place[b]
            at_most({a: -sign / one, b: sign / one + sign / two, c: -sign / two}, 0)
        for a, b in pairwise(side):
            at_most({a: 1, b: -1}, 0)
    goal = np.zeros(n + 2)
    goal[-1] = 1
    found = linprog(goal, A_ub=np.array(rows), b_ub=limits, bounds=(0, 1))
    assert found.fun is not None
    return float(found.fun)


@pytest.mark.parametrize("seed", range(30))
def test_equals_linear_programming(seed: int) -> None:
    """The fast dip is the one that the definition gives, on small samples of any shape."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 14))
    values = np.where(rng.random(n) < 0.5, rng.normal(0, 1, n), rng.normal(4, 0.5, n))

    assert dip(values) == pytest.approx(slow_dip(values), abs=1e-7)


def test_extremes() -> None:
    """One place is no dip at all, two camps the deepest, and even spacing the least."""
    assert dip([3.0] * 8) == 1 / 16
    assert dip(np.arange(50.0)) == pytest.approx(1 / 100)
    assert dip([0.0] * 50 + [1.0] * 50) == pytest.approx(0.25, abs=0.01)
    assert dip_p([0.0] * 50 + [1.0] * 50) == LEVELS[-1]
    assert dip_p(np.arange(50.0)) == 1
    assert dip_p(np.arange(5.0)) == 1


def test_chances_are_those_of_even_samples() -> None:
    """Simulated anew, the table of critical dips comes out as it stands."""
    rng = np.random.default_rng(3)
    dips = np.array([dip(rng.random(50)) for _ in range(2000)]) * np.sqrt(50)
    above = [(dips > critical).mean() for critical in CRITICAL[50]]

    for level, share in zip(LEVELS, above, strict=True):
        assert abs(share - level) < 4 * np.sqrt(level * (1 - level) / 2000) + 1e-3


def test_moving_and_stretching_change_nothing() -> None:
    """The dip knows no unit."""
    values = np.random.default_rng(4).normal(size=80)

    assert dip(values * 7 - 3) == pytest.approx(dip(values))
    assert dip(-values) == pytest.approx(dip(values))
