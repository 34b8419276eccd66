"""Participation: nobody gets what they prefer by staying at home."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from normwright.aggregate.axioms import LIMIT
from normwright.aggregate.axioms.changes import (
    Move,
    can_gain,
    changed,
    people,
    prefers,
    rows_of,
    said,
    standing,
    told,
    voter_rows,
    with_first,
    witness,
)
from normwright.aggregate.axioms.coalitions import likeliest_pairs, smallest
from normwright.aggregate.election import Election
from normwright.aggregate.methods import Method
from normwright.plugins import Card, plugin
from normwright.records import Witness

CARD = Card(
    name="participation",
    kind="axioms",
    summary="No voters get winners that all of them prefer by staying at home.",
    reference="Moulin, Condorcet's principle implies the no show paradox, J. Econ. Theory 45, 1988",
    status="tested",
)


@plugin(CARD)
def participation(
    method: Method, election: Election, rng: np.random.Generator, *, limit: int = LIMIT
) -> Witness | None:
    """Return the fewest voters who all prefer what wins without them.

    Of sets of winners they prefer one whose best and whose worst are no worse, one of them better.
    Where not every set of voters can be tried, those of one ballot are, and those of several who
    prefer the same other alternative, all of them or those with the same first place.
    """
    before = voter_rows(election, CARD.name)
    order = method(before)
    rows, counts = rows_of(before), before.counts.tolist()
    stand = [standing(row, before) for row in rows]
    winners, everybody = order.tiers[0], before.voters

    def test(moves: Sequence[Move]) -> Witness | None:
        size = sum(move.voters for move in moves)
        if size == everybody:
            return None
        after = changed(before, moves)
        again = method(after)
        if not all(prefers(stand[move.row], again.tiers[0], winners) for move in moves):
            return None
        detail = (
            f"{said(winners, before)} {'wins' if len(winners) == 1 else 'win'}; without "
            f"{people(size)}, who all prefer that, "
            f"{said(again.tiers[0], after)} {'wins' if len(again.tiers[0]) == 1 else 'win'}."
        )
        return witness(
            CARD.name, detail, before, order, after, again,
            coalition=size, share=size / everybody, moves=told(moves, before),
        )  # fmt: skip

    def groups() -> Iterator[list[Move]]:
        """Who prefers another: all of them, or those who put one and the same alternative first."""
        losers = [a for tier in order.tiers[1:] for a in tier]
        for target in losers:
            happier = [i for i, s in enumerate(stand) if prefers(s, (target,), winners)]
            gap = {i: (s[winners[0]] - s[target]) if (s := stand[i]) else 0 for i in happier}
            for sign in (-1, 1):
                ordered = sorted(happier, key=lambda i: (sign * gap[i], i))
                yield [Move(i, counts[i], None) for i in ordered]
        for target, top in likeliest_pairs(losers):
            alike = [i for i in with_first(rows, top) if prefers(stand[i], (target,), winners)]
            alike.sort(key=lambda i: (-counts[i], rows[i].levels))
            yield [Move(i, counts[i], None) for i in alike]

    options = [[None] if can_gain(s, winners) else [] for s in stand]
    return smallest(counts, options, test, groups=groups, rng=rng, limit=limit)
