"""Closed forms agree with scipy, with published values and with their own definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from normwright import stats

QUIET = settings(deadline=None, max_examples=60, derandomize=True)
counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@QUIET
@given(counts, st.sampled_from([0.8, 0.95, 0.99]))
def test_intervals_equal_scipy(kn: tuple[int, int], level: float) -> None:
    """Wilson and Clopper-Pearson are the intervals scipy computes."""
    k, n = kn
    test = scipy_stats.binomtest(k, n)

    pairs = (
        (stats.wilson(k, n, level), test.proportion_ci(level, method="wilson")),
        (stats.clopper_pearson(k, n, level), test.proportion_ci(level, method="exact")),
    )
    for seen, theirs in pairs:
        assert (seen.low, seen.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@QUIET
@given(counts, st.sampled_from([0.01, 0.05]))
def test_one_sided_bounds_are_tails(kn: tuple[int, int], alpha: float) -> None:
    """At the upper bound, seeing k or fewer has probability alpha: the definition itself."""
    k, n = kn
    upper, lower = stats.upper_bound(k, n, alpha), stats.lower_bound(k, n, alpha)

    assert k == n or scipy_stats.binom.cdf(k, n, upper) == pytest.approx(alpha)
    assert k == 0 or scipy_stats.binom.sf(k - 1, n, lower) == pytest.approx(alpha)
    assert lower <= k / n <= upper


@pytest.mark.parametrize(("k", "n", "percent"), [(0, 20, 13.9), (0, 100, 2.95), (1, 300, 1.57)])
def test_published_upper_bounds(k: int, n: int, percent: float) -> None:
    """The values a release note quotes come out to the printed digit."""
    assert 100 * stats.upper_bound(k, n, 0.05) == pytest.approx(percent, abs=0.02)


@pytest.mark.parametrize(
    ("limit", "n"), [(0.05, 59), (0.02, 149), (0.01, 299), (0.005, 598), (0.001, 2995)]
)
def test_zero_failures_table(limit: float, n: int) -> None:
    """Zero failures: the n for each usual limit, by both functions."""
    assert stats.zero_failures_n(limit, 0.05) == n
    assert stats.n_needed(0, 7, limit, 0.05) == n


def test_n_needed_with_candidates() -> None:
    """Three candidates at alpha / 3 turn 598 into 817."""
    assert stats.n_needed(0, 1, 0.005, 0.05 / 3) == 817


@QUIET
@given(counts, st.floats(0.01, 0.6))
def test_n_needed_is_the_least(kn: tuple[int, int], limit: float) -> None:
    """The bound clears at n_needed and not one unit before; no n is None."""
    k, n = kn
    needed = stats.n_needed(k, n, limit, 0.05, maximum=10**6)

    if needed is None:
        assert k / n >= limit or stats.upper_bound(k / n * 10**5, 10**5, 0.05) > limit
    else:
        assert stats.upper_bound(k / n * needed, needed, 0.05) <= limit + 1e-9
        before = needed - 1
        assert before == 0 or stats.upper_bound(k / n * before, before, 0.05) > limit


def test_n_needed_for_a_floor() -> None:
    """A rate that must lie above a limit asks for the same n as its mirror image."""
    assert stats.n_needed(95, 100, 0.9, side="lower") == stats.n_needed(5, 100, 0.1)
    assert stats.n_needed(80, 100, 0.9, side="lower") is None


def test_n_needed_without_a_rate() -> None:
    """Nothing observed is not a rate of zero."""
    with pytest.raises(ValueError, match="no rate"):
        stats.n_needed(0, 0, 0.05)


def test_nothing_observed_claims_nothing() -> None:
    """With n = 0 the bounds exclude nothing and an estimate has no value."""
    assert (stats.lower_bound(0, 0), stats.upper_bound(0, 0)) == (0, 1)
    assert stats.proportion(0, 0).value is None
    assert stats.proportion(0, 0).interval is None


@pytest.mark.parametrize("bad", [(-1, 5), (6, 5)])
def test_impossible_counts(bad: tuple[int, int]) -> None:
    """A count outside 0..n is refused by every function that takes one."""
    for function in (stats.wilson, stats.upper_bound, stats.lower_bound, stats.soft_share):
        with pytest.raises(ValueError, match="count"):
            function(*bad)


def test_judge_error_costs_units() -> None:
    """A judge that finds 92 of 100 turns 817 clean units into 1,150 at the same limit."""
    alpha = 0.05 / 3

    assert stats.rogan_gladen_upper(0, 1149, (92, 100), alpha) > 0.005
    assert stats.rogan_gladen_upper(0, 1150, (92, 100), alpha) <= 0.005


def test_judge_error_never_lowers_the_bound() -> None:
    """The correction raises the bound, and a judge that found nothing bounds nothing."""
    plain = stats.upper_bound(3, 2000, 0.05)

    assert plain < stats.rogan_gladen_upper(3, 2000, (45, 50), 0.05) < 0.01
    assert stats.rogan_gladen_upper(3, 2000, (0, 50), 0.05) == 1


def test_judge_bound_covers_the_truth() -> None:
    """Over repeated judges and samples the corrected bound misses at most alpha of the time."""
    rng = np.random.default_rng(5)
    truth, sensitivity, rounds = 0.04, 0.8, 400
    flags = rng.binomial(300, truth * sensitivity, rounds)
    found = rng.binomial(60, sensitivity, rounds)

    missed = sum(
        stats.rogan_gladen_upper(int(f), 300, (int(s), 60), 0.1) < truth
        for f, s in zip(flags, found, strict=True)
    )
    assert missed / rounds <= 0.1


def test_clopper_pearson_covers() -> None:
    """Exact coverage, summed over all outcomes, is at least nominal for every true share."""
    n = 30
    intervals = [stats.clopper_pearson(k, n) for k in range(n + 1)]
    for p in np.linspace(0.01, 0.99, 25):
        mass = scipy_stats.binom.pmf(np.arange(n + 1), n, p)
        covered = sum(m for m, i in zip(mass, intervals, strict=True) if i.low <= p <= i.high)
        assert covered >= 0.95


@QUIET
@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_equals_binomial_test(b: int, c: int) -> None:
    """McNemar's exact test is a binomial test on the discordant pairs."""
    expected = scipy_stats.binomtest(b, b + c).pvalue if b + c else 1.0

    assert stats.mcnemar_exact(b, c) == pytest.approx(expected)


