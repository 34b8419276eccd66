"""Borda's count with symmetric completion: an unranked pair is worth one half to either side."""

from __future__ import annotations

from normwright.aggregate.election import Election
from normwright.aggregate.methods import Order, by_score
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="borda",
    kind="methods",
    summary="Ranks by the mean share of others an alternative is put above.",
    reference="Young, An axiomatization of Borda's rule, J. Economic Theory 9, 1974",
    claims=(
        "anonymity",
        "neutrality",
        "homogeneity",
        "reversal-symmetry",
        "condorcet-loser",
        "pareto",
        "monotonicity",
        "coalition-monotonicity",
        "participation",
        "reinforcement",
    ),
    denies=(
        Denial(
            axiom="clones",
            source="Tideman, Social Choice and Welfare 4, 1987; the textbook ballots",
            ballots=("3: A > B > C", "2: B > C > A"),
        ),
        Denial(
            axiom="condorcet",
            source="Condorcet, Essai, 1785; the textbook ballots",
            ballots=("3: A > B > C", "2: B > C > A"),
        ),
        Denial(
            axiom="iia",
            source="Arrow, Social Choice and Individual Values, 1951; these ballots by search",
            ballots=("3: A > B > C", "2: B > C > A"),
        ),
        Denial(
            axiom="later-no-harm",
            source="Woodall, Discrete Applied Mathematics 77, 1997; these ballots by search",
            ballots=("2: A > B > C", "2: C > B > A", "1: B > A > C"),
        ),
        Denial(
            axiom="majority",
            source="Condorcet, Essai, 1785; the textbook ballots",
            ballots=("3: A > B > C", "2: B > C > A"),
        ),
        Denial(
            axiom="smith",
            source="Fishburn, SIAM J. Applied Mathematics 33, 1977; the textbook ballots",
            ballots=("3: A > B > C", "2: B > C > A"),
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
def borda(election: Election) -> Order:
    """Return the order by Borda score (Borda, 1781; for partial orders: Young, 1974).

    A voter who does not rank both of two alternatives counts as if every completion of the ballot
    were equally likely, that is half to each; so an alternative few have seen is drawn towards the
    middle, never to the bottom. The score is the mean share of others an alternative is put above.
    """
    wins = election.wins
    # Whole numbers decide the tiers, so that rounding can neither make nor break a tie.
    net = wins.sum(axis=1) - wins.sum(axis=0)
    pairs = max(1, election.voters) * max(1, len(wins) - 1)
    return Order(tiers=by_score(net), scores=0.5 + net / (2 * pairs))
