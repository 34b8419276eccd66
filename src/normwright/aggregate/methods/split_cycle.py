"""Split cycle: a majority is a defeat unless it is the weakest of some cycle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import Election
from normwright.aggregate.majority import by_removal, strongest_paths, unbeaten
from normwright.aggregate.methods import Order, share_below
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="split-cycle",
    kind="methods",
    summary="Elects all whom no majority defeats, one that is the weakest in a cycle being none.",
    reference="Holliday and Pacuit, Split Cycle: a new Condorcet-consistent voting method "
    "independent of clones and immune to spoilers, Public Choice 197, 2023",
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
def split_cycle(election: Election) -> Order:
    """Return who is undefeated (Holliday and Pacuit, 2023), by margins.

    i defeats j where more voters put i above j than the reverse, and that margin is larger than the
    smallest in each cycle of majorities through both, i before j: that is, larger than the
    strongest path from j to i. Several may be undefeated, also where no two margins are equal.

    The rule says who wins. The tiers below are those who win once all before are gone, on the same
    ballots; the score is the share of others in lower tiers.

    Facts: `majorities` and `defeats`: pairs with a majority, and how many of them are defeats.
    """
    margins = election.margins

    def winners(left: Sequence[int]) -> list[int]:
        return [left[i] for i in unbeaten(defeats(margins[np.ix_(left, left)]))]

    tiers = by_removal(len(margins), winners)
    facts = {"majorities": int((margins > 0).sum()), "defeats": int(defeats(margins).sum())}
    return Order(tiers=tiers, scores=share_below(tiers), facts=facts)


def defeats(margins: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return who defeats whom, shape (m, m); there is no cycle in it. O(m^3)."""
    links = np.maximum(margins, 0)
    stronger: NDArray[np.bool_] = links > strongest_paths(links).T
    return stronger
