"""Who is put above whom how often: the one count that most methods rest on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from normwright.records import Unranked

_CELLS = 4_000_000
"""Most comparisons of two alternatives held at once."""


def count_wins(
    orders: NDArray[np.int16], counts: NDArray[np.int64], *, unranked: Unranked
) -> NDArray[np.int64]:
    """Return how many ballots put i above j, shape (..., m, m).

    Args:
        orders: number of the tier of each alternative, shape (k, m); -1: left out.
        counts: how often each order was given, shape (..., k): one count, or several at once.
        unranked: `last`: what a ballot leaves out is below all that it ranks, and level with
            whatever else it leaves out; `apart`: it is not compared with anything.
    """
    k, m = orders.shape
    wins = np.zeros((*counts.shape[:-1], m * m))
    step = max(1, _CELLS // max(1, m * m))
    for start in range(0, k, step):
        rows = slice(start, start + step)
        ranked = orders[rows] >= 0
        level = np.where(ranked, orders[rows], np.iinfo(np.int16).max)
        above = (level[:, :, None] < level[:, None, :]) & ranked[:, :, None]
        if unranked == "apart":
            above &= ranked[:, None, :]
        # Counts stay far below 2**53, so the float products are exact.
        wins += counts[..., rows].astype(np.float64) @ above.reshape(len(above), m * m)
    counted: NDArray[np.int64] = np.rint(wins).astype(np.int64)
    return counted.reshape(*counts.shape[:-1], m, m)
