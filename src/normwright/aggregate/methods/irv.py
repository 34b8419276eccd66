"""Instant runoff: who has the fewest votes goes, and their ballots move on."""

from __future__ import annotations

import numpy as np

from normwright.aggregate.election import Election
from normwright.aggregate.methods import Order
from normwright.aggregate.transfer import Box, Runoff, runoff
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="irv",
    kind="methods",
    summary="Lets whoever has the fewest votes go, again and again, and moves their ballots on.",
    reference="Ware's method; parallel universes: Conitzer, Rognlie and Xia, Preference functions "
    "that score rankings, IJCAI 2009",
    claims=(
        "anonymity",
        "neutrality",
        "homogeneity",
        "condorcet-loser",
        "clones",
        "later-no-harm",
        "majority",
        "pareto",
    ),
    denies=(
        Denial(
            axiom="coalition-monotonicity",
            source="Smith, Aggregation of preferences with "
            "variable electorate, Econometrica 41, 1973; this case: ten of the 35 who raise A "
            "make C the winner",
            ballots=("39: A > B > C", "35: B > C > A", "26: C > A > B"),
        ),
        Denial(
            axiom="condorcet",
            source="Condorcet's criterion against Hare's method: Nanson, Methods of election, 1882",
            ballots=("37: A > B > C", "32: C > B > A", "31: B > A > C"),
        ),
        Denial(
            axiom="monotonicity",
            source="Smith, Aggregation of preferences with variable "
            "electorate, Econometrica 41, 1973; this case, one ballot from a tie: A wins "
            "beside C, and no more once raised on one B > C > A",
            ballots=("39: A > B > C", "26: B > C > A", "26: C > A > B"),
        ),
        Denial(
            axiom="participation",
            source="Fishburn and Brams, Paradoxes of preferential "
            "voting, Mathematics Magazine 56, 1983; in this case three of the seven who put C "
            "last make C the winner by voting",
            ballots=("7: A > B > C", "6: B > C > A", "7: C > B > A"),
        ),
        Denial(
            axiom="reinforcement",
            source="Young, Social choice scoring functions, SIAM J. "
            "Applied Mathematics 28, 1975: only scoring has it; in this case A wins in 4, 6, 3 "
            "and in 4, 3, 6 of these, and goes first of all together",
            ballots=("8: A > B > C", "9: B > A > C", "9: C > A > B"),
        ),
        Denial(
            axiom="smith",
            source="Smith, Aggregation of preferences with variable electorate, "
            "Econometrica 41, 1973; here B alone is the Smith set",
            ballots=("37: A > B > C", "32: C > B > A", "31: B > A > C"),
        ),
        Denial(
            axiom="iia",
            source="Arrow, Social Choice and Individual Values, 1951: without C, B is above A",
            ballots=("37: A > B > C", "32: C > B > A", "31: B > A > C"),
        ),
        Denial(
            axiom="reversal-symmetry",
            source="Saari and Barney, Mathematical Intelligencer 25, 2003; these ballots by search",
            ballots=("2: A > B > C", "2: C > A > B", "1: B > C > A"),
        ),
        Denial(
            axiom="strategy-proofness",
            source="Gibbard, Econometrica 41, 1973; these ballots by search",
            ballots=("2: A > B > C", "2: C > B > A", "1: B > A > C"),
        ),
    ),
    takes="orders",
    status="tested",
)


@plugin(CARD)
def irv(election: Election) -> Order:
    """Return the order of an instant runoff.

    Where several have the fewest votes, each goes in a universe of its own, and the first tier are
    the winners of all universes. The others are ordered by the best place they reach in any
    universe, those alike in this by the worst. The score is the share of others that an alternative
    outlasts in its best universe. Several without any vote go together.

    Several in the highest tier of a ballot share its vote, in whole parts. A ballot whose ranked
    alternatives are gone is exhausted: what it leaves out gets no part of it, also where that
    counts as last. `facts` hold the rounds, as far as they are alike in all universes.

    Raises:
        Inapplicable: where only pairs are known; where what a ballot leaves out is compared with
            nothing; where ties open too many universes.
    """
    seen = runoff(Box.of(election, "irv"), what="irv")
    return order_of(seen, election.alternatives)


def order_of(seen: Runoff, names: tuple[str, ...]) -> Order:
    """Return the order of a runoff, with what a reader would ask for."""
    facts = {
        "rounds": [one.told(names) for one in seen.rounds],
        "places": {a: [seen.best[c], seen.worst[c]] for c, a in enumerate(names)},
        "level_as_a_batch": [[names[c] for c in batch] for batch in seen.batches],
        "sets_counted": seen.sets,
    }
    scores = (len(names) - np.array(seen.best, dtype=np.float64)) / max(1, len(names) - 1)
    return Order(tiers=seen.tiers(), scores=scores, facts=facts)
