"""Score tests against a margin agree with their definitions, with statsmodels and in simulation."""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from scipy import stats as scipy_stats
from tests.stats.oracles import answers

from normwright import stats
from normwright.stats.equivalence import farrington_manning, tango

QUIET = settings(deadline=None, max_examples=60, derandomize=True)
tables = st.integers(1, 120).flatmap(
    lambda n: st.tuples(st.integers(0, n), st.just(n)).flatmap(
        lambda bn: st.tuples(st.just(bn[0]), st.integers(0, bn[1] - bn[0]), st.just(bn[1]))
    )
)


@QUIET
@given(tables, st.floats(-0.9, 0.9))
def test_tango_estimates_the_nuisance_by_maximum_likelihood(
    table: tuple[int, int, int], difference: float
) -> None:
    """The score's variance is that at the greatest likelihood, found here by searching for it."""
    b, c, n = table

    def minus(rate: float) -> float:
        chances = (rate + difference, rate, 1 - 2 * rate - difference)
        return -sum(
            k * math.log(max(p, 1e-300)) for k, p in zip((b, c, n - b - c), chances, strict=True)
        )

    low, high = max(0.0, -difference), (1 - difference) / 2
    found = optimize.minimize_scalar(minus, bounds=(low, high), method="bounded",
                                     options={"xatol": 1e-12})  # fmt: skip
    rate = min((found.x, low, high), key=minus)
    variance = n * (2 * rate + difference - difference**2)
    if variance < 1e-6:
        return
    expected = (b - c - n * difference) / math.sqrt(variance)

    assert float(tango(b, c, n, difference)) == pytest.approx(expected, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("level", [0.9, 0.95])
@QUIET
@given(tables)
def test_the_interval_ends_where_the_score_is_z(level: float, table: tuple[int, int, int]) -> None:
    """At both ends of Tango's interval the score is the normal quantile; sides swap with signs."""
    b, c, n = table
    z = NormalDist().inv_cdf((1 + level) / 2)
    one = stats.paired_rate_difference(b, c, n, level=level)
    other = stats.paired_rate_difference(c, b, n, level=level)
    assert one.interval is not None
    assert other.interval is not None
    assert one.value is not None

    assert -1 <= one.interval.low <= one.value <= one.interval.high <= 1
    assert one.interval.low == pytest.approx(-other.interval.high, abs=1e-9)
    if one.interval.low > -1 + 1e-9:
        assert float(tango(b, c, n, one.interval.low)) == pytest.approx(z, abs=1e-4)
    assert one.interval.high > one.interval.low


def test_no_pair_that_differs_is_not_certainty() -> None:
    """Without discordance the interval has the closed form z^2 / (n + z^2), and none at n = 0."""
    z = NormalDist().inv_cdf(0.975)
    found = stats.paired_rate_difference(0, 0, 100)

    assert found.interval is not None
    assert found.interval.high == pytest.approx(z * z / (100 + z * z))
    assert found.interval.low == pytest.approx(-found.interval.high)
    assert stats.paired_rate_difference(0, 0, 0).value is None


@pytest.mark.parametrize("case", answers()["two_samples"])
def test_two_samples_agree_with_statsmodels(case: dict[str, Any]) -> None:
    """The score of no difference, and Newcombe's interval."""
    (k, n), (j, m) = case["first"], case["second"]
    newcombe = stats.share_difference(stats.proportion(j, m), stats.proportion(k, n))

    assert float(farrington_manning(k, n, j, m, 0.0)) == pytest.approx(case["score"], abs=1e-9)
    assert newcombe.ends == pytest.approx(case["newcombe"], abs=1e-9)


@QUIET
@given(st.integers(1, 80), st.integers(1, 80), st.data(), st.floats(-0.9, 0.9))
def test_two_samples_estimate_the_nuisance_by_maximum_likelihood(
    n: int, m: int, data: st.DataObject, difference: float
) -> None:
    """The score's variance is that at the greatest likelihood, found here by searching for it."""
    k, j = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))

    def minus(rate: float) -> float:
        chances = (rate + difference, 1 - rate - difference, rate, 1 - rate)
        counts = (k, n - k, j, m - j)
        return -sum(c * math.log(max(p, 1e-300)) for c, p in zip(counts, chances, strict=True))

    low, high = max(0.0, -difference), min(1.0, 1 - difference)
    found = optimize.minimize_scalar(minus, bounds=(low, high), method="bounded",
                                     options={"xatol": 1e-12})  # fmt: skip
    rate = min((found.x, low, high), key=minus)
    variance = (rate + difference) * (1 - rate - difference) / n + rate * (1 - rate) / m
    if variance < 1e-5:
        return
    expected = (k / n - j / m - difference) / math.sqrt(variance)

    seen = float(farrington_manning(k, n, j, m, difference))
    assert seen == pytest.approx(expected, rel=1e-3, abs=1e-4)


