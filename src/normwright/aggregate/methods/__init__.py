"""Ranking methods, one file each: ballots in, a weak order out, ties kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import Election


@dataclass(frozen=True)
class Order:
    """A weak order over alternatives given by number, and the scores behind it."""

    tiers: tuple[tuple[int, ...], ...]
    """Best first; alternatives in one tier are not told apart by the method. The first tier are
    the winners."""
    scores: NDArray[np.float64]
    """One score an alternative; what it means is the method's to say."""
    errors: NDArray[np.float64] | None = None
    """Standard error of each score, where the method estimates it."""
    places: NDArray[np.int64] | None = None
    """Lowest and highest place of each alternative, simultaneously at 95 %, shape (m, 2)."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What a critic would ask for, as JSON values: a certificate, a lottery, how ties went."""

    def named(self, names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """Return the tiers by name, best first, the names within a tier sorted."""
        return tuple(tuple(sorted(names[i] for i in tier)) for tier in self.tiers)

    def scored(self, names: Sequence[str]) -> dict[str, float]:
        """Return the scores by name."""
        return {a: float(s) for a, s in zip(names, self.scores, strict=True)}


Method = Callable[[Election], Order]
"""From ballots to an order. Raises `Inapplicable` where they do not hold what it needs."""


def by_score(scores: NDArray[Any]) -> tuple[tuple[int, ...], ...]:
    """Return the tiers of exact scores, the highest first; equal numbers are level."""
    levels = sorted(set(scores.tolist()), reverse=True)
    return tuple(tuple(np.flatnonzero(scores == level).tolist()) for level in levels)


def levels_of(tiers: Sequence[Sequence[int]], alternatives: int) -> NDArray[np.int64]:
    """Return the number of the tier of each alternative, 0 the best, shape (m,).

    Raises:
        ValueError: if the tiers leave an alternative out.
    """
    made = np.full(alternatives, -1, dtype=np.int64)
    for level, tier in enumerate(tiers):
        made[list(tier)] = level
    if (made < 0).any():
        raise ValueError("an order leaves an alternative out")
    return made


def share_below(tiers: tuple[tuple[int, ...], ...]) -> NDArray[np.float64]:
    """Return the share of the others that each alternative is ranked above, for want of a score."""
    m = sum(map(len, tiers))
    scores = np.zeros(m)
    left = m
    for tier in tiers:
        left -= len(tier)
        scores[list(tier)] = left / max(1, m - 1)
    return scores
