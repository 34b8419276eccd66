"""Bounds that may be looked at at any time hold at all of them, and the monitor keeps its word."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy import stats as scipy_stats

from normwright import stats

QUIET = settings(deadline=None, max_examples=60, derandomize=True)
counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@QUIET
@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
       st.sampled_from([0.02, 0.1, 0.5]))  # fmt: skip
def test_evidence_is_the_mean_of_bets(kn: tuple[int, int], limit: float) -> None:
    """The closed form is the integral over lower rates of what a constant bet makes."""
    k, n = kn

    def capital(root: float) -> float:
        # q = root^2 takes the pole of the density at 0 away.
        q = root * root
        odds = (q / limit) ** k * ((1 - q) / (1 - limit)) ** (n - k)
        return float(odds * 2 * root * scipy_stats.beta.pdf(q, 0.5, 0.5)) if root else 0.0

    end = math.sqrt(limit)
    mean = integrate.quad(capital, 0, end, limit=200)[0] / scipy_stats.beta.cdf(limit, 0.5, 0.5)
    found = stats.log_evidence(k, n, limit, against="above")
    assert math.exp(found) == pytest.approx(mean, rel=1e-4, abs=1e-12)


@pytest.mark.parametrize("limit", [0.01, 0.2])
@pytest.mark.parametrize("against", ["above", "below"])
def test_evidence_has_mean_one_at_the_limit(limit: float, against: stats.Against) -> None:
    """Summed over all outcomes the e-value has mean 1 at the limit and less beyond it."""
    n = 200
    values = np.array([stats.log_evidence(k, n, limit, against=against) for k in range(n + 1)])
    beyond = limit * (1.3 if against == "above" else 0.7)

    def mean(rate: float) -> float:
        return float(np.exp(values + scipy_stats.binom.logpmf(np.arange(n + 1), n, rate)).sum())

    assert mean(limit) == pytest.approx(1, abs=1e-6)
    assert mean(beyond) < 1


@QUIET
@given(counts, st.sampled_from([0.001, 0.05, 0.2]))
def test_anytime_bounds_are_wider_than_exact_ones(kn: tuple[int, int], alpha: float) -> None:
    """Looking at any time costs width, never gains it; and both hold the observed share."""
    k, n = kn
    upper, lower = stats.anytime_upper(k, n, alpha), stats.anytime_lower(k, n, alpha)

    assert lower <= k / n <= upper
    assert upper >= stats.upper_bound(k, n, alpha)
    assert lower <= stats.lower_bound(k, n, alpha)
    assert lower == pytest.approx(1 - stats.anytime_upper(n - k, n, alpha))
    if 0 < upper < 1:
        here = stats.log_evidence(k, n, upper, against="above")
        assert here == pytest.approx(-math.log(alpha), abs=1e-3)


@QUIET
@given(counts)
def test_evidence_against_higher_rates_grows(kn: tuple[int, int]) -> None:
    """From about the share observed on, higher rates have more evidence: one crossing alone."""
    k, n = kn
    rates = np.linspace(k / (n + 1), 1, 40)[1:-1]
    found = [stats.log_evidence(k, n, rate, against="above") for rate in rates]

    assert all(a <= b + 1e-9 for a, b in itertools.pairwise(found))


def test_anytime_n_needed_is_the_least() -> None:
    """Without a failure 377 units clear 1 % at any look, where 299 do at one."""
    n = stats.anytime_n_needed(0, 1, 0.01)

    assert n == 377
    assert stats.anytime_upper(0, n) <= 0.01 < stats.anytime_upper(0, n - 1)
    assert stats.anytime_n_needed(2, 100, 0.02) is None


def test_nothing_observed_claims_nothing() -> None:
    """Before the first unit the evidence is 1 and the bounds exclude nothing."""
    assert stats.log_evidence(0, 0, 0.3, against="above") == pytest.approx(0)
    assert (stats.anytime_lower(0, 0), stats.anytime_upper(0, 0)) == (0, 1)
    with pytest.raises(ValueError, match="no rate"):
        stats.anytime_n_needed(0, 0, 0.1)


@pytest.mark.parametrize("bad", [(-1, 3), (4, 3)])
def test_impossible_counts(bad: tuple[int, int]) -> None:
    """Counts outside 0..n are refused."""
    with pytest.raises(ValueError, match="count"):
        stats.anytime_upper(*bad)
    with pytest.raises(ValueError, match="count"):
        stats.log_evidence(*bad, 0.1, against="below")


def crossed(rate: float, limit: float, n: int, rounds: int, alpha: float, seed: int) -> float:
    """The share of runs in which the evidence against `limit` ever reaches 1 / alpha."""
    rng = np.random.default_rng(seed)
    sums = np.cumsum(rng.random((rounds, n)) < rate, axis=1)
    table = {
        (k, at): stats.log_evidence(int(k), int(at), limit, against="above") >= -math.log(alpha)
        for at in range(10, n + 1, 10)
        for k in np.unique(sums[:, at - 1])
    }
    return float(
        np.mean([any(table[(run[at - 1], at)] for at in range(10, n + 1, 10)) for run in sums])
    )


def test_peeking_keeps_its_error_where_the_exact_bound_does_not() -> None:
    """At the limit, with a look every 10 units, the mixture errs at most alpha; exact ones do."""
    alpha, rounds = 0.1, 500
    ours = crossed(0.1, 0.1, 400, rounds, alpha, 3)
    rng = np.random.default_rng(3)
    sums = np.cumsum(rng.random((rounds, 400)) < 0.1, axis=1)[:, 9::10]
    bound = {
        (int(k), at): stats.upper_bound(int(k), at, alpha)
        for i, at in enumerate(range(10, 401, 10))
        for k in np.unique(sums[:, i])
    }
    naive = np.mean(
        [any(bound[int(k), 10 * i + 10] <= 0.1 for i, k in enumerate(run)) for run in sums]
    )

    assert ours <= alpha
    assert naive > 2 * alpha


def test_hedged_interval_holds_and_narrows() -> None:
    """On shares between 0 and 1 it covers the mean, and shrinks as values come."""
    rng = np.random.default_rng(4)
    values = rng.beta(2, 6, size=2000)
    early, late = stats.hedged_interval(values[:100]), stats.hedged_interval(values)

    assert early.low <= 0.25 <= early.high
    assert late.low <= 0.25 <= late.high
    assert late.high - late.low < 0.4 * (early.high - early.low)
    assert stats.hedged_interval([]) == stats.hedged_interval([]).model_copy(
        update={"low": 0.0, "high": 1.0}
    )


@QUIET
@given(st.lists(st.floats(0, 1), max_size=60))
def test_hedged_interval_turned_round(values: list[float]) -> None:
    """What holds of the values holds of one minus them, mirrored."""
    one = stats.hedged_interval(values, grid=100)
    other = stats.hedged_interval([1 - v for v in values], grid=100)

    assert one.low == pytest.approx(1 - other.high, abs=0.0101)
    assert one.high == pytest.approx(1 - other.low, abs=0.0101)


def test_values_outside_their_bounds_are_refused() -> None:
    """A bet on a value that may be anything is none."""
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        stats.hedged_interval([0.5, 1.2])
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        stats.hedged_interval([float("nan")])


def test_monitor_is_the_mean_over_starts() -> None:
    """The running sum is what is defined: every start's share, bet on from there, and the rest."""
    events = np.random.default_rng(7).random(60) < 0.2
    monitor = stats.rate_monitor(0.1, rates=(0.15, 0.4)).updated(events)
    shares = [math.log(2) / math.log(j + 1) for j in range(1, 62)]
    total = shares[-1]
    for rate in (0.15, 0.4):
        odds = np.where(events, rate / 0.1, (1 - rate) / 0.9)
        total += sum(np.prod(odds[j:]) * (shares[j] - shares[j + 1]) for j in range(60)) / 2

    assert monitor.evidence == pytest.approx(total)
    assert monitor.n == 60
    assert monitor.failed == int(events.sum())


