"""Areas under the curve: right with ties, right intervals, and no false certainty."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from normwright import stats

rows = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=40).filter(
    lambda r: len({truth for _, truth in r}) == 2
)


@settings(deadline=None, max_examples=50)
@given(rows)
def test_auc_is_that_of_scikit_learn_and_of_the_slow_obvious_count(
    drawn: list[tuple[int, bool]],
) -> None:
    """With any ties the area is scikit-learn's, and the share of pairs won, a tie counting half."""
    scores, truth = zip(*drawn, strict=True)
    ups = [s for s, t in drawn if t]
    downs = [s for s, t in drawn if not t]
    won = sum((u > d) + (u == d) / 2 for u in ups for d in downs) / (len(ups) * len(downs))
    seen = stats.auc(scores, truth)

    assert seen == pytest.approx(won, abs=1e-12)
    assert seen == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)


@settings(deadline=None, max_examples=50)
@given(rows)
def test_auc_turns_with_the_scores(drawn: list[tuple[int, bool]]) -> None:
    """Reversed scores give the complement; repeating everybody changes nothing."""
    scores, truth = map(list, zip(*drawn, strict=True))
    seen = stats.auc(scores, truth)

    assert seen is not None
    assert stats.auc([-s for s in scores], truth) == pytest.approx(1 - seen)
    assert stats.auc(scores * 2, truth * 2) == pytest.approx(seen)


def test_a_constant_has_exactly_one_half_and_no_certainty() -> None:
    """Equal scores have area 0.5 exactly; the interval is wider than a point around it."""
    seen = stats.bootstrap_auc([1.0] * 60, [True, False] * 30, seed=0)

    assert seen.value == 0.5
    assert seen.interval is not None
    assert seen.interval.method == "no-spread"
    assert 0 < seen.interval.low < 0.5 < seen.interval.high < 1


def test_kinds_wholly_apart_are_not_certain() -> None:
    """Perfect scores of few units leave room below; more units leave less."""
    few, many = (
        stats.bootstrap_auc(list(range(2 * n)), [False] * n + [True] * n, seed=0) for n in (5, 50)
    )

    assert few.value == many.value == 1.0
    assert few.interval is not None
    assert many.interval is not None
    assert few.interval.low < many.interval.low < 1.0 == many.interval.high


def test_one_kind_alone_and_infinities() -> None:
    """Without both kinds there is no area; infinities rank, NaN is refused, shapes must agree."""
    assert stats.auc([], []) is None
    assert stats.auc([1, 2], [True, True]) is None
    assert stats.bootstrap_auc([1, 2], [False, False], seed=0).value is None
    assert stats.auc([float("-inf"), float("inf")], [False, True]) == 1.0
    with pytest.raises(ValueError, match="1 of 2 scores are NaN"):
        stats.auc([float("nan"), 1], [True, False])
    with pytest.raises(ValueError, match="shapes"):
        stats.auc([1, 2], [True])
    with pytest.raises(ValueError, match="3 scores but 1"):
        stats.bootstrap_auc([1, 2, 3], [True, False, True], clusters=["a"], seed=0)


def test_coverage_with_clusters() -> None:
    """Copies of a unit add no evidence: the interval by cluster covers, the one by score is short.

    Scores are normal with means one apart, so that the true area is Phi(1 / sqrt 2) = 0.760.
    """
    rng = np.random.default_rng(3)
    hits = {"cluster": 0, "score": 0}
    truth = np.repeat([True, False] * 20, 6)
    labels = np.repeat(np.arange(40), 6).tolist()
    for i in range(120):
        x = np.repeat(rng.normal(0, 1, 40), 6) + truth
        for name, unit in (("cluster", labels), ("score", None)):
            interval = stats.bootstrap_auc(x, truth, clusters=unit, seed=i, rounds=200).interval
            assert interval is not None
            hits[name] += interval.low <= 0.7602 <= interval.high

    assert hits["cluster"] / 120 > 0.87
    assert hits["score"] / 120 < 0.7


def test_shuffled_labels_hold_one_half() -> None:
    """Scores that know nothing of the kinds have an interval with 0.5 in it."""
    rng = np.random.default_rng(4)
    truth = rng.permutation([True] * 60 + [False] * 60)
    interval = stats.bootstrap_auc(rng.normal(size=120), truth, seed=0).interval

    assert interval is not None
    assert interval.low < 0.5 < interval.high


def test_a_difference_is_paired() -> None:
    """A score less itself is 0; paired, a small constant gain is surer than two areas apart."""
    rng = np.random.default_rng(5)
    truth = np.array([True, False] * 60)
    before = rng.normal(size=120)
    after = before + 0.4 * truth
    same = stats.auc_difference(before, before, truth, seed=0)
    gain = stats.auc_difference(after, before, truth, seed=0)
    apart = stats.bootstrap_auc(after, truth, seed=0).interval

    assert same.value == 0.0
    assert same.interval is not None
    assert same.interval.low < 0 < same.interval.high
    assert gain.value == pytest.approx(
        (stats.auc(after, truth) or 0) - (stats.auc(before, truth) or 0)
    )
    assert gain.interval is not None
    assert apart is not None
    assert gain.interval.low > 0
    assert gain.interval.high - gain.interval.low < apart.high - apart.low


def test_the_seed_is_the_interval() -> None:
    """Same seed, same interval; n counts clusters."""
    x, truth = list(range(30)), [i % 3 == 0 for i in range(30)]
    one, two = (
        stats.bootstrap_auc(x, truth, clusters=[i // 3 for i in x], seed=7) for _ in range(2)
    )

    assert one == two
    assert one.n == 10
