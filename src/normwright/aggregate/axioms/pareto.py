"""Pareto: nothing wins that every voter puts below the same other alternative."""

from __future__ import annotations

import numpy as np

from normwright.aggregate.axioms import LIMIT
from normwright.aggregate.axioms.changes import said, witness
from normwright.aggregate.election import Election
from normwright.aggregate.methods import Method
from normwright.plugins import Card, plugin
from normwright.records import Witness

CARD = Card(
    name="pareto",
    kind="axioms",
    summary="No alternative wins that every voter puts below one and the same other.",
    reference="Arrow, Social Choice and Individual Values, Wiley, 1951",
    status="tested",
)


@plugin(CARD)
def pareto(
    method: Method, election: Election, rng: np.random.Generator, *, limit: int = LIMIT
) -> Witness | None:
    """Return a winner that everybody puts below another alternative."""
    wins = election.wins
    dominated = wins == election.voters
    if not election.voters or not dominated.any():
        return None
    order = method(election)
    for winner in order.tiers[0]:
        above = np.flatnonzero(dominated[:, winner])
        if above.size:
            better, worse = said([int(above[0])], election), said([winner], election)
            detail = f"Every voter puts {better} above {worse}, and {worse} wins."
            return witness(CARD.name, detail, election, order)
    return None
