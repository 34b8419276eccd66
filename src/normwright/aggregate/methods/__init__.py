"""Ranking methods, one file each. Every one of them needs only who was put above whom how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Order:
    """A weak order over alternatives given by number, and the scores behind it."""

    tiers: tuple[tuple[int, ...], ...]
    """Best first; alternatives in one tier are not told apart by the method."""
    scores: NDArray[np.float64]
    """One score an alternative, in [0, 1]; what it means is the method's to say."""


Method = Callable[[NDArray[np.int64], int], Order]
"""From wins (m, m), where wins[i, j] voters put i above j, and the number of voters."""
