"""Minimax by margins: the alternative whose worst defeat is the smallest."""

from __future__ import annotations

import numpy as np

from normwright.aggregate.election import Election
from normwright.aggregate.methods import Order, by_score
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="minimax",
    kind="methods",
    summary="Ranks by the worst duel of each alternative, by margin (not by winning votes).",
    reference="Simpson, On defining areas of voter choice, Quarterly J. of Economics 83, 1969; "
    "Kramer, J. of Economic Theory 16, 1977",
    claims=(
        "anonymity",
        "neutrality",
        "homogeneity",
        "condorcet",
        "pareto",
        "majority",
        "monotonicity",
        "coalition-monotonicity",
    ),
    denies=(
        Denial(
            axiom="condorcet-loser",
            source="Fishburn, SIAM J. Applied Mathematics 33, 1977; these ballots by search",
            ballots=(
                "8: A > B > D > C",
                "4: C > B > D > A",
                "4: C > D > B > A",
                "2: D > A > B > C",
            ),
        ),
        Denial(
            axiom="iia",
            source="Arrow, Social Choice and Individual Values, 1951; these ballots by search",
            ballots=("2: A > B > C", "2: C > A > B", "1: B > C > A"),
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
                "3: B > D > A > C",
                "2: A > C > B > D",
                "2: A > C > D > B",
                "2: C > D > B > A",
                "2: D > A > B > C",
            ),
        ),
        Denial(
            axiom="reinforcement",
            source="Young, SIAM J. on Applied Mathematics 28, 1975; these ballots by search",
            ballots=("1: A > B > C", "1: A > C > B", "1: B > A > C", "1: C > B > A"),
        ),
        Denial(
            axiom="reversal-symmetry",
            source="Saari, Basic Geometry of Voting, 1995; these ballots by search",
            ballots=(
                "4: E > B > C > A > D",
                "3: A > E > D > C > B",
                "3: C > D > B > E > A",
                "1: D > B > C > A > E",
            ),
        ),
        Denial(
            axiom="smith",
            source="Fishburn, SIAM J. Applied Mathematics 33, 1977; these ballots by search",
            ballots=(
                "8: A > B > D > C",
                "4: C > B > D > A",
                "4: C > D > B > A",
                "2: D > A > B > C",
            ),
        ),
        Denial(
            axiom="strategy-proofness",
            source="Gibbard, Econometrica 41, 1973; these ballots by search",
            ballots=("2: A > B > C", "1: B > A > C", "1: C > B > A"),
        ),
    ),
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
