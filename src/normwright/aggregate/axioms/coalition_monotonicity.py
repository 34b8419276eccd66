"""Coalition monotonicity: a winner that any voters lift stays a winner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from normwright.aggregate.axioms import LIMIT
from normwright.aggregate.axioms.changes import (
    Move,
    Row,
    lifts,
    rows_of,
    standing,
    voter_rows,
    with_first,
)
from normwright.aggregate.axioms.coalitions import likeliest_pairs, smallest
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
    one ballot are, and those of several who put the same rival first: what runs from round to round
    turns on them, and a rival that goes earlier may leave one who beats the winner.
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
            groups=partial(_rivals, before, rows, order, winner),
            rng=rng,
            limit=max(1, limit // len(order.tiers[0])),
            whole=whole,
        )
        if found is not None and (best is None or found.data["coalition"] < best.data["coalition"]):
            best = found
    return best


def _rivals(
    before: Election, rows: Sequence[Row], order: Order, winner: int
) -> Iterator[list[Move]]:
    """Those who put one rival first lift the winner to the top, so that another is left to beat it.

    They come in the sequence that helps the winner least against that other: first those who put it
    above the other as it is, then those who compare them not, then the rest.
    """
    counts = before.counts.tolist()
    stand = [standing(row, before) for row in rows]
    top = [lifts(row, winner, before, top=True) for row in rows]
    others = [a for tier in order.tiers for a in tier if a != winner]
    for rival, other in likeliest_pairs(others):
        gain = {i: _gain(stand[i], winner, other) for i in with_first(rows, rival) if top[i]}
        ordered = sorted(gain, key=lambda i: (gain[i], -counts[i], rows[i].levels))
        yield [Move(i, counts[i], top[i][0]) for i in ordered]


def _gain(stand: Sequence[int] | None, winner: int, other: int) -> int:
    """What a lift to the top wins in the duel with another: nothing, one voter, or a turned one."""
    if stand is None:
        return 1
    return 0 if stand[winner] < stand[other] else 1 if stand[winner] == stand[other] else 2