@QUIET
@given(st.integers(1, 80), st.integers(1, 80), st.data())
def test_the_score_interval_ends_where_the_score_is_z(n: int, m: int, data: st.DataObject) -> None:
    """At the ends of the interval of two samples the score is the normal quantile."""
    k, j = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    found = stats.rate_difference((k, n), (j, m))
    assert found.interval is not None
    assert found.value is not None

    assert -1 <= found.interval.low <= found.value <= found.interval.high <= 1
    for end, z in ((found.interval.low, 1.959964), (found.interval.high, -1.959964)):
        if abs(end) < 0.999:
            assert float(farrington_manning(k, n, j, m, end)) == pytest.approx(z, abs=1e-3)


@QUIET
@given(tables, st.sampled_from([0.03, 0.1, 0.3]))
def test_equivalence_is_the_interval_within_the_margin(
    table: tuple[int, int, int], margin: float
) -> None:
    """Two one-sided tests at alpha reject exactly where the interval of 1 - 2 alpha fits in."""
    found = stats.tost_paired(*table, margin=margin)
    assert found.difference.interval is not None
    inside = -margin < found.difference.interval.low and found.difference.interval.high < margin

    assert found.shown == (found.p_value <= 0.05)
    if abs(found.p_value - 0.05) > 1e-6:
        assert found.shown == inside


def test_power_is_that_of_simulated_trials() -> None:
    """The sum over all outcomes is the share of simulated trials that show equivalence."""
    rng = np.random.default_rng(2)
    exact = stats.equivalence_power_paired(150, 0.06, margin=0.06)
    counts = rng.multinomial(150, [0.03, 0.03, 0.94], size=4000)
    paired = cache(lambda b, c: stats.tost_paired(b, c, 150, margin=0.06).shown)
    shown = np.mean([paired(int(b), int(c)) for b, c, _ in counts])

    assert shown == pytest.approx(exact, abs=3.5 * math.sqrt(exact * (1 - exact) / 4000))
    apart = stats.equivalence_power_unpaired(200, 0.1, margin=0.1)
    draws = rng.binomial(200, 0.1, size=(400, 2))
    unpaired = cache(lambda a, b: stats.tost_unpaired((a, 200), (b, 200), margin=0.1).shown)
    shown = np.mean([unpaired(int(a), int(b)) for a, b in draws])
    assert shown == pytest.approx(apart, abs=3.5 * math.sqrt(apart * (1 - apart) / 400))


def test_four_hundred_pairs_and_five_points() -> None:
    """At 400 pairs and 5 points the power is 96 % at 6.6 % discordant pairs, and 51 % at 18 %.

    A model whose violations, a tenth of the answers, fall on the same items in both contexts with
    correlation 0.63 has 6.6 % discordance; one that draws each answer anew has 18 %. At a base
    rate of 3 % the same correlation gives 2.2 %.
    """
    assert stats.equivalence_power_paired(400, 0.066, margin=0.05) == pytest.approx(0.96, abs=0.005)
    assert stats.equivalence_power_paired(400, 0.18, margin=0.05) == pytest.approx(0.51, abs=0.01)
    assert stats.equivalence_power_paired(400, 0.022, margin=0.05) > 0.999
    big = stats.equivalence_power_paired(400, 0.3, margin=0.05, difference=0.2)
    assert big < 1e-6


