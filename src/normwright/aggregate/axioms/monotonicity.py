"""Monotonicity: a winner that like voters lift stays a winner."""

from __future__ import annotations

import numpy as np

from normwright.aggregate.axioms import LIMIT
from normwright.aggregate.axioms.changes import lifts, rows_of, voter_rows
from normwright.aggregate.axioms.coalitions import alike
from normwright.aggregate.axioms.lifting import breach
from normwright.aggregate.election import Election
from normwright.aggregate.methods import Method
from normwright.plugins import Card, plugin
from normwright.records import Witness

CARD = Card(
    name="monotonicity",
    kind="axioms",
    summary="A winner stays one if voters of one ballot lift it alike and change nothing else.",
    reference="Smith, Aggregation of preferences with variable electorate, Econometrica 41, 1973",
    status="tested",
)


@plugin(CARD)
def monotonicity(
    method: Method, election: Election, rng: np.random.Generator, *, limit: int = LIMIT
) -> Witness | None:
    """Return the fewest voters of one ballot who lift a winner alike, so that it wins no more.

    Of several winners each has to stay one.
    """
    before = voter_rows(election, CARD.name)
    order = method(before)
    rows, counts = rows_of(before), before.counts.tolist()
    best = None
    for winner in order.tiers[0]:
        options = [lifts(row, winner, before) for row in rows]
        test = breach(CARD.name, method, before, order, winner)
        found = alike(counts, options, test, rng, max(1, limit // len(order.tiers[0])))
        if found is not None and (best is None or found.size < best.size):
            best = found
    return None if best is None else best.witness
