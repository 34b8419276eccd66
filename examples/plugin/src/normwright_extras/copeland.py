"""Copeland's method: count the majority contests an alternative wins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate import Order
from normwright.plugins import Card, plugin

CARD = Card(
    name="copeland",
    kind="methods",
    summary="Ranks by majority contests won, a tied contest counting half.",
    reference="Copeland, A reasonable social welfare function, University of Michigan, 1951",
    claims=("anonymity", "neutrality", "homogeneity", "reversal-symmetry", "condorcet"),
    status="tested",
)


@plugin(CARD)
def copeland(wins: NDArray[np.int64], voters: int) -> Order:
    """Return the order by contests won (Copeland, 1951; ties worth a half: Llull's rule).

    Whoever beats all others stands alone at the top. Nothing else of the margins counts, so that
    ties are frequent where alternatives are few.

    Args:
        wins: shape (m, m), voters who put i above j.
        voters: number of ballots; the method does not need it.
    """
    # Whole numbers decide the tiers: contests won less contests lost.
    net = np.sign(wins - wins.T).sum(axis=1)
    levels = sorted(set(net.tolist()), reverse=True)
    tiers = tuple(tuple(np.flatnonzero(net == level).tolist()) for level in levels)
    return Order(tiers=tiers, scores=0.5 + net / (2 * max(1, len(wins) - 1)))
