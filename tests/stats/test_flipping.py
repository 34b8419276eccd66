"""The sign-flip test: exact where few clusters are, of its size where null and clusters say so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import permutation_test

from normwright.stats import sign_flip_p

FEW = st.lists(st.floats(-3, 3).map(lambda x: round(x, 3)), min_size=2, max_size=9)


@given(FEW)
def test_all_patterns_of_few_values_agree_with_scipy(values: list[float]) -> None:
    """The permutation test of one sample, which turns signs likewise."""
    theirs = permutation_test(
        (np.array(values),), np.mean, permutation_type="samples", alternative="greater",
        n_resamples=1_000_000, vectorized=False,
    )  # fmt: skip

    # Where sums tie up to rounding, ours counts them as ties, which is never less.
    assert sign_flip_p(values) >= theirs.pvalue - 1e-12
    jittered = [v + i * 1e-4 for i, v in enumerate(values)]
    theirs = permutation_test(
        (np.array(jittered),), np.mean, permutation_type="samples", alternative="greater",
        n_resamples=1_000_000, vectorized=False,
    )  # fmt: skip
    assert sign_flip_p(jittered) == pytest.approx(float(theirs.pvalue), abs=2 / 2 ** len(values))


def test_drawn_patterns_come_near_all_patterns() -> None:
    """Fourteen clusters are all tried, fifteen of about the same are drawn."""
    values = np.random.default_rng(1).normal(0.5, 1, 14)
    extra = np.append(values, 0.0)

    assert sign_flip_p(extra, rounds=40_000) == pytest.approx(sign_flip_p(values), abs=0.005)
    assert sign_flip_p(extra) == sign_flip_p(extra)


@pytest.mark.parametrize(("clusters", "items"), [(80, 1), (40, 2), (24, 4)])
def test_at_the_margin_it_rejects_no_oftener_than_it_may(clusters: int, items: int) -> None:
    """Rare differences, alike in each cluster: at 5 % asked, at most that in 1,000 rounds."""
    rng = np.random.default_rng(7)
    units = np.repeat(np.arange(clusters), items)
    rejected = sum(
        sign_flip_p(np.repeat(rng.random(clusters) < 0.05, items), units.tolist(), null=0.05,
                    rounds=1_000, seed=i) <= 0.05
        for i in range(1_000)
    )  # fmt: skip

    assert rejected <= 65  # 0.05 and two of its standard errors
    assert rejected > 0


def test_as_items_of_their_own_the_same_data_reject_too_often() -> None:
    """The control: what clusters are counted for."""
    rng = np.random.default_rng(7)
    values = [np.repeat(rng.random(24) < 0.05, 8) for _ in range(300)]
    units = np.repeat(np.arange(24), 8).tolist()
    alone = sum(sign_flip_p(v, null=0.05, rounds=1_000) <= 0.05 for v in values)
    together = sum(sign_flip_p(v, units, null=0.05, rounds=1_000) <= 0.05 for v in values)

    assert alone > 3 * 0.05 * 300
    assert together <= 0.05 * 300 + 8


@pytest.mark.parametrize("values", [[], [float("nan")], [[1.0]]])
def test_what_is_no_line_of_numbers_is_refused(values: list[float]) -> None:
    """As is a list of clusters of another length."""
    with pytest.raises(ValueError, match="finite numbers"):
        sign_flip_p(values)
    with pytest.raises(ValueError, match="clusters"):
        sign_flip_p([1.0, 2.0], ["a"])
