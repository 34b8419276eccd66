"""Errors by formula agree with statsmodels, the textbook and simulated trials of planned size."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stats.oracles import answers

from normwright import stats

QUIET = settings(deadline=None, max_examples=60, derandomize=True)
numbers = st.lists(st.floats(-100, 100).map(lambda v: round(v, 3)), min_size=2, max_size=30)


@pytest.mark.parametrize("case", answers()["clustered"])
def test_errors_agree_with_statsmodels(case: dict[str, Any]) -> None:
    """The plain and the cluster-robust standard error, and their t intervals."""
    values, clusters = case["values"], case["clusters"]
    plain, robust = stats.clustered_mean(values), stats.clustered_mean(values, clusters)

    assert plain.ends is not None
    assert robust.ends is not None
    assert [stats.standard_error(values), *plain.ends] == pytest.approx(case["plain"])
    assert [stats.standard_error(values, clusters), *robust.ends] == pytest.approx(case["robust"])
    assert robust.n == len(set(clusters))


@QUIET
@given(numbers)
def test_repeated_items_are_no_evidence(values: list[float]) -> None:
    """Every item asked three times has the clustered error of asking it once."""
    once = stats.standard_error(values)
    thrice = stats.standard_error(values * 3, list(range(len(values))) * 3)

    assert once == pytest.approx(thrice, rel=1e-9, abs=1e-12)


@QUIET
@given(numbers)
def test_a_pair_is_compared_item_by_item(values: list[float]) -> None:
    """A constant lead is found without error, however unlike the items are: no interval."""
    a = [v + 0.5 for v in values]
    found = stats.paired_mean(a, values)

    assert found.value == pytest.approx(0.5)
    assert found.interval is None or found.interval.high - found.interval.low < 1e-9


def test_no_spread_and_one_cluster_claim_nothing() -> None:
    """Identical values, or all in one cluster, have a mean and no interval."""
    assert stats.clustered_mean([1.0] * 20).interval is None
    assert stats.clustered_mean([0.0, 1.0, 1.0], ["a"] * 3).interval is None
    assert stats.clustered_mean([]).value is None
    with pytest.raises(ValueError, match="finite"):
        stats.clustered_mean([0.1, float("nan")])
    with pytest.raises(ValueError, match="labels"):
        stats.clustered_mean([0.1, 0.2], ["a"])


def test_clustered_interval_covers_where_the_plain_one_does_not() -> None:
    """On answers that share a family's level, 95 % stays 95 % only if families are counted."""
    rng = np.random.default_rng(3)
    families, size, rounds = 30, 5, 600
    labels = np.repeat(np.arange(families), size)
    covered = {"plain": 0, "clustered": 0}
    for _ in range(rounds):
        values = rng.normal(size=families)[labels] + rng.normal(size=families * size)
        for name, groups in (("plain", None), ("clustered", labels.tolist())):
            ends = stats.clustered_mean(values, groups).ends
            covered[name] += ends is not None and ends[0] <= 0 <= ends[1]

    assert covered["plain"] / rounds < 0.85
    assert covered["clustered"] / rounds == pytest.approx(0.95, abs=0.025)


def test_intraclass_is_what_was_drawn() -> None:
    """A variance of 1 between families and 3 within is a correlation of a quarter."""
    rng = np.random.default_rng(4)
    labels = np.repeat(np.arange(4000), 4)
    values = rng.normal(size=4000)[labels] + math.sqrt(3) * rng.normal(size=16_000)

    assert stats.intraclass(values, labels.tolist()) == pytest.approx(0.25, abs=0.02)
    assert stats.intraclass([0, 0, 1, 1], "aabb") == pytest.approx(1)
    assert stats.intraclass([0, 1, 0, 1], "aabb") < 0  # type: ignore[operator]
    assert stats.intraclass([1, 1, 1, 1], "aabb") is None
    assert stats.intraclass([0, 1], "ab") is None


@pytest.mark.parametrize(("effect", "discordant"), [(0.05, 0.2), (0.1, 0.15), (-0.08, 0.3)])
def test_paired_n_reaches_its_power(effect: float, discordant: float) -> None:
    """The exact power at the planned n is near the plan; the exact test is a little shy of it."""
    n = stats.paired_n(effect, discordant, power=0.8)
    power = stats.paired_power(effect, discordant, n)

    assert 0.75 < power < 0.83
    assert stats.paired_power(effect, discordant, 2 * n) > 0.95


def test_paired_power_is_that_of_simulated_trials() -> None:
    """The exact sum is the share of simulated trials in which McNemar's test rejects."""
    rng = np.random.default_rng(6)
    draws = rng.multinomial(200, [0.15, 0.05, 0.8], size=3000)
    found = np.mean([stats.mcnemar_exact(int(b), int(c)) <= 0.05 for b, c, _ in draws])

    assert stats.paired_power(0.1, 0.2, 200) == pytest.approx(found, abs=0.03)
    assert stats.paired_power(0.0, 0.2, 200) <= 0.05


def test_clusters_multiply_n() -> None:
    """Items of clusters of 5 at a correlation of a quarter count half."""
    assert stats.design_effect(5, 0.25) == 2
    alone, together = (stats.paired_n(0.05, 0.2, size=s, alike=0.25) for s in (1, 5))
    assert together == pytest.approx(2 * alone, abs=1)
    with pytest.raises(ValueError, match="discordance"):
        stats.paired_n(0.3, 0.2)
    with pytest.raises(ValueError, match="clusters"):
        stats.design_effect(0.5, 0.1)


def test_more_answers_ask_for_fewer_items() -> None:
    """Noise of single answers shrinks with their number; what items differ by does not."""
    one = stats.mean_n(0.03, 0.3, noise=0.6)
    ten = stats.mean_n(0.03, 0.3, noise=0.6, answers=10)

    # (1.96 + 0.8416)^2 * (0.09 + 0.36) / 0.0009, by hand.
    assert one == 3925
    assert one * 0.09 / 0.45 < ten < one / 3
