"""River: as ranked pairs, but each alternative is beaten once only, by the largest majority."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from normwright.aggregate.election import Election
from normwright.aggregate.majority import Locked, by_removal, levels
from normwright.aggregate.methods import Order, share_below
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="river",
    kind="methods",
    summary="Locks in majorities from the largest down, leaving out what closes a cycle or beats "
    "whoever is beaten already; equal majorities that contradict each other are left out together.",
    reference="Döring, Brill and Heitzig, The River method, 2025; Heitzig, 2004",
    claims=(
        "anonymity",
        "neutrality",
        "homogeneity",
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
            source="Of equal margins only, by search; the paper proves it without",
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
            axiom="reversal-symmetry",
            source="Of equal margins, by search",
            ballots=(
                "4: C > B > E > A > D",
                "3: A > D > C > E > B",
                "2: B > E > A > D > C",
                "2: E > A > B > D > C",
            ),
        ),
        Denial(
            axiom="strategy-proofness",
            source="Gibbard, Econometrica 41, 1973; these ballots by search",
            ballots=("2: A > B > C", "1: B > A > C", "1: C > B > A"),
        ),
        Denial(
            axiom="coalition-monotonicity",
            source="Of equal margins only, by search; the paper proves it without",
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
def river(election: Election) -> Order:
    """Return who wins by River (Heitzig, 2004; Döring, Brill and Heitzig, 2025), by margins.

    Majorities are taken from the largest margin down; one is locked in unless the loser has lost
    one before, or it closes a cycle with those locked before. Where all margins differ this leaves
    a tree, and its root wins. It is ranked pairs with fewer defeats to defend, and the outcome can
    be drawn as a river.

    Ties: equal margins are taken at once, as in ranked pairs: of those that beat somebody not yet
    beaten and close no cycle with larger ones, all that stand in a cycle of each other and of
    larger ones are left out together. Somebody may so be beaten by several equal majorities.

    The rule says who wins. The tiers below are those who win once all before are gone, on the same
    ballots; the score is the share of others in lower tiers.

    Facts: `left_out_for_ties`: majorities left out only because of their equals, by name; none,
    and nobody beaten by equal majorities: the textbook winner.
    """
    margins, names = election.margins, election.alternatives
    ties: list[tuple[int, int]] = []

    def winners(left: Sequence[int]) -> list[int]:
        among = np.array(left, dtype=np.int64)
        locked = Locked(len(left))
        for _, level in levels(margins[np.ix_(among, among)]):
            dropped = locked.lock([(i, j) for i, j in level if not locked.beaten[j]])
            if len(left) == len(names):
                ties.extend(dropped)
        return [int(i) for i in among[~locked.beaten]]

    tiers = by_removal(len(names), winners)
    return Order(
        tiers=tiers,
        scores=share_below(tiers),
        facts={"left_out_for_ties": sorted([names[i], names[j]] for i, j in ties)},
    )
