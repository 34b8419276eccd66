"""Every small profile: all ways in which a few voters can vote, once each up to renaming."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import combinations_with_replacement, permutations, product

import numpy as np

from normwright.aggregate import Election
from normwright.aggregate.axioms.changes import graded
from normwright.aggregate.methods import Method, Order

NAMES = ("A", "B", "C")
Levels = tuple[int, ...]


def strict_orders(m: int = 3) -> list[Levels]:
    """Every order without ties."""
    return [tuple(p) for p in permutations(range(m))]


def weak_orders(m: int = 3) -> list[Levels]:
    """Every order, with ties: tiers are numbered without gaps."""
    every = product(range(m), repeat=m)
    return [levels for levels in every if set(levels) == set(range(max(levels) + 1))]


def truncated_orders(m: int = 3) -> list[Levels]:
    """Every order of some of the alternatives that leaves the others out."""
    made = []
    for levels in strict_orders(m):
        made += [tuple(v if v < n else -1 for v in levels) for n in range(1, m)]
    return sorted(set(made))


def grades(best: int, m: int = 3) -> list[Levels]:
    """Every way to give each alternative a grade from 0 to the best."""
    return list(product(range(best + 1), repeat=m))


@cache
def profiles(kind: str, voters: int) -> tuple[tuple[Levels, ...], ...]:
    """Every anonymous profile of so many voters with these ballots, one of each renaming."""
    ballots = BALLOTS[kind]()
    seen, kept = set(), []
    for profile in combinations_with_replacement(ballots, voters):
        if profile not in seen:
            kept.append(profile)
            for renamed in permutations(range(len(profile[0]))):
                seen.add(tuple(sorted(tuple(b[i] for i in renamed) for b in profile)))
    return tuple(kept)


BALLOTS: dict[str, Callable[[], list[Levels]]] = {
    "strict": strict_orders,
    "weak": weak_orders,
    "truncated": truncated_orders,
    "approvals": lambda: grades(1),
    "grades": lambda: grades(2),
}


def election(kind: str, profile: Sequence[Levels], names: Sequence[str] = NAMES) -> Election:
    """The election of a profile, equal ballots together."""
    rows = sorted(set(profile))
    counts = np.array([profile.count(row) for row in rows], dtype=np.int64)
    if kind not in ("approvals", "grades"):
        return Election(tuple(names), np.array(rows, dtype=np.int16), counts)
    return Election(
        tuple(names),
        np.array([graded(row).levels for row in rows], dtype=np.int16),
        counts,
        grades=np.array(rows, dtype=np.int16),
        approved_from=1,
    )


def elections(kind: str, most: int) -> Iterator[Election]:
    """Every small election of a kind, of 1 voter up to so many."""
    for voters in range(1, most + 1):
        for profile in profiles(kind, voters):
            yield election(kind, profile)


def remembered(method: Method) -> Method:
    """The method, asked once about the same ballots in whatever order they stand."""
    known: dict[tuple[object, ...], Order] = {}

    def asked(ballots: Election) -> Order:
        rows = ballots.orders if ballots.grades is None else ballots.grades
        given: dict[bytes, int] = {}
        for row, count in zip(rows, ballots.counts.tolist(), strict=True):
            given[row.tobytes()] = given.get(row.tobytes(), 0) + count
        key = (len(ballots.alternatives), ballots.approved_from, frozenset(given.items()))
        if key not in known:
            known[key] = method(ballots)
        return known[key]

    return asked
