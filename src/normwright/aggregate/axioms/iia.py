"""Independence of irrelevant alternatives, by deletion: two keep their order if a third goes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.axioms import LIMIT
from normwright.aggregate.axioms.changes import said, some, witness
from normwright.aggregate.election import Election
from normwright.aggregate.methods import Method, Order, levels_of
from normwright.plugins import Card, plugin
from normwright.records import Witness

CARD = Card(
    name="iia",
    kind="axioms",
    summary="Two alternatives are never ranked the other way round because a third is left out.",
    reference="Arrow, Social Choice and Individual Values, Wiley, 1951; as deletion: "
    "Ray, Independence of irrelevant alternatives, Econometrica 41, 1973",
    status="tested",
)


@plugin(CARD)
def iia(
    method: Method, election: Election, rng: np.random.Generator, *, limit: int = LIMIT
) -> Witness | None:
    """Return a third alternative without which two others are ranked the other way round.

    A tie that appears or goes is no breach, only an order that turns around. One alternative is
    left out at a time.
    """
    m = len(election.alternatives)
    if m < 3:
        return None
    order = method(election)
    for gone in some(range(m), rng, limit):
        found = deletion(method, election, order, gone)
        if found.pairs:
            return told(election, order, found)
    return None


@dataclass(frozen=True)
class Deletion:
    """What leaving out one alternative does to the order of the others."""

    gone: int
    after: Election
    order: Order
    pairs: tuple[tuple[int, int], ...]
    """Those ranked above and below before, and the other way round after."""
    compared: int
    """Pairs that were not level before."""


def deletion(method: Method, election: Election, order: Order, gone: int) -> Deletion:
    """Return what leaving out one alternative turns around."""
    m = len(election.alternatives)
    kept = np.array([a for a in range(m) if a != gone])
    after = election.only(kept.tolist())
    again = method(after)
    before = levels_of(order.tiers, m)[kept]
    pairs = kept[np.argwhere(reversals(before, levels_of(again.tiers, m - 1)))]
    compared = int((before[:, None] < before[None, :]).sum())
    return Deletion(gone, after, again, tuple((int(a), int(b)) for a, b in pairs), compared)


def told(election: Election, order: Order, found: Deletion) -> Witness:
    """Return the breach of one deletion, by the first pair it turns around."""
    high, low = found.pairs[0]
    detail = (
        f"{said([high], election)} is ranked above {said([low], election)}; without "
        f"{said([found.gone], election)} it is ranked below."
    )
    return witness(
        CARD.name, detail, election, order, found.after, found.order,
        alternative=election.alternatives[found.gone], reversals=len(found.pairs),
    )  # fmt: skip


def reversals(before: NDArray[np.int64], after: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which i above j came to stand below it, shape (m, m)."""
    was = before[:, None] < before[None, :]
    turned: NDArray[np.bool_] = was & (after[:, None] > after[None, :])
    return turned
