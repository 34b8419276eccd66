"""The adjusted Rand index against an independent implementation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from normwright import stats

labels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=2, max_size=40)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(labels)
def test_equals_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    """Any two labellings give scikit-learn's value."""
    a, b = zip(*pairs, strict=True)

    assert stats.adjusted_rand(a, b) == pytest.approx(adjusted_rand_score(a, b))


def test_renaming_groups_changes_nothing() -> None:
    """Labels are only names."""
    a = np.array([0, 0, 1, 1, 2, 2])

    assert stats.adjusted_rand(a, np.array(["x", "x", "z", "z", "y", "y"])) == 1
