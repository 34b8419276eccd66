"""Coalition monotonicity: a winner that any voters lift stays a winner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from normwright.aggregate.axioms import LIMIT
from normwright.aggregate.axioms.changes import Move, Row, lifts, rows_of, voter_rows
from normwright.aggregate.axioms.coalitions import smallest
from normwright.aggregate.axioms.lifting import breach
from normwright.aggregate.election import Election
from normwright.aggregate.methods import Method, Order
from normwright.plugins import Card, plugin
from normwright.records import Witness

CARD = Card(
    name="coalition-monotonicity",
    kind="axioms",
    summary="A winner stays one if any voters lift it, each as they like, and change nothing else.",
    reference="Fishburn, Monotonicity paradoxes, Discrete Applied Mathematics 4, 1982",
    status="tested",
)
_CELLS = 500_000
"""Places in all lifted ballots up to which every lift is tried."""


@plugin(CARD)
def coalition_monotonicity(
    method: Method, election: Election, rng: np.random.Generator, *, limit: int = LIMIT
) -> Witness | None:
    """Return the fewest voters who lift a winner, so that it wins no more.

    Of several winners each has to stay one. Where not every set of voters can be tried, those of
    one ballot are, and those who put the same other alternative first: what runs from round to
    round turns on them.
    """
    before = voter_rows(election, CARD.name)
    order = method(before)
    rows, counts = rows_of(before), before.counts.tolist()
    # Of long ballots in great number only the lift to the very top is tried.
    whole = len(rows) * len(before.alternatives) ** 2 <= _CELLS
    best = None
    for winner in order.tiers[0]:
        options = [lifts(row, winner, before, top=not whole) for row in rows]
        found = smallest(
            counts,
            options,
            breach(CARD.name, method, before, order, winner),
            groups=partial(_rivals, rows, counts, options, order, winner),
            rng=rng,
            limit=max(1, limit // len(order.tiers[0])),
            whole=whole,
        )
        if found is not None and (best is None or found.data["coalition"] < best.data["coalition"]):
            best = found
    return best


def _rivals(
    rows: Sequence[Row],
    counts: Sequence[int],
    options: Sequence[Sequence[Row]],
    order: Order,
    winner: int,
) -> Iterator[list[Move]]:
    """Those who put each other alternative first lift the winner to the top, its friends first."""
    for rival in (a for tier in order.tiers for a in tier if a != winner):
        moves = [
            Move(i, counts[i], options[i][0])
            for i, row in enumerate(rows)
            if row.levels[rival] == _top(row) and options[i]
        ]
        yield sorted(moves, key=lambda move: (rows[move.row].levels[winner], move.row))


def _top(row: Row) -> int:
    return min(level for level in row.levels if level >= 0)
