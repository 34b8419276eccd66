"""Schulze's method: beat paths as strong as their weakest link."""

from __future__ import annotations

import numpy as np

from normwright.aggregate.election import Election
from normwright.aggregate.majority import by_layers, strongest_paths
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
    strongest = strongest_paths(np.where(wins > wins.T, wins, 0))
    beats = strongest > strongest.T
    return Order(tiers=by_layers(beats), scores=beats.sum(axis=1) / max(1, len(wins) - 1))
