"""Frontiers and volumes against the slow obvious versions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from normwright.stats import dominates, hypervolume, hypervolumes, on_frontier

GRID = st.integers(0, 4)


@given(st.lists(st.tuples(GRID, GRID, GRID), min_size=1, max_size=7))
def test_volume_is_the_count_of_unit_cubes(points: list[tuple[int, int, int]]) -> None:
    """On whole coordinates the volume is the number of unit cubes under some point."""
    for d in (1, 2, 3):
        cut = [p[:d] for p in points]
        cubes = sum(
            any(all(x > c for x, c in zip(p, cube, strict=True)) for p in cut)
            for cube in itertools.product(range(4), repeat=d)
        )
        assert hypervolume(cut, [0] * d) == pytest.approx(cubes)


@given(st.lists(st.tuples(GRID, GRID), min_size=1, max_size=8))
def test_frontier_is_what_nobody_dominates(points: list[tuple[int, int]]) -> None:
    """The array form equals the definition, and dominated points add no volume."""
    found = on_frontier(points)
    plain = [not any(dominates(q, p) for q in points) for p in points]
    kept = [p for p, on in zip(points, plain, strict=True) if on]

    assert list(found) == plain
    assert hypervolume(kept, [0, 0]) == pytest.approx(hypervolume(points, [0, 0]))


def test_many_at_once_and_what_is_left_out() -> None:
    """Sets are measured one by one, and a point that is barred adds nothing."""
    points = np.random.default_rng(0).random((5, 6, 3))
    kept = [True, False, True, True, False, True]

    assert np.allclose(hypervolumes(points, [0, 0, 0]), [hypervolume(p, [0, 0, 0]) for p in points])
    assert np.allclose(
        hypervolumes(points, [0, 0, 0], kept), [hypervolume(p[kept], [0, 0, 0]) for p in points]
    )
    assert hypervolume([[2.0, 0.5], [0.5, 2.0]], [1, 1]) == 0
    with pytest.raises(ValueError, match="1, 2 or 3"):
        hypervolume([[1.0] * 4], [0.0] * 4)
    with pytest.raises(ValueError, match="finite"):
        hypervolume([[float("nan"), 1.0]], [0.0, 0.0])
