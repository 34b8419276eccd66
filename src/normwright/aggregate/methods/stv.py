"""The single transferable vote, here for one seat; for several it is a slate rule."""

from __future__ import annotations

from dataclasses import replace

from normwright.aggregate.election import Election
from normwright.aggregate.methods import Order
from normwright.aggregate.methods.irv import CARD as IRV
from normwright.aggregate.methods.irv import order_of
from normwright.aggregate.transfer import Box, Round, runoff
from normwright.plugins import Card, plugin

CARD = Card(
    name="stv",
    kind="methods",
    summary="With one seat this is instant runoff: the same order, told with quota and rounds.",
    reference="Tideman, The single transferable vote, J. Economic Perspectives 9, 1995; Droop "
    "quota, weighted inclusive Gregory",
    claims=IRV.claims,
    denies=IRV.denies,
    takes="orders",
    status="tested",
)


@plugin(CARD)
def stv(election: Election) -> Order:
    """Return the order of instant runoff, with the rounds of a count for one seat.

    That count ends once somebody has the quota, more than half of the ballots. With one seat no
    surplus is worth moving, so winners and order are those of `irv`; for several seats choose the
    slate rule of this name.

    Raises:
        Inapplicable: as for `irv`.
    """
    names = election.alternatives
    box = Box.of(election, "stv")
    seen = runoff(box, what="stv")
    order = order_of(seen, names)
    quota = box.votes // 2 + 1
    rounds = [one.told(names) for one in _until(quota, seen.rounds)]
    return replace(order, facts={**order.facts, "quota": quota, "rounds": rounds})


def _until(quota: int, rounds: tuple[Round, ...]) -> list[Round]:
    """The rounds up to that in which somebody has the quota, and is elected."""
    made: list[Round] = []
    for one in rounds:
        over = tuple(c for c, votes in zip(one.left, one.votes, strict=True) if votes >= quota)
        if over:
            return [*made, replace(one, eliminated=(), elected=over, parts=False)]
        made.append(one)
    return made
