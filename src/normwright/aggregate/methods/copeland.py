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
        "majority",
        "monotonicity",
        "coalition-monotonicity",
    ),
    denies=(
        Denial(
            axiom="clones",
            source="Tideman, Social Choice and Welfare 4, 1987; these ballots by search",
            ballots=("1: A > B > C", "1: B > A > C"),
        ),
        Denial(
            axiom="iia",
            source="Arrow, Social Choice and Individual Values, 1951; these ballots by search",
            ballots=(
                "4: C > A > B > D",
                "3: B > D > C > A",
                "2: A > B > D > C",
                "1: D > A > C > B",
            ),
        ),
        Denial(
            axiom="later-no-harm",
            source="Woodall, Discrete Applied Mathematics 77, 1997; these ballots by search",
            ballots=("2: A > B > C", "2: C > B > A", "1: B > A > C"),
        ),
        Denial(
            axiom="participation",
            source="Moulin, J. Economic Theory 45, 1988; these ballots by search",
            ballots=(
                "5: A > D > C > E > B",
                "4: B > A > E > D > C",
                "3: D > B > A > C > E",
                "3: E > D > C > B > A",
                "2: E > D > A > B > C",
            ),
        ),
        Denial(
            axiom="reinforcement",
            source="Young, SIAM J. on Applied Mathematics 28, 1975; these ballots by search",
            ballots=("2: A > B > C", "1: B > A > C", "1: B > C > A"),
        ),
        Denial(
            axiom="strategy-proofness",
            source="Gibbard, Econometrica 41, 1973; these ballots by search",
            ballots=("1: A > B > C", "1: B > A > C"),
        ),
    ),
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
