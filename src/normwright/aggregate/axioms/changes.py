"""Ballots changed a little, and what axioms say about it: rows, lifts, who prefers what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, permutations
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import UNSEEN, Election, Inapplicable
from normwright.aggregate.methods import Order
from normwright.aggregate.pairs import count_wins
from normwright.records import Witness

MANY = 100
"""Different ballots up to which a witness holds them all; of more it holds those that change."""
_CARRIED = 64
"""Rows from which the pairs of changed ballots are counted from those before."""

T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """One ballot: the tier of each alternative, and its grades where people graded."""

    levels: tuple[int, ...]
    """0 the best; -1: left out."""
    grades: tuple[int, ...] | None = None
    """Higher is better; -1: not graded. Where there are grades the tiers follow from them."""


@dataclass(frozen=True)
class Move:
    """Some voters of one row who vote otherwise."""

    row: int
    """Number of their row."""
    voters: int
    """How many they are, at most as many as gave the row."""
    instead: Row | None
    """What they vote; None: they stay at home."""


def voter_rows(election: Election, axiom: str) -> Election:
    """Return the election with every row so many voters of one ballot each.

    Raises:
        Inapplicable: where voters gave several orders each, or only pairs are known.
    """
    if election.bundles is not None:
        raise Inapplicable.because(
            axiom, "voters of one ballot each", "voters who gave several orders each",
            "Audit whole rankings, or leave this axiom out.",
        )  # fmt: skip
    election.orders_for(axiom)
    alone = replace(election, electorate=None) if election.electorate is not None else election
    return alone.compact()


def rows_of(election: Election) -> list[Row]:
    """Return the ballots, a row each."""
    grades = election.grades
    if grades is None:
        return [Row(tuple(levels)) for levels in election.orders.tolist()]
    return [graded(tuple(row)) for row in grades.tolist()]


def _row_at(election: Election, number: int) -> Row:
    """One ballot by the number of its row."""
    if election.grades is None:
        return Row(tuple(election.orders[number].tolist()))
    return graded(tuple(election.grades[number].tolist()))


def graded(grades: tuple[int, ...]) -> Row:
    """Return the ballot of some grades, with the tiers that follow from them."""
    given = sorted({g for g in grades if g >= 0}, reverse=True)
    level = {g: i for i, g in enumerate(given)} | {UNSEEN: UNSEEN}
    return Row(tuple(level[g] for g in grades), grades)


def changed(election: Election, moves: Sequence[Move]) -> Election:
    """Return the election after some voters did otherwise; rows that nobody gives fall away."""
    counts = election.counts.copy()
    added = [m for m in moves if m.instead is not None]
    for move in moves:
        counts[move.row] -= move.voters
    number = np.array([m.voters for m in added], dtype=np.int64)
    levels = [m.instead.levels for m in added if m.instead is not None]
    grades = [m.instead.grades for m in added if m.instead is not None]
    new = np.array(levels, dtype=np.int16).reshape(-1, len(election.alternatives))
    all_counts = np.concatenate([counts, number])
    kept = all_counts > 0
    return replace(
        election,
        orders=np.concatenate([election.orders, new])[kept],
        counts=all_counts[kept],
        grades=None
        if election.grades is None
        else np.concatenate([election.grades, np.array(grades, np.int16).reshape(new.shape)])[kept],
        pairwise=_carried(election, moves, new, number),
    )


def _carried(
    election: Election, moves: Sequence[Move], new: NDArray[np.int16], number: NDArray[np.int64]
) -> NDArray[np.int64] | None:
    """The pairs after a change: of many rows only those that change are counted again."""
    if len(election.orders) < _CARRIED:
        return None
    old = election.orders[[m.row for m in moves]]
    gone = np.array([m.voters for m in moves], dtype=np.int64)
    less = count_wins(old, gone, unranked=election.unranked)
    more = count_wins(new, number, unranked=election.unranked)
    return election.wins - less + more


def lifts(row: Row, alternative: int, election: Election, *, top: bool = False) -> list[Row]:
    """Return the ballots in which one alternative stands higher and all others as they were.

    A ballot of grades gives it a higher grade. A ballot without ties stays one without ties. With
    `top` only the ballot is returned in which it stands highest.
    """
    if row.grades is not None:
        now, best = row.grades[alternative], _best_grade(election)
        higher = range(best if top else now + 1, best + 1) if 0 <= now < best else range(0)
        return [graded(_put(row.grades, alternative, g)) for g in higher]
    tiers = tiers_of(row)
    now = row.levels[alternative]
    if now < 0:
        if election.unranked == "apart":
            return []
        now = len(tiers)
    rest = [tuple(a for a in tier if a != alternative) for tier in tiers]
    weak = any(len(tier) > 1 for tier in tiers)
    if top:
        alone = now == 0 and not rest[0]
        return [] if alone else [_row([(alternative,), *rest], row)]
    made = [_row([*rest[:g], (alternative,), *rest[g:]], row) for g in range(now)]
    if now < len(tiers) and rest[now]:
        made.append(_row([*rest[:now], (alternative,), *rest[now:]], row))
    if weak:
        joined = ([*rest[:g], (*rest[g], alternative), *rest[g + 1 :]] for g in range(now))
        made += [_row(tiers, row) for tiers in joined]
    return made


def tiers_of(row: Row) -> list[tuple[int, ...]]:
    """Return the tiers of a ballot, best first, without what it leaves out."""
    found: dict[int, list[int]] = {}
    for alternative, level in enumerate(row.levels):
        if level >= 0:
            found.setdefault(level, []).append(alternative)
    return [tuple(found[level]) for level in sorted(found)]


def _row(tiers: Iterable[Iterable[int]], like: Row) -> Row:
    levels = [UNSEEN] * len(like.levels)
    for level, tier in enumerate(t for t in map(tuple, tiers) if t):
        for alternative in tier:
            levels[alternative] = level
    return Row(tuple(levels))


def of_tiers(tiers: Iterable[Iterable[int]], alternatives: int) -> Row:
    """Return the ballot of some tiers, best first, over so many alternatives."""
    return _row(tiers, Row((UNSEEN,) * alternatives))


def _put(values: tuple[int, ...], where: int, value: int) -> tuple[int, ...]:
    return (*values[:where], value, *values[where + 1 :])


def _best_grade(election: Election) -> int:
    """The highest grade anybody gave, or the one that approves."""
    assert election.grades is not None
    most = int(election.grades.max()) if election.grades.size else 0
    return max(most, election.approved_from or 0)


def every_row(election: Election) -> Iterator[Row]:
    """Return every ballot without ties over all alternatives; of grades, every one in use."""
    m = len(election.alternatives)
    if election.grades is None:
        yield from (_row(((a,) for a in order), Row((0,) * m)) for order in permutations(range(m)))
        return
    best = _best_grade(election)
    for number in range((best + 1) ** m):
        yield graded(tuple(number // (best + 1) ** j % (best + 1) for j in range(m)))


def standing(row: Row, election: Election) -> list[int] | None:
    """Return the tier of each alternative, what is left out last; None if not comparable."""
    if UNSEEN not in row.levels:
        return list(row.levels)
    if election.unranked == "apart":
        return None
    last = len(row.levels)
    return [last if level < 0 else level for level in row.levels]


def with_first(rows: Sequence[Row], alternative: int) -> list[int]:
    """Return the numbers of the ballots that put an alternative first, alone or with others."""
    found = []
    for number, row in enumerate(rows):
        level = row.levels[alternative]
        if level == 0 or (level > 0 and level == min(v for v in row.levels if v >= 0)):
            found.append(number)
    return found


def prefers(standing: Sequence[int] | None, new: Iterable[int], old: Iterable[int]) -> bool:
    """Say whether a voter prefers some winners to others, by the best and by the worst of them."""
    if standing is None:
        return False
    ours, theirs = [standing[a] for a in new], [standing[a] for a in old]
    best, worst = min(ours) - min(theirs), max(ours) - max(theirs)
    return best <= 0 and worst <= 0 and best + worst < 0


def can_gain(standing: Sequence[int] | None, winners: Sequence[int]) -> bool:
    """Return whether anything could be better for a voter: not if their best wins alone."""
    return standing is not None and max(standing[w] for w in winners) > min(standing)


def some(trials: Sequence[T], rng: np.random.Generator, limit: int) -> Sequence[T]:
    """Return all trials if they are few enough, else so many drawn ones, in drawn order."""
    if len(trials) <= limit:
        return trials
    return [trials[i] for i in rng.choice(len(trials), size=limit, replace=False).tolist()]


def divisions(counts: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Return every way to take some of each row, shape (rows,) each, the fewest of the first."""
    if not counts:
        yield ()
        return
    for rest in divisions(counts[1:]):
        yield from ((first, *rest) for first in range(counts[0] + 1))