def test_any_failure_per_cluster() -> None:
    """A cluster counts once however often it fails."""
    assert stats.any_failure_per_cluster([True, True, False, False], "aaab") == (1, 2)


def test_noninferiority_n_reaches_its_power() -> None:
    """Simulated trials of the planned size succeed about as often as planned."""
    n = stats.noninferiority_n(0.1, 0.05, power=0.9)
    assert n is not None
    rng = np.random.default_rng(3)
    signs = rng.choice([-1.0, 0.0, 1.0], p=[0.05, 0.9, 0.05], size=(2000, n))
    low = signs.mean(axis=1) - 1.6449 * signs.std(axis=1) / math.sqrt(n)

    assert (low > -0.05).mean() == pytest.approx(0.9, abs=0.025)
    assert stats.noninferiority_n(0.1, 0.05, difference=-0.05) is None


@QUIET
@given(counts)
def test_soft_share_is_inside_and_symmetric(kn: tuple[int, int]) -> None:
    """A soft share is never 0 or 1, and the two sides of a vote add up to 1."""
    k, n = kn

    assert 0 < stats.soft_share(k, n) < 1
    assert stats.soft_share(k, n) + stats.soft_share(n - k, n) == pytest.approx(1)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((48, 80), (56, 70), 0.0524, 0.3339),
        ((3, 10), (9, 10), 0.1705, 0.8090),
        ((2, 7), (6, 7), 0.0582, 0.8062),
        ((0, 29), (5, 56), -0.0381, 0.1926),
    ],
)
def test_difference_of_two_shares_as_published(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    """The worked examples of Newcombe (1998), method 10."""
    found = stats.share_difference(stats.proportion(*first), stats.proportion(*second))

    assert found.interval is not None
    assert found.interval.low == pytest.approx(low, abs=5e-5)
    assert found.interval.high == pytest.approx(high, abs=5e-5)
    assert found.n == min(first[1], second[1])


@QUIET
@given(counts, counts)
def test_difference_of_shares_turned_round(a: tuple[int, int], b: tuple[int, int]) -> None:
    """What is gained one way is lost the other, and the difference lies in its interval."""
    one, other = stats.proportion(*a), stats.proportion(*b)
    up, down = stats.share_difference(one, other), stats.share_difference(other, one)

    assert up.value is not None
    assert down.value == pytest.approx(-up.value)
    assert up.interval is not None
    assert down.interval is not None
    assert up.interval.low == pytest.approx(-down.interval.high)
    assert -1 <= up.interval.low <= up.value <= up.interval.high <= 1


def test_difference_to_nobody_is_unknown() -> None:
    """Without units on a side there is no difference, and none is made up."""
    nobody = stats.proportion(0, 0)

    assert stats.share_difference(nobody, stats.proportion(1, 2)).value is None
    assert stats.share_difference(stats.proportion(1, 2), nobody).interval is None
