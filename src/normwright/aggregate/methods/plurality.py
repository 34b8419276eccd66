"""Plurality: who is put first most often."""

from __future__ import annotations

import numpy as np

from normwright.aggregate.election import Election
from normwright.aggregate.methods import Order, by_score
from normwright.aggregate.transfer import Box
from normwright.plugins import Card, Denial, plugin

_BORDA = ("1: A > B > C", "7: A > C > B", "7: B > C > A", "6: C > B > A")
"""Borda's own case: A leads with eight first places, and thirteen of 21 put either other above."""

CARD = Card(
    name="plurality",
    kind="methods",
    summary="Ranks by how often an alternative is put first; a shared first place is divided.",
    reference="Richelson, A characterization result for the plurality rule, J. Economic Theory 19, "
    "1978",
    claims=(
        "anonymity",
        "neutrality",
        "homogeneity",
        "monotonicity",
        "coalition-monotonicity",
        "participation",
        "reinforcement",
        "later-no-harm",
        "majority",
        "pareto",
    ),
    denies=(
        Denial(
            axiom="condorcet",
            source="Borda, Mémoire sur les élections au scrutin, 1781: C beats both others",
            ballots=_BORDA,
        ),
        Denial(
            axiom="condorcet-loser",
            source="Borda, Mémoire sur les élections au scrutin, 1781: A loses to both others",
            ballots=_BORDA,
        ),
        Denial(
            axiom="clones",
            source="Tideman, Independence of clones, Social Choice and Welfare "
            "4, 1987; here B and C are clones in Borda's case",
            ballots=_BORDA,
        ),
        Denial(
            axiom="iia",
            source="Borda, Mémoire sur les élections au scrutin, 1781: without C, B is above A",
            ballots=_BORDA,
        ),
        Denial(
            axiom="reversal-symmetry",
            source="Saari and Barney, Consequences of reversing "
            "preferences, Mathematical Intelligencer 25, 2003; here in Borda's case",
            ballots=_BORDA,
        ),
        Denial(
            axiom="smith",
            source="Smith, Aggregation of preferences with variable electorate, "
            "Econometrica 41, 1973; here in Borda's case",
            ballots=_BORDA,
        ),
        Denial(
            axiom="strategy-proofness",
            source="Gibbard, Econometrica 41, 1973; these ballots by search",
            ballots=("2: A > B > C", "1: B > A > C", "1: C > B > A"),
        ),
    ),
    takes="orders",
    status="tested",
)


@plugin(CARD)
def plurality(election: Election) -> Order:
    """Return the order by first places.

    Of a ballot with several in the first tier each gets an equal part, in whole parts of a vote, so
    that rounding decides nothing. The score is the share of ballots; who leaves out an alternative
    does not put it first.

    Raises:
        Inapplicable: where only pairs are known, or where what a ballot leaves out is compared with
            nothing: it might have been first.
    """
    box = Box.of(election, "plurality")
    if not election.alternatives:
        return Order(tiers=(), scores=np.zeros(0))
    parts = box.tally(tuple(range(len(election.alternatives))))
    whole = max(1, box.unit * box.votes)
    # Whole numbers decide the tiers; they are divided as such, however large.
    return Order(tiers=by_score(np.array(parts, dtype=object)), scores=shares(parts, whole))


def shares(parts: list[int], whole: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return each part as a share of the whole; whole numbers of any size."""
    return np.array([part / whole for part in parts], dtype=np.float64)
