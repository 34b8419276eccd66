"""Majority: what more than half of the voters put first, alone, wins alone."""

from __future__ import annotations

import numpy as np

from normwright.aggregate.axioms import LIMIT
from normwright.aggregate.axioms.changes import said, standing_first, voter_rows, witness
from normwright.aggregate.election import Election
from normwright.aggregate.methods import Method
from normwright.plugins import Card, plugin
from normwright.records import Witness

CARD = Card(
    name="majority",
    kind="axioms",
    summary="What more than half of the voters put first, alone, is the only winner.",
    reference="Tideman, Collective Decisions and Voting, Ashgate, 2006",
    status="tested",
)


@plugin(CARD)
def majority(
    method: Method, election: Election, rng: np.random.Generator, *, limit: int = LIMIT
) -> Witness | None:
    """Return the alternative that a majority puts first and that does not win alone."""
    ballots = voter_rows(election, CARD.name)
    firsts = standing_first(ballots)
    ahead = np.flatnonzero(2 * firsts > ballots.voters).tolist()
    if not ahead:
        return None
    order = method(ballots)
    if order.tiers[0] == tuple(ahead):
        return None
    detail = (
        f"{int(firsts[ahead[0]])} of {ballots.voters} voters put {said(ahead, ballots)} first, "
        f"and {said(order.tiers[0], ballots)} {'wins' if len(order.tiers[0]) == 1 else 'win'}."
    )
    return witness(CARD.name, detail, ballots, order)
