"""Later-no-harm: what a voter adds further down harms nothing they ranked above it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from normwright.aggregate.axioms import LIMIT
from normwright.aggregate.axioms.changes import (
    Move,
    Row,
    changed,
    of_tiers,
    people,
    rows_of,
    said,
    tiers_of,
    told,
    voter_rows,
    witness,
)
from normwright.aggregate.axioms.coalitions import alike
from normwright.aggregate.election import Election, Inapplicable
from normwright.aggregate.methods import Method
from normwright.plugins import Card, plugin
from normwright.records import Witness

CARD = Card(
    name="later-no-harm",
    kind="axioms",
    summary="Ranking more alternatives below does not keep one ranked above from winning.",
    reference="Woodall, Properties of preferential election rules, Voting matters 3, 1994",
    status="tested",
)


@plugin(CARD)
def later_no_harm(
    method: Method, election: Election, rng: np.random.Generator, *, limit: int = LIMIT
) -> Witness | None:
    """Return the fewest voters of one ballot whose lower places keep a higher one from winning.

    They end their ballot earlier, and something that they still rank wins that did not before. What
    a ballot leaves out has to count as last. Ballots of grades say nothing of later places.

    Raises:
        Inapplicable: for grades, or where what is left out is not compared.
    """
    before = voter_rows(election, CARD.name)
    if before.grades is not None or before.unranked == "apart":
        raise Inapplicable.because(
            CARD.name, "orders in which what is left out counts as last",
            "ballots that leave out what is not compared" if before.grades is None else "grades",
        )  # fmt: skip
    order = method(before)
    rows, counts = rows_of(before), before.counts.tolist()

    def test(moves: Sequence[Move]) -> Witness | None:
        (move,) = moves
        after = changed(before, moves)
        again = method(after)
        kept = (
            {a for a, level in enumerate(move.instead.levels) if level >= 0} if move.instead else ()
        )
        gained = sorted(set(again.tiers[0]) & set(kept) - set(order.tiers[0]))
        if not gained:
            return None
        detail = (
            f"{said(order.tiers[0], before)} {'wins' if len(order.tiers[0]) == 1 else 'win'}; if "
            f"{people(move.voters)} who rank {said(gained, before)} rank nothing further down, "
            f"{said(again.tiers[0], after)} {'wins' if len(again.tiers[0]) == 1 else 'win'}."
        )
        return witness(
            CARD.name, detail, before, order, after, again,
            alternative=said(gained, before), coalition=move.voters,
            share=move.voters / before.voters, moves=told(moves, before),
        )  # fmt: skip

    found = alike(counts, [_shorter(row) for row in rows], test, rng, limit)
    return None if found is None else found.witness


def _shorter(row: Row) -> list[Row]:
    """The same ballot ended earlier, after each of its tiers but the last two that say the same."""
    tiers = tiers_of(row)
    return [of_tiers(tiers[:n], len(row.levels)) for n in range(len(tiers) - 1, 0, -1)]
