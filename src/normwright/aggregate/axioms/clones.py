"""Independence of clones: a copy of an alternative neither helps nor harms anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from normwright.aggregate.axioms import LIMIT
from normwright.aggregate.axioms.changes import divisions, said, voter_rows, ways, witness
from normwright.aggregate.election import Election, Ints
from normwright.aggregate.methods import Method, Order
from normwright.plugins import Card, plugin
from normwright.records import Witness

CARD = Card(
    name="clones",
    kind="axioms",
    summary="A copy beside an alternative on every ballot changes nothing but who of the two wins.",
    reference="Tideman, Independence of clones as a criterion, Social Choice and Welfare 4, 1987",
    status="tested",
)


@plugin(CARD)
def clones(
    method: Method, election: Election, rng: np.random.Generator, *, limit: int = LIMIT
) -> Witness | None:
    """Return an alternative whose copy, next to it on every ballot, changes who wins.

    Each other alternative has to win with the copy if, and only if, it wins without; and the two
    have to hold a winner if, and only if, the alternative wins alone. Voters put the copy right
    below it or right above it; voters of grades give both the same. Where two stand next to each
    other on every ballot as it is, either of them is a copy, and is left out.
    """
    before = voter_rows(election, CARD.name)
    order = method(before)
    for kept, copy in _pairs(before):
        numbers = [a for a in range(len(before.alternatives)) if a != copy]
        after = before.only(numbers)
        again = method(after)
        without = {numbers[a] for a in again.tiers[0]}
        if without != {kept if a == copy else a for a in order.tiers[0]}:
            detail = (
                f"{said(order.tiers[0], before)} {_wins(order)}; without {said([copy], before)}, "
                f"which stands next to {said([kept], before)} on every ballot, "
                f"{said(again.tiers[0], after)} {_wins(again)}."
            )
            return witness(
                CARD.name, detail, before, order, after, again,
                alternative=before.alternatives[copy],
            )  # fmt: skip
    for original, above in _trials(before, rng, limit):
        after = with_clone(before, original, above)
        again = method(after)
        if not independent(order, again, original, len(before.alternatives)):
            return told(before, order, original, after, again)
    return None


def told(before: Election, order: Order, original: int, after: Election, again: Order) -> Witness:
    """Return the breach of a copy."""
    detail = (
        f"{said(order.tiers[0], before)} {_wins(order)}; with a copy of "
        f"{said([original], before)}, {said(again.tiers[0], after)} {_wins(again)}."
    )
    return witness(
        CARD.name, detail, before, order, after, again,
        alternative=before.alternatives[original],
    )  # fmt: skip


def _pairs(election: Election) -> list[tuple[int, int]]:
    """Pairs that stand next to each other, or level, on every ballot, either way round."""
    if len(election.alternatives) < 3:
        return []
    orders = election.orders
    if election.grades is not None:
        orders = election.grades
    m = orders.shape[1]
    made = []
    for i, j in combinations(range(m), 2):
        low, high = np.minimum(orders[:, i], orders[:, j]), np.maximum(orders[:, i], orders[:, j])
        if ((low < 0) & (high >= 0)).any() or (election.grades is not None and (low < high).any()):
            continue
        others = np.delete(orders, [i, j], axis=1)
        between = (others >= low[:, None]) & (others <= high[:, None])
        # Level with both is no longer between them.
        if not (between & (low < high)[:, None]).any():
            made += [(i, j), (j, i)]
    return made


def independent(order: Order, again: Order, original: int, clone: int) -> bool:
    """Say whether the winners with a copy are those without it, the two counting as one."""
    merged = {original if a == clone else a for a in again.tiers[0]}
    return merged == set(order.tiers[0])


def with_clone(election: Election, original: int, above: Sequence[int]) -> Election:
    """Return the ballots with a copy next to one alternative, the last in number.

    Args:
        election: the ballots.
        original: what is copied.
        above: voters of each row who put the copy above it, shape (rows,); the others below.
    """
    name = _name(election.alternatives, election.alternatives[original])
    over = np.asarray(above, dtype=np.int64)
    counts = np.concatenate([election.counts - over, over])
    kept = counts > 0
    before = election.orders.astype(np.int64)
    place = before[:, original]
    # Where others share the tier the copy shares it too: between the two of them stands nothing.
    level = (before == place[:, None]).sum(axis=1) > 1
    shift = np.where(level | (place < 0) | (election.grades is not None), 0, 1)
    # Below the original the copy moves all that comes later down; above it, the original too.
    low = np.column_stack([before + shift[:, None] * (before > place[:, None]), place + shift])
    high = np.column_stack([before + shift[:, None] * (before >= place[:, None]), place])
    orders = np.concatenate([low, high])[kept].astype(np.int16)
    # Of voters for whom the two are level, or left out, none puts one above the other.
    apart = np.where(place >= 0, shift, 0)
    grades = election.grades
    if grades is not None:
        doubled = np.column_stack([grades, grades[:, original]])
        grades = np.concatenate([doubled, doubled])[kept]
    return replace(
        election,
        alternatives=(*election.alternatives, name),
        orders=orders,
        counts=counts[kept],
        grades=grades,
        pairwise=_with_copy(
            election,
            original,
            over=int(over @ apart),
            under=int((election.counts - over) @ apart),
        ),
    )


def _with_copy(election: Election, original: int, *, over: int, under: int) -> Ints | None:
    """The pairs with a copy, if they were counted: against all others it stands as the original."""
    if election.pairwise is None:
        return None
    m = len(election.alternatives)
    wins = np.zeros((m + 1, m + 1), dtype=np.int64)
    wins[:m, :m] = election.pairwise
    wins[m, :m], wins[:m, m] = election.pairwise[original], election.pairwise[:, original]
    wins[m, original], wins[original, m] = over, under
    return wins


def _trials(
    election: Election, rng: np.random.Generator, limit: int
) -> list[tuple[int, tuple[int, ...]]]:
    """Alternatives, and how many of each row put the copy above."""
    counts = election.counts.tolist()
    m = len(election.alternatives)
    if election.grades is not None:
        return [(a, (0,) * len(counts)) for a in range(m)]
    if m * ways(counts) <= limit:
        return [(a, above) for above in divisions(counts) for a in range(m)]
    below, over = (0,) * len(counts), tuple(counts)
    order = rng.permutation(m).tolist()
    made = [(a, above) for above in (below, over) for a in order]
    half = np.asarray(counts)
    while len(made) < min(limit, 4 * m):
        made.append((order[len(made) % m], tuple(rng.binomial(half, 0.5).tolist())))
    return made[: max(1, limit)]


def _name(taken: Sequence[str], name: str) -> str:
    copy = f"{name}'"
    while copy in taken:
        copy += "'"
    return copy


def _wins(order: Order) -> str:
    return "wins" if len(order.tiers[0]) == 1 else "win"
