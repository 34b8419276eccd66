"""Bootstrap estimates: right value, right width, right coverage, and no false certainty."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from normwright import stats


def test_matches_scipy_bca() -> None:
    """On plain data the interval is scipy's BCa interval to within resampling noise."""
    x = np.random.default_rng(1).gamma(2.0, size=80)
    theirs = scipy_stats.bootstrap(
        (x,), np.mean, n_resamples=4000, method="BCa", rng=np.random.default_rng(0)
    ).confidence_interval
    seen = stats.bootstrap_mean(x, seed=0, rounds=4000)

    assert seen.value == pytest.approx(x.mean())
    assert seen.interval is not None
    assert (seen.interval.low, seen.interval.high) == pytest.approx(tuple(theirs), abs=0.03)


def test_coverage_with_clusters() -> None:
    """Values that come in clusters: intervals by cluster cover, intervals by value do not."""
    rng = np.random.default_rng(2)
    rounds, clusters, size = 150, 30, 10
    labels = np.repeat(np.arange(clusters), size).tolist()
    hits = {"cluster": 0, "value": 0}
    for i in range(rounds):
        means = rng.normal(0, 1, clusters)
        x = np.repeat(means, size) + rng.normal(0, 0.3, clusters * size)
        for name, unit in (("cluster", labels), ("value", None)):
            interval = stats.bootstrap_mean(x, clusters=unit, seed=i, rounds=300).interval
            assert interval is not None
            hits[name] += interval.low <= 0 <= interval.high

    assert hits["cluster"] / rounds > 0.88
    assert hits["value"] / rounds < 0.6


def test_n_is_the_number_of_clusters() -> None:
    """The n behind an estimate counts independent units."""
    assert stats.bootstrap_mean([0, 1, 1, 0], clusters=["a", "a", "b", "b"], seed=0).n == 2


def test_no_spread_is_not_certainty() -> None:
    """All pairs equal: the difference is 0, and its interval is as wide as n warrants."""
    few = stats.paired_difference([1] * 5, [1] * 5, seed=0)
    many = stats.paired_difference([1] * 400, [1] * 400, seed=0)
    assert few.interval is not None
    assert many.interval is not None

    assert (few.value, few.interval.method) == (0, "no-spread")
    assert few.interval.low == pytest.approx(-stats.upper_bound(0, 5, 0.05))
    assert -0.01 < many.interval.low < 0 < many.interval.high < 0.01


def test_no_spread_without_bounds_has_no_interval() -> None:
    """Unbounded values without spread: the interval is unknown, not a point."""
    half = stats.bootstrap_mean([0.5] * 9, seed=0, bounds=(0.0, math.inf))

    assert stats.bootstrap_mean([7.5] * 9, seed=0).interval is None
    assert half.interval is None


def test_empty_is_unknown() -> None:
    """No values, no value."""
    assert stats.bootstrap_mean([], seed=0).value is None


def test_paired_difference_uses_the_pairs() -> None:
    """Two strongly correlated sides: the paired interval is far narrower than the spread."""
    rng = np.random.default_rng(4)
    base = rng.normal(0, 5, 200)
    seen = stats.paired_difference(base + 1 + rng.normal(0, 0.1, 200), base, seed=0)

    assert seen.interval is not None
    assert 0.95 < seen.interval.low < 1 < seen.interval.high < 1.05


def test_same_seed_same_interval() -> None:
    """An estimate repeats with its seed and names it."""
    x = np.random.default_rng(0).random(50)

    assert stats.bootstrap_mean(x, seed=3) == stats.bootstrap_mean(x, seed=3)
    assert stats.bootstrap_mean(x, seed=3).interval != stats.bootstrap_mean(x, seed=4).interval
    assert stats.bootstrap_mean(x, seed=3).seed == 3


def test_unpaired_sides_are_refused() -> None:
    """Two sides of different length are not pairs."""
    with pytest.raises(ValueError, match="two sides"):
        stats.paired_difference([1, 2], [1], seed=0)


def test_n_to_clear_scales() -> None:
    """Four times the distance to shrink asks for sixteen times the units; a miss asks for none."""
    estimate = stats.bootstrap_mean(np.random.default_rng(0).normal(0, 1, 100), seed=0)
    assert estimate.value is not None
    assert estimate.interval is not None
    half = estimate.value - estimate.interval.low

    assert stats.n_to_clear(estimate, estimate.value - half / 4) == pytest.approx(1600, abs=2)
    assert stats.n_to_clear(estimate, estimate.value + 1) is None


def test_percentile_interval() -> None:
    """The central share of a known set."""
    seen = stats.percentile_interval(np.arange(101), 0.9)

    assert (seen.low, seen.high) == pytest.approx((5, 95))
