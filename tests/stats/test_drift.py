"""Charts ring where a rate moves and rarely otherwise; two samples of one source look alike."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from normwright import stats

QUIET = settings(deadline=None, max_examples=60, derandomize=True)


@QUIET
@given(st.lists(st.booleans(), max_size=120))
def test_chart_is_the_highest_recent_evidence(events: list[bool]) -> None:
    """Each side is the greatest log-likelihood ratio of any stretch that ends now, or 0."""
    chart = stats.cusum(0.2, false_alarms=1e-12).updated(events)
    for rate, seen in ((0.4, chart.risen), (0.1, chart.fallen)):
        steps = [math.log(rate / 0.2) if e else math.log((1 - rate) / 0.8) for e in events]
        best = max([0.0, *(sum(steps[i:]) for i in range(len(steps)))])
        assert seen == pytest.approx(best, abs=1e-9)


def test_chart_rings_on_the_right_side() -> None:
    """Twice the rate rings as higher, half of it as lower, both within a few hundred events."""
    rng = np.random.default_rng(1)
    quiet = stats.cusum(0.1, false_alarms=1e-4).updated(rng.random(1000) < 0.1)
    assert quiet.alarms == ()
    up = quiet.updated(rng.random(1500) < 0.2)
    down = quiet.updated(rng.random(1500) < 0.03)

    assert up.alarms[0][1] == "higher"
    assert 1000 < up.alarms[0][0] < 1500
    assert down.alarms[0][1] == "lower"


def test_chart_keeps_its_false_alarms() -> None:
    """With nothing changed, alarms come less often than was allowed."""
    rng = np.random.default_rng(2)
    chart = stats.cusum(0.05, false_alarms=1e-3).updated(rng.random(200_000) < 0.05)

    assert len(chart.alarms) / chart.n <= 1e-3
    assert chart.n == 200_000


@QUIET
@given(st.lists(st.booleans(), max_size=60), st.integers(0, 60))
def test_chart_survives_a_restart(events: list[bool], cut: int) -> None:
    """Kept as JSON between any two events it goes on as if it had never stopped."""
    start = stats.cusum(0.3, false_alarms=0.2)
    kept = json.loads(json.dumps(start.updated(events[:cut]).as_json(), allow_nan=False))

    assert stats.Cusum.from_json(kept).updated(events[cut:]) == start.updated(events)


@pytest.mark.parametrize("bad", [{"usual": 0.0}, {"lower": 0.9}, {"risen": -1.0}, {"alarms": 3}])
def test_a_state_that_is_none_is_refused(bad: dict[str, object]) -> None:
    """A state that was changed by hand does not become a chart."""
    with pytest.raises(ValueError, match=r"please|state"):
        stats.Cusum.from_json({**stats.cusum(0.2).as_json(), **bad})
    with pytest.raises(ValueError, match="please"):
        stats.cusum(0.2, higher=0.1)


def test_area_is_the_rank_test_of_the_held_out() -> None:
    """For one feature the statistic is Mann and Whitney's on the held-out halves."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=40).round(1), rng.normal(size=50).round(1) + 1
    found = stats.two_sample(a, b, seed=7)
    halves = np.random.default_rng(7)
    held_a, held_b = a[halves.permutation(40)][20:], b[halves.permutation(50)][25:]
    test = scipy_stats.mannwhitneyu(held_b, held_a, alternative="greater")

    assert found.n == (20, 25)
    assert found.auc == pytest.approx(test.statistic / (20 * 25))
    assert found.p_value == pytest.approx(test.pvalue, abs=0.004)


def test_p_values_of_one_source_are_no_smaller_than_uniform() -> None:
    """Over 200 pairs of samples from one skewed source, small p-values are not too many."""
    rng = np.random.default_rng(4)
    p = [
        stats.two_sample(
            rng.exponential(size=(30, 6)), rng.exponential(size=(25, 6)), seed=i, rounds=99
        ).p_value
        for i in range(200)
    ]

    assert scipy_stats.kstest(p, "uniform", alternative="greater").pvalue > 0.01
    assert 0.3 < np.mean(p) < 0.65


def test_a_shift_in_one_feature_of_many_is_found() -> None:
    """One feature of twenty moved by a standard deviation is seen in 200 rows; none is not."""
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(200, 20)), rng.normal(size=(200, 20))
    assert stats.two_sample(a, b, seed=1).p_value > 0.05
    b[:, 7] += 1

    found = stats.two_sample(a, b, seed=1)
    assert found.p_value <= 0.01
    assert found.auc > 0.6


def test_samples_that_cannot_be_compared_are_refused() -> None:
    """Other features, too few rows, and numbers that are none."""
    with pytest.raises(ValueError, match="same features"):
        stats.two_sample(np.ones((9, 2)), np.ones((9, 3)), seed=0)
    with pytest.raises(ValueError, match="4 rows"):
        stats.two_sample([1.0, 2.0], np.ones(9), seed=0)
    with pytest.raises(ValueError, match="finite"):
        stats.two_sample(np.full(9, np.nan), np.ones(9), seed=0)
    assert stats.two_sample(np.ones(9), np.ones(9), seed=0).p_value == 1
