"""Condorcet: what beats every other alternative by a majority wins alone."""

from __future__ import annotations

import numpy as np

from normwright.aggregate.axioms import LIMIT
from normwright.aggregate.axioms.changes import said, witness
from normwright.aggregate.election import Election
from normwright.aggregate.majority import condorcet_winner
from normwright.aggregate.methods import Method
from normwright.plugins import Card, plugin
from normwright.records import Witness

CARD = Card(
    name="condorcet",
    kind="axioms",
    summary="What more voters put above than below each other alternative is the only winner.",
    reference="Fishburn, Condorcet social choice functions, SIAM J. Applied Mathematics 33, 1977",
    status="tested",
)


@plugin(CARD)
def condorcet(
    method: Method, election: Election, rng: np.random.Generator, *, limit: int = LIMIT
) -> Witness | None:
    """Return the Condorcet winner that does not win alone."""
    best = condorcet_winner(election.margins)
    if best is None:
        return None
    order = method(election)
    if order.tiers[0] == (best,):
        return None
    detail = (
        f"More voters put {said([best], election)} above each other alternative than below it, "
        f"and the winners are {said(order.tiers[0], election)}."
    )
    return witness(CARD.name, detail, election, order)
