"""Minimax by margins: the alternative whose worst defeat is the smallest."""

from __future__ import annotations

import numpy as np

from normwright.aggregate.election import Election
from normwright.aggregate.methods import Order, by_score
from normwright.plugins import Card, plugin

CARD = Card(
    name="minimax",
    kind="methods",
    summary="Ranks by the worst duel of each alternative, by margin (not by winning votes).",
    reference="Simpson, On defining areas of voter choice, Quarterly J. of Economics 83, 1969; "
    "Kramer, J. of Economic Theory 16, 1977",
    claims=(),
    takes="pairs",
    status="tested",
)


@plugin(CARD)
def minimax(election: Election) -> Order:
    """Return the order by the worst duel of each (Simpson, 1969; Kramer, 1977).

    A duel is measured by its margin: voters who put the one above less those who put the other
    above. Minimax by winning votes is another rule; the two are the same where every voter ranks
    every alternative without ties. The score is one half plus half of the worst margin as a share
    of the voters, so that it is above one half for a Condorcet winner and for nobody else.
    """
    margins = election.margins
    others = np.where(np.eye(len(margins), dtype=bool), np.iinfo(np.int64).max, margins)
    worst = others.min(axis=1) if len(margins) > 1 else np.zeros(len(margins), dtype=np.int64)
    return Order(tiers=by_score(worst), scores=0.5 + worst / (2 * max(1, election.voters)))
