"""Agreement between two groupings of the same units."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def adjusted_rand(a: ArrayLike, b: ArrayLike) -> float:
    """Return the adjusted Rand index of two labellings (Hubert and Arabie, 1985).

    1 means the same grouping whatever the labels are called, 0 what chance would give. Two
    groupings that both put everyone together, or both everyone apart, agree fully: 1.

    Args:
        a: labels, shape (n,).
        b: labels of the same units, shape (n,).
    """
    left, right = np.asarray(a), np.asarray(b)
    if left.shape != right.shape:
        raise ValueError(f"labels of the same units, please: {left.shape} and {right.shape}")
    _, i = np.unique(left, return_inverse=True)
    _, j = np.unique(right, return_inverse=True)
    if i.size == 0:
        return 1.0
    table = np.zeros((i.max() + 1, j.max() + 1))
    np.add.at(table, (i, j), 1)

    def pairs(counts: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
        return float((counts * (counts - 1)).sum() / 2)

    together = pairs(table)
    first, second = pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    everything = i.size * (i.size - 1) / 2
    expected = first * second / everything if everything else 0.0
    best = (first + second) / 2
    return 1.0 if best == expected else (together - expected) / (best - expected)
