"""Reinforcement: what wins in both parts of an electorate wins in the whole, and only that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.axioms import LIMIT
from normwright.aggregate.axioms.changes import (
    divisions,
    lines,
    names,
    rows_of,
    said,
    voter_rows,
    ways,
    witness,
)
from normwright.aggregate.election import Election
from normwright.aggregate.methods import Method
from normwright.plugins import Card, plugin
from normwright.records import Witness

CARD = Card(
    name="reinforcement",
    kind="axioms",
    summary="If two parts of the electorate share winners, all together choose those they share.",
    reference="Young, Social choice scoring functions, SIAM J. Applied Mathematics 28, 1975",
    status="tested",
)


@plugin(CARD)
def reinforcement(
    method: Method, election: Election, rng: np.random.Generator, *, limit: int = LIMIT
) -> Witness | None:
    """Return a division of the voters whose parts share winners that are not those of the whole."""
    whole = voter_rows(election, CARD.name)
    order = method(whole)
    for part in _parts(whole, rng, max(1, limit // 2)):
        one, other = _of(whole, part), _of(whole, whole.counts - part)
        first, second = method(one), method(other)
        shared = set(first.tiers[0]) & set(second.tiers[0])
        if shared and shared != set(order.tiers[0]):
            detail = (
                f"Both parts of the electorate have {said(shared, whole)} as winner in common, "
                f"and all together have {said(order.tiers[0], whole)}."
            )
            return witness(
                CARD.name, detail, whole, order,
                parts=[
                    {"ballots": lines(one), "outcome": names(first, one)},
                    {"ballots": lines(other), "outcome": names(second, other)},
                ],
            )  # fmt: skip
    return None


def _of(election: Election, counts: NDArray[np.int64]) -> Election:
    return replace(election, counts=counts, pairwise=None).compact()


def _parts(election: Election, rng: np.random.Generator, limit: int) -> Iterator[NDArray[np.int64]]:
    """One part of each division: all, if they are few; else who puts one above another, then any.

    Of the two parts of a division only one is tried.
    """
    counts = election.counts
    if ways(counts.tolist()) <= 2 * limit:
        every = [np.array(d, dtype=np.int64) for d in divisions(counts.tolist())]
        yield from (d for d in every[1 : (len(every) + 1) // 2] if 0 < d.sum() < counts.sum())
        return
    levels = np.array([row.levels for row in rows_of(election)])
    m = levels.shape[1]
    pairs = [(i, j) for i in range(m) for j in range(i)]
    for number in rng.permutation(len(pairs))[: limit // 2].tolist():
        i, j = pairs[number]
        part = np.where(levels[:, i] < levels[:, j], counts, 0)
        if 0 < part.sum() < counts.sum():
            yield part
    for _ in range(limit - limit // 2):
        part = rng.binomial(counts, rng.random())
        if 0 < part.sum() < counts.sum():
            yield part.astype(np.int64)
