"""Rates from few labels and many predictions: ppi-python's answers, coverage, and honesty."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stats.oracles import answers

from normwright import stats

QUIET = settings(deadline=None, max_examples=60, derandomize=True)


@pytest.mark.parametrize("case", answers()["powered"])
def test_means_agree_with_ppi_python(case: dict[str, Any]) -> None:
    """Value and ends, plain and tuned; it divides by n where the unbiased variance has n - 1."""
    sides = (case["labels"], case["predicted"], case["unlabelled"])
    n = len(case["labels"])
    for name, weight in (("plain", 1.0), ("tuned", None)):
        found = stats.ppi_mean(*sides, weight=weight)
        assert found.ends is not None
        value, low, high = case[name]
        width = high - low
        assert found.value == pytest.approx(value, abs=0.02 * width)
        assert found.ends[1] - found.ends[0] == pytest.approx(width, rel=1.5 / n)


def test_weight_nought_is_the_labels_alone() -> None:
    """Without predictions it is the mean of the labels with its normal interval."""
    rng = np.random.default_rng(1)
    y, f, g = rng.random(50), rng.random(50), rng.random(200)
    found = stats.ppi_mean(y, f, g, weight=0.0)
    error = stats.standard_error(y)
    assert error is not None
    assert found.ends is not None

    assert found.value == pytest.approx(y.mean())
    assert found.ends[1] - found.ends[0] == pytest.approx(2 * 1.959964 * error, rel=1e-6)


def test_a_good_judge_narrows_and_a_useless_one_does_not_widen() -> None:
    """A judge that is nearly right shortens the interval by half; noise leaves it as it was."""
    rng = np.random.default_rng(2)
    y = rng.random(100 + 5000) < 0.3
    good = np.where(rng.random(len(y)) < 0.97, y, ~y).astype(float)
    noise = rng.random(len(y))

    def width(said: Any) -> float:
        ends = stats.ppi_mean(y[:100].astype(float), said[:100], said[100:]).ends
        assert ends is not None
        return float(ends[1] - ends[0])

    alone = stats.clustered_mean(y[:100].astype(float)).ends
    assert alone is not None
    assert width(good) < 0.55 * (alone[1] - alone[0])
    assert width(noise) < 1.02 * (alone[1] - alone[0])


def covers(seed: int, rounds: int, clustered: bool) -> tuple[float, float]:
    """Coverage with a biased judge, and of taking its word for it."""
    rng = np.random.default_rng(seed)
    kept = naive = 0
    for _ in range(rounds):
        # With clusters everyone of a family of four has the same truth and the same verdict.
        units = 1200
        y = rng.random(units) < 0.2
        f = np.where(y, rng.random(units) < 0.7, rng.random(units) < 0.1).astype(float)
        labels = np.arange(units)
        if clustered:
            y, f, labels = np.repeat(y, 4), np.repeat(f, 4), np.repeat(labels, 4)
        cut = len(y) // 6
        ends = stats.ppi_mean(
            y[:cut].astype(float), f[:cut], f[cut:],
            clusters=labels[:cut].tolist(), unlabelled_clusters=labels[cut:].tolist(),
        ).ends  # fmt: skip
        kept += ends is not None and ends[0] <= 0.2 <= ends[1]
        wilson = stats.wilson(float(f.sum()), len(f))
        naive += wilson.low <= 0.2 <= wilson.high
    return kept / rounds, naive / rounds


@pytest.mark.parametrize("clustered", [False, True])
def test_interval_covers_with_a_biased_judge(clustered: bool) -> None:
    """The truth is inside about 95 times in 100, where the judge's word alone hardly ever is."""
    kept, naive = covers(5, 500, clustered)

    assert kept == pytest.approx(0.95, abs=0.03)
    assert naive < 0.6


def test_a_judge_that_was_always_right_is_not_certain() -> None:
    """Where no label disagrees the normal interval would be the judge's alone: there is none."""
    y, g = [1.0, 0.0] * 10, [1.0, 0.0, 0.0] * 100
    assert stats.ppi_mean(y, y, g, weight=1.0).interval is None

    exact = stats.ppi_rate(0, 0, 20, 100, 300)
    assert exact.ends is not None
    assert exact.ends[1] > 100 / 300 + 0.1


def test_exact_rate_covers_rare_events() -> None:
    """At a rate of 1 % and 150 labels the exact interval holds, at least as often as it says."""
    rng = np.random.default_rng(9)
    rounds, kept = 600, 0
    for _ in range(rounds):
        labelled = rng.multinomial(150, [0.004, 0.006, 0.02, 0.97])
        flags = int(rng.binomial(3000, 0.026))
        ends = stats.ppi_rate(int(labelled[0]), int(labelled[2]), 150, flags, 3000).ends
        kept += ends is not None and ends[0] <= 0.01 <= ends[1]

    assert kept / rounds >= 0.95


@QUIET
@given(
    st.integers(0, 30), st.integers(0, 30), st.integers(0, 60),
    st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
)  # fmt: skip
def test_exact_rate_lies_inside(missed: int, invented: int, rest: int, f: tuple[int, int]) -> None:
    """The value is within its ends and both are shares."""
    labelled = missed + invented + rest
    found = stats.ppi_rate(missed, invented, labelled, *f)
    if labelled == 0:
        assert found.value is None
        return

    assert found.interval is not None
    assert found.value is not None
    assert 0 <= found.interval.low <= found.value <= found.interval.high <= 1


def test_bad_input_is_refused() -> None:
    """A label without its prediction, a value that is none, and impossible counts."""
    with pytest.raises(ValueError, match="each"):
        stats.ppi_mean([1.0], [1.0, 0.0], [1.0])
    with pytest.raises(ValueError, match="finite"):
        stats.ppi_mean([float("nan")], [1.0], [1.0])
    with pytest.raises(ValueError, match="impossible"):
        stats.ppi_rate(3, 3, 5, 1, 2)
    assert stats.ppi_mean([], [], [1.0]).value is None
