"""Schulze's method: beat paths as strong as their weakest link."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import Election
from normwright.aggregate.methods import Order
from normwright.plugins import Card, plugin

CARD = Card(
    name="schulze",
    kind="methods",
    summary="Ranks by beat paths, each as strong as its weakest link.",
    reference="Schulze, A new monotonic ... election method, Social Choice and Welfare 36, 2011",
    claims=("anonymity", "neutrality", "homogeneity", "reversal-symmetry", "condorcet"),
    takes="pairs",
    status="tested",
)


@plugin(CARD)
def schulze(election: Election) -> Order:
    """Return the order by beat paths (Schulze, Social Choice and Welfare 36, 2011).

    A link i -> j exists where more voters put i above j than the reverse, and is as strong as the
    number of those voters (winning votes). The first tier holds every potential winner; the next
    every one that only those before beat, and so on. The score is the share of others beaten.
    """
    wins = election.wins
    strongest = paths(wins)
    beats = strongest > strongest.T
    left = np.arange(len(wins))
    tiers = []
    while left.size:
        unbeaten = ~beats[np.ix_(left, left)].any(axis=0)
        tiers.append(tuple(left[unbeaten].tolist()))
        left = left[~unbeaten]
    scores = beats.sum(axis=1) / max(1, len(wins) - 1)
    return Order(tiers=tuple(tiers), scores=scores)


def paths(wins: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the strength of the strongest path between any two, shape (m, m); O(m^3)."""
    strength = np.where(wins > wins.T, wins, 0)
    for k in range(len(wins)):
        through = np.minimum(strength[:, k, None], strength[None, k, :])
        np.maximum(strength, through, out=strength)
    return strength
