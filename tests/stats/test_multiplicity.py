"""Corrections for many questions: statsmodels' Holm, the definition of e-BH, simulated errors."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stats.oracles import answers

from normwright import stats

QUIET = settings(deadline=None, max_examples=80, derandomize=True)
ps = st.lists(st.floats(0, 1), max_size=8)


@pytest.mark.parametrize("case", answers()["stepped"])
def test_holm_agrees_with_statsmodels(case: dict[str, Any]) -> None:
    """Adjusted p-values of random families."""
    assert stats.holm(case["p"]).tolist() == pytest.approx(case["holm"])


@QUIET
@given(ps, st.sampled_from([0.01, 0.05, 0.3]))
def test_holm_is_the_closed_bonferroni_test(p: list[float], alpha: float) -> None:
    """A hypothesis falls if and only if every intersection that holds it falls by Bonferroni."""
    adjusted = stats.holm(p)
    for i in range(len(p)):
        others = [j for j in range(len(p)) if j != i]
        closed = max(
            min(1.0, (len(more) + 1) * min([p[i], *(p[j] for j in more)]))
            for size in range(len(p))
            for more in itertools.combinations(others, size)
        )
        assert adjusted[i] == pytest.approx(closed)
        assert (adjusted[i] <= alpha) == (closed <= alpha) or abs(closed - alpha) < 1e-12


@QUIET
@given(st.lists(st.floats(0, 1e4), max_size=12), st.sampled_from([0.05, 0.2]))
def test_e_bh_is_self_consistent(e: list[float], alpha: float) -> None:
    """All rejected have e >= m / (k alpha) for their number k, and no greater set has."""
    rejected = stats.e_bh(e, alpha)
    m, k = len(e), int(rejected.sum())

    assert all(v >= m / (k * alpha) for v, r in zip(e, rejected, strict=True) if r)
    ordered = sorted(e, reverse=True)
    assert all(ordered[j - 1] < m / (j * alpha) for j in range(k + 1, m + 1))


def test_e_bh_keeps_its_false_discoveries_under_dependence() -> None:
    """With one shared shock behind all true nulls the mean false share stays under alpha."""
    rng = np.random.default_rng(3)
    shares = []
    for _ in range(3000):
        # Each null's e-value is exp(2 z - 2), mean 1, for a normal z of which most is shared.
        shock = rng.normal() * np.sqrt(0.8) + rng.normal(size=20) * np.sqrt(0.2)
        nulls = np.exp(2 * shock - 2)
        e = np.concatenate([nulls, np.full(5, 200.0)])
        rejected = stats.e_bh(e, 0.2)
        shares.append(rejected[:20].sum() / max(1, rejected.sum()))

    assert np.mean(shares) <= 0.2


def test_candidates_share_the_error() -> None:
    """Alpha is divided by the candidates; none is no candidate."""
    assert stats.candidate_alpha(0.05, 20) == pytest.approx(0.0025)
    with pytest.raises(ValueError, match="candidate"):
        stats.candidate_alpha(0.05, 0)


@pytest.mark.parametrize("bad", [[-0.1], [1.1], [float("nan")]])
def test_what_is_no_p_or_e_value_is_refused(bad: list[float]) -> None:
    """Shares outside [0, 1], and evidence below 0, are faults of whoever made them."""
    with pytest.raises(ValueError, match="p-values"):
        stats.holm(bad)
    if bad != [1.1]:
        with pytest.raises(ValueError, match="e-value"):
            stats.e_bh(bad, 0.1)
    with pytest.raises(ValueError, match="error"):
        stats.e_bh([1.0], 0)
