"""Anonymity: who gave a ballot does not matter."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np

from normwright.aggregate.axioms import LIMIT
from normwright.aggregate.axioms.changes import voter_rows, witness
from normwright.aggregate.election import Election
from normwright.aggregate.methods import Method
from normwright.plugins import Card, plugin
from normwright.records import Witness

CARD = Card(
    name="anonymity",
    kind="axioms",
    summary="The same ballots in another order of voters give the same outcome.",
    reference="May, A set of independent ... conditions for simple majority, Econometrica 20, 1952",
    status="tested",
)
_FEW = 4


@plugin(CARD)
def anonymity(
    method: Method, election: Election, rng: np.random.Generator, *, limit: int = LIMIT
) -> Witness | None:
    """Return an order of the same ballots that the method ranks otherwise.

    The rows are put in other orders, and each voter is given a row of their own.
    """
    before = voter_rows(election, CARD.name)
    order = method(before)
    for rows in _arrangements(before, rng, limit):
        after = _arranged(before, rows)
        again = method(after)
        if again.tiers != order.tiers:
            detail = "The same ballots in another order have another outcome."
            return witness(CARD.name, detail, before, order, after, again, rows=rows)
    return None


def _arrangements(election: Election, rng: np.random.Generator, limit: int) -> list[list[int]]:
    """Numbers of rows in other orders, a row as often as it is to be divided."""
    rows = len(election.counts)
    whole = [list(p) for p in permutations(range(rows))][1:] if rows <= _FEW else []
    if len(whole) > limit or rows > _FEW:
        whole = [rng.permutation(rows).tolist() for _ in range(min(limit, 5))]
    each = np.repeat(np.arange(rows), np.minimum(election.counts, 50)).tolist()
    return [*whole, each, each[::-1]]


def _arranged(election: Election, rows: list[int]) -> Election:
    """The same ballots by these rows; where a row comes several times, one voter each but the last,
    which holds the others.
    """
    times = np.bincount(rows, minlength=len(election.counts))
    counts = np.ones(len(rows), dtype=np.int64)
    last = {row: place for place, row in enumerate(rows)}
    for row, place in last.items():
        counts[place] = election.counts[row] - (times[row] - 1)
    grades = None if election.grades is None else election.grades[rows]
    return replace(election, orders=election.orders[rows], counts=counts, grades=grades)
