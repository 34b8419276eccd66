"""Schulze's method: beat paths as strong as their weakest link."""

from __future__ import annotations

import numpy as np

from normwright.aggregate.election import Election
from normwright.aggregate.majority import by_layers, strongest_paths
from normwright.aggregate.methods import Order
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="schulze",
    kind="methods",
    summary="Ranks by beat paths, each as strong as its weakest link.",
    reference="Schulze, A new monotonic, clone-independent, reversal symmetric, and "
    "Condorcet-consistent single-winner election method, Social Choice and Welfare 36, 2011",
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
        "clones",
    ),
    denies=(
        Denial(
            axiom="iia",
            source="Arrow, Social Choice and Individual Values, 1951; these ballots by search",
            ballots=("2: A > B > C", "2: C > A > B", "1: B > C > A"),
        ),
        Denial(
            axiom="later-no-harm",
            source="Woodall, Discrete Applied Mathematics 77, 1997; these ballots by search",
            ballots=(
                "3: A > B > C > D > E",
                "3: E > B > D > A > C",
                "2: C > D > A > E > B",
                "1: A > E > D > C > B",
                "1: B > C > D > E > A",
                "1: E > D > C > A > B",
            ),
        ),
        Denial(
            axiom="participation",
            source="Moulin, J. Economic Theory 45, 1988; these ballots by search",
            ballots=(
                "4: C > B > D > E > A",
                "4: D > E > C > B > A",
                "3: B > D > C > E > A",
                "3: B > E > C > A > D",
            ),
        ),
        Denial(
            axiom="reinforcement",
            source="Young, SIAM J. on Applied Mathematics 28, 1975; these ballots by search",
            ballots=("1: A > B > C", "1: A > C > B", "1: B > A > C", "1: C > B > A"),
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
def schulze(election: Election) -> Order:
    """Return the order by beat paths (Schulze, Social Choice and Welfare 36, 2011).

    A link i -> j exists where more voters put i above j than the reverse, and is as strong as the
    number of those voters (winning votes). The first tier holds every potential winner; the next
    every one that only those before beat, and so on. The score is the share of others beaten.
    """
    wins = election.wins
    strongest = strongest_paths(np.where(wins > wins.T, wins, 0))
    beats = strongest > strongest.T
    return Order(tiers=by_layers(beats), scores=beats.sum(axis=1) / max(1, len(wins) - 1))
