"""Kemeny's rule: the orders that agree with voters on the most pairs, found exactly."""

from __future__ import annotations

import numpy as np

from normwright.aggregate.election import Election, Inapplicable
from normwright.aggregate.linear_ordering import Unsolved, linear_orders
from normwright.aggregate.majority import smith_layers
from normwright.aggregate.methods import Order, share_below
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="kemeny",
    kind="methods",
    summary="Ranks as the orders do that agree with voters on the most pairs; exact, with a proof.",
    reference="Kemeny, Mathematics without numbers, Daedalus 88, 1959; Young and Levenglick, SIAM "
    "J. on Applied Mathematics 35, 1978",
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
            ballots=("1: A > B > C", "1: B > C > A", "1: C > A > B"),
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
def kemeny(election: Election) -> Order:
    """Return what the orders with the most agreements have in common (Kemeny, 1959).

    An order agrees with a voter on a pair where it puts the same of the two above. The optimum is
    exact: parts that beat all that follows are ordered alone, which changes nothing (Truchon's
    extended Condorcet criterion), small ones over all sets, larger ones by integer programs with
    three-cycle inequalities. NP-hard; 30 alternatives in one cycle take a fraction of a second, and
    time grows steeply beyond 60.

    Several orders may be optimal. The first tier is who comes first in some of them; the next who,
    of the rest, comes first among the rest in some of them; and so on. So a tier above another says
    less than that every optimal order agrees: `both_ways` names the pairs on which they differ.
    The score is the share of others in lower tiers.

    Facts: `agreements` of an optimal order, over voters and pairs; `bound`: what no order can
    exceed, as it was proved; `cuts`: three-cycle inequalities that took; `programs` solved;
    `unique`: whether one order only is optimal; `both_ways`: pairs that optimal orders rank both
    ways, by name.

    Raises:
        Inapplicable: where a cycle is too large, or too disordered, for a proof within the limits
            of `linear_ordering` (no time limit, so that the same ballots are refused everywhere).
    """
    margins, names = election.margins, election.alternatives
    tiers: list[tuple[int, ...]] = []
    both: list[list[str]] = []
    cost = bound = cuts = programs = 0
    for part in smith_layers(margins):
        try:
            optima = linear_orders(margins[np.ix_(part, part)])
        except Unsolved as unsolved:
            raise Inapplicable.because(
                "kemeny", "majorities that hold no large cycle without order in it", str(unsolved),
                "Choose ranked-pairs or schulze, or fewer alternatives.",
            ) from unsolved  # fmt: skip
        tiers += [tuple(part[i] for i in tier) for tier in optima.tiers]
        open_ = np.argwhere(np.triu(~(optima.always | optima.always.T), 1)).tolist()
        both += [sorted([names[part[i]], names[part[j]]]) for i, j in open_]
        cost, bound = cost + optima.cost, bound + optima.bound
        cuts, programs = cuts + optima.cuts, programs + optima.solved
    most = int(np.triu(np.maximum(election.wins, election.wins.T), 1).sum())
    return Order(
        tiers=tuple(tiers),
        scores=share_below(tuple(tiers)),
        facts={
            "agreements": most - cost,
            "bound": most - bound,
            "cuts": cuts,
            "programs": programs,
            "unique": not both,
            "both_ways": sorted(both),
        },
    )
