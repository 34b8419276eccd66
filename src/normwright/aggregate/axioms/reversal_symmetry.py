"""Reversal symmetry: a sole winner does not win where every ballot is turned around."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from normwright.aggregate.axioms import LIMIT
from normwright.aggregate.axioms.changes import said, witness
from normwright.aggregate.election import Election
from normwright.aggregate.methods import Method
from normwright.plugins import Card, plugin
from normwright.records import Witness

CARD = Card(
    name="reversal-symmetry",
    kind="axioms",
    summary="A sole winner is no winner of the same ballots turned upside down.",
    reference="Saari, Geometry of Voting, Springer, 1994",
    status="tested",
)


@plugin(CARD)
def reversal_symmetry(
    method: Method, election: Election, rng: np.random.Generator, *, limit: int = LIMIT
) -> Witness | None:
    """Return the ballots turned around where the sole winner wins again, alone or with others."""
    order = method(election)
    if len(order.tiers[0]) > 1 or len(election.alternatives) < 2:
        return None
    after = reversed_ballots(election)
    again = method(after)
    (winner,) = order.tiers[0]
    if winner not in again.tiers[0]:
        return None
    name = said([winner], election)
    detail = f"{name} wins alone, and wins where every ballot is turned around."
    return witness(CARD.name, detail, election, order, after, again)


def reversed_ballots(election: Election) -> Election:
    """Return every ballot upside down; what it leaves out goes first where it counted as last."""
    orders = election.orders
    if election.unranked == "last":
        last = orders.max(axis=1, keepdims=True, initial=0) + np.int16(1)
        orders = np.where(orders < 0, last, orders)
    seen = orders >= 0
    turned = np.where(seen, orders.max(axis=1, keepdims=True, initial=0) - orders, orders)
    grades, approved = election.grades, election.approved_from
    if grades is not None:
        top = max(int(grades.max(initial=0)), approved or 0)
        grades = np.where(grades >= 0, top - grades, grades).astype(np.int16)
        approved = None if approved is None else top - approved + 1
        turned = np.where(election.orders >= 0, turned, election.orders)
    return replace(
        election,
        orders=turned.astype(np.int16),
        grades=grades,
        approved_from=approved,
        pairwise=None if election.pairwise is None else election.pairwise.T.copy(),
    )
