"""The single transferable vote, here for one seat; for several it is a slate rule."""

from __future__ import annotations

from dataclasses import replace

from normwright.aggregate.election import Election
from normwright.aggregate.methods import Order
from normwright.aggregate.methods.irv import CARD as IRV
from normwright.aggregate.methods.irv import irv
from normwright.aggregate.transfer import Box, transfer
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
    order = irv(election)
    names = election.alternatives
    if not names:
        return order
    seen = transfer(Box.of(election, "stv"), seats=1)
    facts = {
        **order.facts,
        "quota": seen.quota,
        "rounds": [one.told(names) for one in seen.rounds],
        "rounds_elect": [names[c] for c in seen.members],
    }
    return replace(order, facts=facts)
