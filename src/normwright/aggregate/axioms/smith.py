"""Smith: the winners lie in the smallest set whose members beat everything outside it."""

from __future__ import annotations

import numpy as np

from normwright.aggregate.axioms import LIMIT
from normwright.aggregate.axioms.changes import said, witness
from normwright.aggregate.election import Election
from normwright.aggregate.majority import smith_set
from normwright.aggregate.methods import Method
from normwright.plugins import Card, plugin
from normwright.records import Witness

CARD = Card(
    name="smith",
    kind="axioms",
    summary="Every winner is in the smallest set whose members each beat everything outside it.",
    reference="Smith, Aggregation of preferences with variable electorate, Econometrica 41, 1973",
    status="tested",
)


@plugin(CARD)
def smith(
    method: Method, election: Election, rng: np.random.Generator, *, limit: int = LIMIT
) -> Witness | None:
    """Return a winner outside the Smith set."""
    inside = smith_set(election.margins)
    if len(inside) == len(election.alternatives):
        return None
    order = method(election)
    outside = sorted(set(order.tiers[0]) - set(inside))
    if not outside:
        return None
    detail = (
        f"{said(outside, election)} wins, although more voters put each of "
        f"{said(inside, election)} above it than below."
    )
    return witness(
        CARD.name, detail, election, order, smith=[election.alternatives[a] for a in inside]
    )
