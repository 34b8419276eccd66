"""Ranked pairs: the largest majorities are locked in first, unless they close a cycle."""

from __future__ import annotations

from normwright.aggregate.election import Election
from normwright.aggregate.majority import Locked, by_layers, levels
from normwright.aggregate.methods import Order
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="ranked-pairs",
    kind="methods",
    summary="Locks in majorities from the largest down, leaving out what closes a cycle; equal "
    "majorities that only contradict each other are left out together.",
    reference="Tideman, Independence of clones as a criterion for voting rules, Social Choice and "
    "Welfare 4, 1987",
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
            ballots=("2: A > B > C", "2: C > B > A", "1: B > A > C"),
        ),
        Denial(
            axiom="monotonicity",
            source="Of equal margins only, by search; Tideman, 1987, proves it without",
            ballots=(
                "4: E > B > C > D > A",
                "3: A > C > D > E > B",
                "3: D > B > C > E > A",
                "1: C > B > D > E > A",
            ),
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
            ballots=("1: A > B > C", "1: A > C > B", "1: B > A > C", "1: C > B > A"),
        ),
        Denial(
            axiom="strategy-proofness",
            source="Gibbard, Econometrica 41, 1973; these ballots by search",
            ballots=("2: A > B > C", "1: B > A > C", "1: C > B > A"),
        ),
        Denial(
            axiom="coalition-monotonicity",
            source="Of equal margins only, by search; Tideman, 1987, proves it without",
            ballots=(
                "4: E > B > C > D > A",
                "3: A > C > D > E > B",
                "3: D > B > C > E > A",
                "1: C > B > D > E > A",
            ),
        ),
    ),
    takes="pairs",
    status="tested",
)


@plugin(CARD)
def ranked_pairs(election: Election) -> Order:
    """Return the order that the largest majorities leave (Tideman, 1987), by margins.

    Majorities are taken from the largest margin down; one is locked in unless it closes a cycle
    with those locked before. Where all margins differ, and none is 0, that is the textbook rule and
    the order is strict.

    Ties: an order among equal margins would have to favour somebody, and to follow all such orders
    is NP-hard (Brill and Fischer, The price of neutrality for the ranked pairs method, AAAI 2012).
    So equal margins are taken at once: those that close a cycle with larger ones are left out, and
    of the rest those that stand in a cycle of each other and of larger ones. What is locked in is
    thus what every order among equals would lock in at that step. The tiers are the unbeaten, then
    who is beaten by those only, and so on; the score is the share of others that an alternative
    is above by locked majorities.

    Facts: `left_out_for_ties`: majorities left out only because of their equals, by name; none:
    the textbook outcome, apart from pairs without a majority.
    """
    margins = election.margins
    locked = Locked(len(margins))
    ties = [pair for _, level in levels(margins) for pair in locked.lock(level)]
    names = election.alternatives
    return Order(
        tiers=by_layers(locked.above),
        scores=locked.above.sum(axis=1) / max(1, len(margins) - 1),
        facts={"left_out_for_ties": sorted([names[i], names[j]] for i, j in ties)},
    )
