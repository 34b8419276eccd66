"""Neutrality: what an alternative is called, and where it stands in a list, does not matter."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np

from normwright.aggregate.axioms import LIMIT
from normwright.aggregate.axioms.changes import witness
from normwright.aggregate.election import Election
from normwright.aggregate.methods import Method
from normwright.plugins import Card, plugin
from normwright.records import Witness

CARD = Card(
    name="neutrality",
    kind="axioms",
    summary="Other names for the alternatives, or another order of them, rename the outcome.",
    reference="May, A set of independent ... conditions for simple majority, Econometrica 20, 1952",
    status="tested",
)
_FEW = 4
_SAMPLE = 5


@plugin(CARD)
def neutrality(
    method: Method, election: Election, rng: np.random.Generator, *, limit: int = LIMIT
) -> Witness | None:
    """Return a permutation of the alternatives that the outcome does not follow.

    Once the names move with the ballots, so that only places change; once they stay.
    """
    order = method(election)
    m = len(election.alternatives)
    every = list(permutations(range(m)))[1:] if m <= _FEW else []
    if m > _FEW or 2 * len(every) > limit:
        every = [tuple(rng.permutation(m).tolist()) for _ in range(max(1, min(_SAMPLE, limit)))]
    for places in every:
        number = {old: new for new, old in enumerate(places)}
        expected = tuple(tuple(sorted(number[a] for a in tier)) for tier in order.tiers)
        moved = election.only(places)
        for after in (moved, replace(moved, alternatives=election.alternatives)):
            again = method(after)
            if tuple(tuple(sorted(tier)) for tier in again.tiers) != expected:
                detail = "Alternatives that change places or names have another outcome."
                return witness(
                    CARD.name, detail, election, order, after, again, places=list(places)
                )
    return None
