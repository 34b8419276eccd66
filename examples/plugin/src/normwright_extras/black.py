"""Black's method: the Condorcet winner if there is one, else Borda's order."""

from __future__ import annotations

import numpy as np

from normwright.aggregate import Election, Order, by_score
from normwright.plugins import Card, plugin

CARD = Card(
    name="black",
    kind="methods",
    summary="Ranks a Condorcet winner first, and the rest by Borda's count.",
    reference="Black, The Theory of Committees and Elections, Cambridge University Press, 1958",
    claims=("anonymity", "neutrality", "homogeneity", "condorcet"),
    takes="pairs",
    status="tested",
)


@plugin(CARD)
def black(election: Election) -> Order:
    """Return Borda's order, with whoever beats all others moved to the front (Black, 1958).

    Args:
        election: the ballots; only who is above whom how often is read.
    """
    margins = election.margins
    # Whole numbers decide the tiers: a Condorcet winner is put above every possible count.
    net = margins.sum(axis=1)
    beats_all = (margins > 0).sum(axis=1) == len(margins) - 1
    scores = np.where(beats_all, np.abs(net).max(initial=0) + 1, net)
    return Order(tiers=by_score(scores), scores=scores.astype(np.float64))