def ways(counts: Iterable[int]) -> int:
    """Return how many divisions there are; exact, however many."""
    total = 1
    for count in counts:
        total *= int(count) + 1
    return total


def names(order: Order, election: Election) -> list[list[str]]:
    """Return an outcome by name, best tier first, each sorted."""
    return [list(tier) for tier in order.named(election.alternatives)]


def line(row: Row, count: int, election: Election) -> str:
    """Return one ballot as text: `39: A > B = C`; grades stand in brackets."""
    label = election.alternatives
    if row.grades is None:
        tiers = (" = ".join(sorted(label[a] for a in tier)) for tier in tiers_of(row))
    else:
        grades = row.grades
        tiers = (
            " = ".join(f"{label[a]} [{grades[a]}]" for a in sorted(tier, key=label.__getitem__))
            for tier in tiers_of(row)
        )
    return f"{count}: {' > '.join(tiers)}"


def lines(election: Election) -> list[str]:
    """Return all ballots as text, equal ones together, the most frequent first."""
    total: dict[Row, int] = {}
    for row, count in zip(rows_of(election), election.counts.tolist(), strict=True):
        key = Row(tuple(standing_levels(row)), row.grades)
        total[key] = total.get(key, 0) + count
    made = [(-count, line(row, count, election)) for row, count in total.items() if count]
    return [text for _, text in sorted(made)]