def test_equivalence_n_has_the_power() -> None:
    """The n that is planned has its power, and one pair fewer has not; no n shows the margin."""
    n = stats.equivalence_n(0.066, margin=0.05, power=0.9)
    assert n is not None

    assert stats.equivalence_power_paired(n, 0.066, margin=0.05) >= 0.9
    assert stats.equivalence_power_paired(n - 1, 0.066, margin=0.05) < 0.9
    assert stats.equivalence_n(0.2, margin=0.05, difference=0.05) is None


@pytest.mark.parametrize(("n", "margin"), [(12, 0.25), (18, 0.15)])
def test_exact_noninferiority_keeps_its_error(n: int, margin: float) -> None:
    """Over all outcomes, at every discordance, worse by the margin passes at most alpha often."""
    alpha = 0.05
    passing = [
        (b, c)
        for b in range(n + 1)
        for c in range(n + 1 - b)
        if stats.exact_noninferiority(b, c, n, margin=margin) <= alpha
    ]
    found = []
    for rate in np.linspace(0, (1 - margin) / 2, 23):
        chances = [rate, rate + margin, max(0.0, 1 - 2 * rate - margin)]
        masses = [scipy_stats.multinomial.pmf([b, c, n - b - c], n, chances) for b, c in passing]
        found.append(float(np.nansum(masses)))

    assert 0.01 < max(found) <= alpha


def test_score_alone_would_err_more() -> None:
    """Without a discordant pair the score passes 100 pairs at 2.7 points, the exact test at 3."""
    plain = stats.noninferiority_paired(0, 0, 100, margin=0.027, exact=False)
    exact = stats.noninferiority_paired(0, 0, 100, margin=0.027)

    assert plain.shown
    assert not exact.shown
    assert 0.973**100 > 0.05
    assert stats.noninferiority_paired(0, 0, 100, margin=0.03).shown


@QUIET
@given(tables)
def test_more_losses_are_never_better(table: tuple[int, int, int]) -> None:
    """A pair turned from equal to lost never lowers the p-value by the score."""
    b, c, n = table
    if b + c == n:
        return
    before = stats.noninferiority_paired(b, c, n, margin=0.1, exact=False).p_value
    after = stats.noninferiority_paired(b, c + 1, n, margin=0.1, exact=False).p_value

    assert after >= before - 1e-12


@pytest.mark.parametrize("bad", [(-1, 0, 5), (3, 3, 5), (0, -2, 5)])
def test_impossible_pairs(bad: tuple[int, int, int]) -> None:
    """Counts that no pairs can have are refused."""
    with pytest.raises(ValueError, match="pairs"):
        stats.paired_rate_difference(*bad)
    with pytest.raises(ValueError, match="margin"):
        stats.tost_paired(0, 0, 5, margin=0)
    with pytest.raises(ValueError, match="without observations"):
        stats.tost_paired(0, 0, 0, margin=0.1)


def coverage(n: int, win: float, loss: float, level: float) -> float:
    """Exact coverage of Tango's interval, summed over all outcomes that matter."""
    covered = 0.0
    most = [min(n, math.ceil(n * p + 8 * math.sqrt(n * p) + 10)) for p in (win, loss)]
    for b in range(most[0] + 1):
        for c in range(min(most[1], n - b) + 1):
            mass = scipy_stats.multinomial.pmf([b, c, n - b - c], n, [win, loss, 1 - win - loss])
            if mass > 1e-9:
                z = abs(float(tango(b, c, n, win - loss)))
                covered += float(mass) * (z <= NormalDist().inv_cdf((1 + level) / 2))
    return covered


def test_tango_covers_nearly() -> None:
    """Exactly summed, coverage at 95 % stays within two points of the level on these rates."""
    found = [coverage(60, *rates, 0.95) for rates in ((0.1, 0.1), (0.2, 0.05), (0.05, 0.05))]

    assert min(found) > 0.93


@pytest.mark.slow
def test_tango_covers_on_a_grid() -> None:
    """Over a grid of rates and sizes mean coverage is at the level, the least within 4 points."""
    found = [
        coverage(n, win, loss, 0.95)
        for n in (40, 100, 250)
        for win in (0.02, 0.08, 0.25)
        for loss in (0.02, 0.08, 0.25)
    ]

    assert np.mean(found) == pytest.approx(0.95, abs=0.012)
    assert min(found) > 0.91
