"""A winner that is lifted on some ballots: whether it still wins."""

from __future__ import annotations

from collections.abc import Sequence

from normwright.aggregate.axioms.changes import Move, changed, people, said, told, witness
from normwright.aggregate.axioms.coalitions import Test
from normwright.aggregate.election import Election
from normwright.aggregate.methods import Method, Order
from normwright.records import Witness


def breach(axiom: str, method: Method, before: Election, order: Order, winner: int) -> Test:
    """Return the test whether a winner, lifted by some voters, wins no more."""

    def test(moves: Sequence[Move]) -> Witness | None:
        after = changed(before, moves)
        again = method(after)
        if winner in again.tiers[0]:
            return None
        size = sum(move.voters for move in moves)
        name = said([winner], before)
        verb = "lifts" if size == 1 else "lift"
        detail = (
            f"{name} wins; {people(size)} {verb} it and change nothing else; "
            f"then {said(again.tiers[0], after)} {'wins' if len(again.tiers[0]) == 1 else 'win'}."
        )
        return witness(
            axiom, detail, before, order, after, again,
            alternative=name, coalition=size, share=size / before.voters,
            moves=told(moves, before),
        )  # fmt: skip

    return test