@QUIET
@given(st.lists(st.booleans(), max_size=80), st.integers(0, 80))
def test_monitor_survives_a_restart(events: list[bool], cut: int) -> None:
    """Kept as JSON between any two events it goes on as if it had never stopped."""
    through = stats.rate_monitor(0.2).updated(events)
    half = stats.rate_monitor(0.2).updated(events[:cut])
    kept = json.loads(json.dumps(half.as_json(), allow_nan=False))

    assert stats.RateMonitor.from_json(kept).updated(events[cut:]) == through


@pytest.mark.parametrize(
    "broken", [{}, {"capitals": [1.0]}, {"failed": 9, "n": 3}, {"limit": 0}, {"rates": []}]
)
def test_a_state_that_is_none_is_refused(broken: dict[str, object]) -> None:
    """A state that was cut or changed by hand does not become a monitor."""
    state = stats.rate_monitor(0.1).updated([True, False]).as_json()
    with pytest.raises(ValueError, match=r"state|lie"):
        stats.RateMonitor.from_json({**state, **broken} if broken else {})


def test_monitor_rings_when_the_rate_doubles() -> None:
    """After 10,000 quiet events a doubled rate is noticed within a few hundred failures."""
    rng = np.random.default_rng(11)
    quiet = stats.rate_monitor(0.05).updated(rng.random(10_000) < 0.05)
    loud = quiet.updated(rng.random(3000) < 0.1)

    assert quiet.alarm_at is None
    assert loud.alarm_at is not None
    assert 10_000 < loud.alarm_at < 11_500


def test_a_monitor_bets_on_higher_rates_alone() -> None:
    """A rate at or under the limit is no bet, and a limit near 1 still has one."""
    with pytest.raises(ValueError, match="lie between"):
        stats.rate_monitor(0.1, rates=(0.1,))
    assert stats.rate_monitor(0.9).rates == pytest.approx((0.95,))


@pytest.mark.slow
def test_monitor_stays_quiet_at_the_limit() -> None:
    """At the limit itself, over 10^5 events, no more than 5 % of 200 runs ring."""
    rng = np.random.default_rng(13)
    rung = sum(
        stats.rate_monitor(0.02).updated(rng.random(100_000) < 0.02).alarm_at is not None
        for _ in range(200)
    )

    assert stats.lower_bound(rung, 200) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["coin", "beta"])
def test_hedged_interval_covers_at_all_times(kind: str) -> None:
    """Over 300 streams of 500 the sequence misses the mean, at its end, at most 5 % of the time."""
    rng = np.random.default_rng(17)
    draw = (lambda: rng.random(500) < 0.1) if kind == "coin" else (lambda: rng.beta(1, 9, 500))
    # Means once excluded stay excluded, so that the end holds what was missed at any time.
    found = [stats.hedged_interval(draw(), grid=500) for _ in range(300)]
    missed = sum(not i.low <= 0.1 <= i.high for i in found)

    assert stats.lower_bound(missed, 300) <= 0.05
