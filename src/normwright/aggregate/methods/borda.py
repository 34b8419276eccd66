"""Borda's count with symmetric completion: an unranked pair is worth one half to either side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.methods import Order
from normwright.plugins import Card, plugin

CARD = Card(
    name="borda",
    kind="methods",
    summary="Ranks by the mean share of others an alternative is put above.",
    reference="Young, An axiomatization of Borda's rule, J. Economic Theory 9, 1974",
    claims=("anonymity", "neutrality", "homogeneity", "reversal-symmetry"),
    status="tested",
)


@plugin(CARD)
def borda(wins: NDArray[np.int64], voters: int) -> Order:
    """Return the order by Borda score (Borda, 1781; for partial orders: Young, 1974).

    A voter who does not rank both of two alternatives counts as if every completion of the ballot
    were equally likely, that is half to each; so an alternative few have seen is drawn towards the
    middle, never to the bottom. The score is the mean share of others an alternative is put above.

    Args:
        wins: shape (m, m), voters who put i above j.
        voters: number of ballots.
    """
    # Whole numbers decide the tiers, so that rounding can neither make nor break a tie.
    net = wins.sum(axis=1) - wins.sum(axis=0)
    tiers = tuple(
        tuple(np.flatnonzero(net == value).tolist()) for value in sorted(set(net.tolist()))[::-1]
    )
    pairs = max(1, voters) * max(1, len(wins) - 1)
    return Order(tiers=tiers, scores=0.5 + net / (2 * pairs))
