"""Strategy-proofness: no voters get what all of them prefer by ballots they do not mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from normwright.aggregate.axioms import LIMIT
from normwright.aggregate.axioms.changes import (
    Move,
    Row,
    can_gain,
    changed,
    every_row,
    graded,
    of_tiers,
    people,
    prefers,
    rows_of,
    said,
    standing,
    tiers_of,
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
    name="strategy-proofness",
    kind="axioms",
    summary="No voters get winners that all of them prefer by voting what they do not mean.",
    reference="Gibbard, Manipulation of voting schemes, Econometrica 41, 1973; "
    "Satterthwaite, J. Economic Theory 10, 1975",
    status="tested",
)
_WHOLE = 4
"""Alternatives up to which every ballot without ties is a lie that may be told."""


@plugin(CARD)
def strategy_proofness(
    method: Method, election: Election, rng: np.random.Generator, *, limit: int = LIMIT
) -> Witness | None:
    """Return the fewest voters who, all voting otherwise, get what all of them prefer.

    Of sets of winners they prefer one whose best and whose worst are no worse, one of them better.
    Where not every joint lie can be tried, voters of one ballot tell the same one, and those who
    prefer the same other alternative put it first, with the winners last or where they were: all of
    them, or those with the same first place. Those who put it first already put another there.
    """
    before = voter_rows(election, CARD.name)
    order = method(before)
    rows, counts = rows_of(before), before.counts.tolist()
    stand = [standing(row, before) for row in rows]
    winners = order.tiers[0]

    def test(moves: Sequence[Move]) -> Witness | None:
        after = changed(before, moves)
        again = method(after)
        if not all(prefers(stand[move.row], again.tiers[0], winners) for move in moves):
            return None
        size = sum(move.voters for move in moves)
        detail = (
            f"{said(winners, before)} {'wins' if len(winners) == 1 else 'win'}; {people(size)} who "
            f"prefer {said(again.tiers[0], after)} vote otherwise, and get it."
        )
        return witness(
            CARD.name, detail, before, order, after, again,
            coalition=size, share=size / before.voters, moves=told(moves, before),
        )  # fmt: skip

    def lying(target: int, raised: int, buried: Sequence[int], among: Sequence[int]) -> list[Move]:
        happier = [i for i in among if prefers(stand[i], (target,), winners)]
        happier.sort(key=lambda i: (-(stand[i] or [0])[target], -counts[i], rows[i].levels))
        lies = [(i, lie(rows[i], raised, buried, before)) for i in happier]
        return [Move(i, counts[i], new) for i, new in lies if new != rows[i]]

    def groups() -> Iterator[list[Move]]:
        """Who prefers another puts it first; or its friends put a weaker rival first."""
        losers = [a for tier in order.tiers[1:] for a in tier]
        for target in losers:
            for buried in (winners, ()):
                yield lying(target, target, buried, range(len(rows)))
        for target, top in likeliest_pairs(losers):
            yield lying(target, target, (), with_first(rows, top))
            yield lying(target, top, (), with_first(rows, target))

    whole = list(every_row(before)) if len(before.alternatives) <= _WHOLE else []
    options = [
        [new for new in whole if new != row] if can_gain(s, winners) else []
        for row, s in zip(rows, stand, strict=True)
    ]
    return smallest(counts, options, test, groups=groups, rng=rng, limit=limit, whole=bool(whole))


def lie(row: Row, target: int, buried: Sequence[int], election: Election) -> Row:
    """Return the ballot with one alternative first, some last, the others as they were."""
    if row.grades is not None:
        best = max(int(election.grades.max()), 1) if election.grades is not None else 1
        made = [0 if a in buried else grade for a, grade in enumerate(row.grades)]
        made[target] = best
        return graded(tuple(made))
    moved = {target, *buried}
    rest = [tuple(a for a in tier if a not in moved) for tier in tiers_of(row)]
    return of_tiers([(target,), *(t for t in rest if t), tuple(buried)], len(row.levels))
