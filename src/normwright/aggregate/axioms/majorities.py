"""Majorities between two: the Condorcet winner and the Smith set, from margins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def condorcet_winner(margins: NDArray[np.int64]) -> int | None:
    """Return the alternative that beats every other, or None; margins of shape (m, m)."""
    ahead = np.flatnonzero((margins > 0).sum(axis=1) == len(margins) - 1)
    return int(ahead[0]) if len(ahead) and len(margins) else None


def smith_set(margins: NDArray[np.int64]) -> tuple[int, ...]:
    """Return the smallest set whose members each beat everything outside it, by number.

    Its members are those with the highest Copeland scores (a beaten one counts 1, a level one 1/2),
    so it grows along them until nothing outside is level with or beats a member; O(m^2).
    """
    m = len(margins)
    unbeaten = margins >= 0
    order = np.argsort(-(np.sign(margins).sum(axis=1)), kind="stable")
    sorted_unbeaten = unbeaten[np.ix_(order, order)]
    # For each size, whether anybody outside holds out against anybody inside.
    size = 0
    needed = 1
    while size < needed:
        size += 1
        holding_out = np.flatnonzero(sorted_unbeaten[:, size - 1])
        needed = max(needed, int(holding_out.max(initial=0)) + 1)
    return tuple(sorted(order[: min(needed, m)].tolist()))