def standing_levels(row: Row) -> list[int]:
    """Return the tiers of a ballot numbered without gaps."""
    number = {level: i for i, level in enumerate(sorted({v for v in row.levels if v >= 0}))}
    return [number.get(level, UNSEEN) for level in row.levels]


def witness(
    axiom: str,
    detail: str,
    before: Election,
    order: Order,
    after: Election | None = None,
    changed_order: Order | None = None,
    **more: Any,
) -> Witness:
    """Return the breach: what goes wrong in words, both ballots, both outcomes.

    Of more than `MANY` different ballots only those are held that change, under `moves`; with the
    file they were read from anybody can repeat it.
    """
    data: dict[str, Any] = {"outcome": names(order, before)}
    if len(before.counts) <= MANY:
        data["ballots"] = lines(before)
    if after is not None and changed_order is not None:
        data["changed_outcome"] = names(changed_order, after)
        if len(after.counts) <= MANY:
            data["changed_ballots"] = lines(after)
    return Witness(axiom=axiom, detail=detail, data=data | more)


def told(moves: Sequence[Move], election: Election) -> list[dict[str, str | None]]:
    """Return moves as JSON: who votes what instead, or stays at home."""
    return [
        {
            "voters": line(_row_at(election, m.row), m.voters, election),
            "instead": None if m.instead is None else line(m.instead, m.voters, election),
        }
        for m in moves
    ]


def said(alternatives: Iterable[int], election: Election) -> str:
    """Return names for a sentence: `A`, `A and B`, `A, B and C`."""
    label = sorted(election.alternatives[a] for a in alternatives)
    return label[0] if len(label) == 1 else f"{', '.join(label[:-1])} and {label[-1]}"


def people(number: int) -> str:
    """Return a number of voters in words."""
    return "1 voter" if number == 1 else f"{number} voters"


def flat(parts: Iterable[Iterable[T]]) -> list[T]:
    """Return the members of all parts, in order."""
    return list(chain.from_iterable(parts))


def standing_first(election: Election) -> NDArray[np.int64]:
    """Return how many voters put each alternative first, alone, shape (m,)."""
    levels = np.where(election.orders >= 0, election.orders, np.iinfo(np.int16).max)
    best = levels == levels.min(axis=1, keepdims=True)
    alone = best & (best.sum(axis=1, keepdims=True) == 1) & (election.orders >= 0)
    firsts: NDArray[np.int64] = election.counts @ alone.astype(np.int64)
    return firsts
