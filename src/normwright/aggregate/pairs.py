"""Who is put above whom how often: the one count that most methods rest on."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from normwright.records import Unranked

_Levels: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]

_CELLS = 4_000_000
"""Most comparisons of two alternatives held at once."""
_FEW = 2_000
"""Below so many orders one product beats a pass over every pair of alternatives."""
_FLOAT32 = 2**24
"""Whole numbers up to here are exact in single precision, and so are their sums."""


def count_wins(
    orders: NDArray[np.int16], counts: NDArray[np.int64], *, unranked: Unranked
) -> NDArray[np.int64]:
    """Return how many ballots put i above j, shape (..., m, m).

    Time grows with k m^2 and with the number of ones in the binary counts; memory does not grow
    with k beyond the arrays given.

    Args:
        orders: number of the tier of each alternative, shape (k, m); -1: left out.
        counts: how often each order was given, shape (..., k), none below 0: one count, or several
            at once.
        unranked: `last`: what a ballot leaves out is below all that it ranks, and level with
            whatever else it leaves out; `apart`: it is not compared with anything.
    """
    if counts.ndim == 1 and len(orders) > _FEW:
        return _by_passes(orders, counts, unranked)
    return _by_product(orders, counts, unranked)


def _by_passes(
    orders: NDArray[np.int16], counts: NDArray[np.int64], unranked: Unranked
) -> NDArray[np.int64]:
    """A pass for each binary digit of the counts, over the orders whose count has that digit.

    So no weight is ever multiplied: a pass compares bytes and counts them.
    """
    m = orders.shape[1]
    wins = np.zeros((m, m), dtype=np.int64)
    for digit in range(int(counts.max(initial=0)).bit_length()):
        has = (counts >> digit) & 1 == 1
        step = max(1024, _CELLS // max(1, m))
        for start in range(0, len(orders), step):
            rows = slice(start, start + step)
            chosen = orders[rows] if has[rows].all() else orders[rows][has[rows]]
            wins += _pass(*_columns(chosen, unranked)) << digit
    return wins


def _pass(upper: _Levels, lower: _Levels) -> NDArray[np.int64]:
    """How many orders have i at a smaller level than j, each an alternative a row, shape (m, m)."""
    m = len(upper)
    wins = np.zeros((m, m), dtype=np.int64)
    above = np.empty(upper.shape, dtype=bool)
    for i in range(m):
        np.less(upper[i], lower, out=above)
        # Counting a contiguous row of booleans is much faster than any sum along an axis.
        wins[i] = [np.count_nonzero(row) for row in above]
    return wins


def _by_product(
    orders: NDArray[np.int16], counts: NDArray[np.int64], unranked: Unranked
) -> NDArray[np.int64]:
    """All comparisons of some orders times their counts, shape (..., m, m)."""
    k, m = orders.shape
    wins = np.zeros((*counts.shape[:-1], m * m), dtype=np.int64)
    step = max(1, _CELLS // max(1, m * m))
    for start in range(0, k, step):
        part = counts[..., start : start + step]
        upper, lower = (level.T for level in _columns(orders[start : start + step], unranked))
        above = (upper[:, :, None] < lower[:, None, :]).reshape(len(upper), m * m)
        # Far below 2**53 in all; so every partial sum is a whole number that the type can hold.
        exact = np.float32 if part.sum(axis=-1).max(initial=0) < _FLOAT32 else np.float64
        wins += (part.astype(exact) @ above.astype(exact)).astype(np.int64)
    return wins.reshape(*counts.shape[:-1], m, m)


def _columns(orders: NDArray[np.int16], unranked: Unranked) -> tuple[_Levels, _Levels]:
    """Levels to compare, an alternative a row: i is above j where `upper[i] < lower[j]`.

    What was left out has the last level in `upper`, so that it is above nothing. In `lower` it has
    that one too, below all that is ranked, or the first, so that nothing is above it.
    """
    columns = np.ascontiguousarray(orders.T)
    few = orders.max(initial=0) < np.iinfo(np.uint8).max
    # -1 becomes the last level, as unsigned numbers wrap around.
    upper: _Levels = columns.astype(np.uint8) if few else columns.astype(np.uint16)
    if unranked == "last":
        return upper, upper
    lower = upper.copy()
    lower[upper == np.iinfo(upper.dtype).max] = 0
    return upper, lower
