"""Homogeneity: every ballot given equally more often changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from normwright.aggregate.axioms import LIMIT
from normwright.aggregate.axioms.changes import voter_rows, witness
from normwright.aggregate.election import Election
from normwright.aggregate.methods import Method
from normwright.plugins import Card, plugin
from normwright.records import Witness

CARD = Card(
    name="homogeneity",
    kind="axioms",
    summary="Every ballot repeated the same number of times gives the same outcome.",
    reference="Fishburn, Condorcet social choice functions, SIAM J. Applied Mathematics 33, 1977",
    status="tested",
)
_TIMES = (2, 3, 10)


@plugin(CARD)
def homogeneity(
    method: Method, election: Election, rng: np.random.Generator, *, limit: int = LIMIT
) -> Witness | None:
    """Return a number of times that the ballots, so often repeated, are ranked otherwise.

    Twice, three and ten times are tried, and one drawn number: there is no last one.
    """
    before = voter_rows(election, CARD.name)
    order = method(before)
    for times in (*_TIMES, int(rng.integers(4, 1000)))[:limit]:
        pairs = None if before.pairwise is None else before.pairwise * times
        after = replace(before, counts=before.counts * times, pairwise=pairs)
        again = method(after)
        if again.tiers != order.tiers:
            detail = f"Every ballot given {times} times as often has another outcome."
            return witness(CARD.name, detail, before, order, after, again, times=times)
    return None
