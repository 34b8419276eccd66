"""Condorcet loser: what every other alternative beats by a majority does not win."""

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
    name="condorcet-loser",
    kind="axioms",
    summary="What more voters put below than above each other alternative never wins.",
    reference="Fishburn, Condorcet social choice functions, SIAM J. Applied Mathematics 33, 1977",
    status="tested",
)


@plugin(CARD)
def condorcet_loser(
    method: Method, election: Election, rng: np.random.Generator, *, limit: int = LIMIT
) -> Witness | None:
    """Return the Condorcet loser that wins, alone or with others."""
    worst = condorcet_winner(-election.margins)
    if worst is None or len(election.alternatives) < 2:
        return None
    order = method(election)
    if worst not in order.tiers[0]:
        return None
    name = said([worst], election)
    detail = f"More voters put {name} below each other alternative than above it, and it wins."
    return witness(CARD.name, detail, election, order)
