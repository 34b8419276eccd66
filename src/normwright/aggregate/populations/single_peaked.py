"""Single-peaked: along one axis, everybody likes less what is further out on either side."""

from __future__ import annotations

import numpy as np

from normwright.aggregate.election import Election
from normwright.aggregate.populations import checked, of_sequences
from normwright.plugins import Card, plugin

CARD = Card(
    name="single-peaked",
    kind="populations",
    summary="Orders that fall off on both sides of a peak along one axis, each equally likely.",
    reference="Black, On the rationale of group decision-making, J. Political Economy 56, 1948; "
    "Walsh, Generating single peaked votes, arXiv 1503.02766",
    status="tested",
)


@plugin(CARD)
def single_peaked(voters: int, alternatives: int, rng: np.random.Generator) -> Election:
    """Return voters with orders single-peaked on the axis A, B, C and so on.

    From the worst place up, one or the other end of what is left of the axis is taken with the same
    probability: each of the 2^(m-1) orders is equally likely. With an odd number of voters there is
    always a Condorcet winner, and no cycle.
    """
    checked(CARD.name, voters, alternatives)
    left = np.zeros(voters, dtype=np.int64)
    right = np.full(voters, alternatives - 1, dtype=np.int64)
    best_first = np.empty((voters, alternatives), dtype=np.int64)
    for place in range(alternatives - 1, 0, -1):
        low = rng.random(voters) < 0.5
        best_first[:, place] = np.where(low, left, right)
        left += low
        right -= ~low
    best_first[:, 0] = left
    return of_sequences(best_first)
