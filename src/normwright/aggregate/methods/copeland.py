"""Copeland's method: how many others a majority puts an alternative above."""

from __future__ import annotations

from normwright.aggregate.election import Election
from normwright.aggregate.methods import Order, by_score
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="copeland",
    kind="methods",
    summary="Ranks by duels won, a drawn duel being worth half of one.",
    reference="Copeland, A reasonable social welfare function, seminar paper, Univ. of Michigan, "
    "1951",
    claims=(
        "anonymity",
        "neutrality",
        "homogeneity",
        "reversal-symmetry",
        "condorcet",
        "condorcet-loser",
        "smith",
        "pareto",
        "monotonicity",
        "majority",
    ),
    denies=(),
    takes="pairs",
    status="tested",
)


@plugin(CARD)
def copeland(election: Election) -> Order:
    """Return the order by duels won (Llull, 1299; Copeland, 1951), draws worth one half.

    An alternative wins the duel with another where more voters put it above that one than below.
    How large a majority is counts for nothing, so ties are frequent. The score is the share of the
    others beaten, a draw being half of one.
    """
    margins = election.margins
    m = len(margins)
    points = 2 * (margins > 0).sum(axis=1) + (margins == 0).sum(axis=1) - 1
    return Order(tiers=by_score(points), scores=points / (2 * max(1, m - 1)))
