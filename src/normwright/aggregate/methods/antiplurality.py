"""Antiplurality: who is put last least often."""

from __future__ import annotations

import numpy as np

from normwright.aggregate.election import Election
from normwright.aggregate.methods import Order, by_score
from normwright.aggregate.methods.plurality import shares
from normwright.aggregate.transfer import Box
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="antiplurality",
    kind="methods",
    summary="Ranks by how seldom an alternative is put last; a shared last place is divided.",
    reference="Baharad and Nitzan, The inverse plurality rule, Social Choice and Welfare 25, 2005",
    claims=(
        "anonymity",
        "neutrality",
        "homogeneity",
        "monotonicity",
        "coalition-monotonicity",
        "participation",
        "reinforcement",
    ),
    denies=(
        Denial(
            axiom="majority",
            source="Baharad and Nitzan, Ameliorating majority decisiveness "
            "through expression of preference intensity, American Political Science Review 96, "
            "2002",
            ballots=("3: A > B > C", "2: C > B > A"),
        ),
        Denial(
            axiom="condorcet",
            source="Fishburn, Condorcet social choice functions, SIAM J. "
            "Applied Mathematics 33, 1977",
            ballots=("3: A > B > C", "2: C > B > A"),
        ),
        Denial(
            axiom="reversal-symmetry",
            source="Saari and Barney, Consequences of reversing "
            "preferences, Mathematical Intelligencer 25, 2003: of the positional rules only "
            "Borda's has it",
            ballots=("1: A > B > C", "1: C > B > A"),
        ),
        Denial(
            axiom="iia",
            source="Arrow, Social Choice and Individual Values, 1951: without C, A is above B",
            ballots=("3: A > B > C", "2: C > B > A"),
        ),
        Denial(
            axiom="clones",
            source="Tideman, Social Choice and Welfare 4, 1987; these ballots by search",
            ballots=("2: A > B > C", "1: B > C > A"),
        ),
        Denial(
            axiom="condorcet-loser",
            source="Fishburn, SIAM J. Applied Mathematics 33, 1977; these ballots by search",
            ballots=("2: A > B > C", "2: C > B > A", "1: A > C > B"),
        ),
        Denial(
            axiom="later-no-harm",
            source="Woodall, Discrete Applied Mathematics 77, 1997; these ballots by search",
            ballots=("2: A > B > C", "1: B > C > A"),
        ),
        Denial(axiom="pareto", source="By search", ballots=("1: A > B > C",)),
        Denial(
            axiom="smith",
            source="Fishburn, SIAM J. Applied Mathematics 33, 1977; these ballots by search",
            ballots=("2: A > B > C", "1: B > C > A"),
        ),
        Denial(
            axiom="strategy-proofness",
            source="Gibbard, Econometrica 41, 1973; these ballots by search",
            ballots=("2: A > B > C",),
        ),
    ),
    takes="orders",
    status="tested",
)


@plugin(CARD)
def antiplurality(election: Election) -> Order:
    """Return the order by last places, the fewest first.

    Of a ballot with several in the last tier each gets an equal part of the last place, in whole
    parts. What a ballot leaves out is its last tier (`unranked=last`). A ballot with all in one
    tier is the same to everybody. The score is one less the share of last places.

    Raises:
        Inapplicable: where only pairs are known, or where what a ballot leaves out is compared with
            nothing: it might have been last.
    """
    levels = election.levels("antiplurality")
    if not election.alternatives:
        return Order(tiers=(), scores=np.zeros(0))
    # Turned over, the last tier is the first.
    top = levels.max(axis=1, keepdims=True, initial=0)
    box = Box(np.ascontiguousarray((top - levels).astype(np.uint16).T), election.counts)
    parts = [-part for part in box.tally(tuple(range(len(election.alternatives))))]
    whole = max(1, box.unit * box.votes)
    return Order(tiers=by_score(np.array(parts, dtype=object)), scores=1 + shares(parts, whole))
