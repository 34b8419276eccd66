"""Slate rules and axioms the slow obvious way: a voter at a time, fractions, every group tried."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import combinations
from math import ceil

import numpy as np

from normwright.aggregate import Election

Sets = list[frozenset[int]]
"""What each voter approves of, voter after voter."""


def election_of_sets(sets: Sequence[Iterable[int]], alternatives: int) -> Election:
    """Votes of so many voters: agree with some, disagree with all others."""
    grades = np.zeros((len(sets), alternatives), dtype=np.int16)
    for row, approved in zip(grades, sets, strict=True):
        row[list(approved)] = 1
    names = tuple(f"s{j}" for j in range(alternatives))
    ones = np.ones(len(sets), dtype=np.int64)
    return Election(names, (1 - grades).astype(np.int16), ones, grades=grades, approved_from=1)


def sets_of(election: Election) -> Sets:
    """The approvals of an election, voter after voter."""
    approved = election.approvals("test")
    return [
        frozenset(np.flatnonzero(row).tolist())
        for row, count in zip(approved, election.counts, strict=True)
        for _ in range(int(count))
    ]


def slow_score(sets: Sets, slate: Iterable[int]) -> Fraction:
    """The PAV score."""
    chosen = set(slate)
    return sum((Fraction(1, h) for s in sets for h in range(1, len(s & chosen) + 1)), Fraction(0))


def slow_pav(sets: Sets, m: int, size: int) -> set[frozenset[int]]:
    """Every slate with the best score."""
    scores = {frozenset(s): slow_score(sets, s) for s in combinations(range(m), size)}
    best = max(scores.values())
    return {s for s, score in scores.items() if score == best}


def slow_seq_pav(sets: Sets, m: int, size: int) -> list[int]:
    """Sequential PAV, the first among equals."""
    chosen: list[int] = []
    for _ in range(size):
        rest = [j for j in range(m) if j not in chosen]
        chosen.append(max(rest, key=lambda j: (slow_score(sets, [*chosen, j]), -j)))
    return chosen


def slow_phragmen(
    sets: Sets, m: int, size: int, start: list[Fraction] | None = None, chosen: Sequence[int] = ()
) -> list[int]:
    """Phragmén by loads: each voter's load is a fraction."""
    load = [Fraction(0)] * len(sets) if start is None else list(start)
    members = list(chosen)
    while len(members) < size:
        rest = [j for j in range(m) if j not in members]
        prices = {}
        for j in rest:
            group = [i for i, s in enumerate(sets) if j in s]
            if group:
                prices[j] = (1 + sum((load[i] for i in group), Fraction(0))) / len(group)
        best = min(prices, key=lambda j: (prices[j], j), default=rest[0])
        for i, s in enumerate(sets):
            if best in s:
                load[i] = prices[best]
        members.append(best)
    return members


def slow_shares(sets: Sets, m: int, size: int) -> tuple[list[int], int]:
    """Equal shares by budgets, completed by Phragmén; and how many were bought."""
    budget = [Fraction(size, len(sets))] * len(sets)
    members: list[int] = []
    while True:
        prices = {}
        for j in set(range(m)) - set(members):
            own = sorted(budget[i] for i, s in enumerate(sets) if j in s)
            if sum(own, Fraction(0)) >= 1:
                missing, left = Fraction(1), len(own)
                for b in own:
                    if b * left >= missing:
                        prices[j] = missing / left
                        break
                    missing, left = missing - b, left - 1
        if not prices:
            break
        best = min(prices, key=lambda j: (prices[j], j))
        for i, s in enumerate(sets):
            if best in s:
                budget[i] = max(Fraction(0), budget[i] - prices[best])
        members.append(best)
    bought = len(members)
    return slow_phragmen(sets, m, size, [-b for b in budget], members), bought


def groups(n: int, least: int) -> Iterable[tuple[int, ...]]:
    """Every group of at least so many voters."""
    for r in range(least, n + 1):
        yield from combinations(range(n), r)


def slow_axiom(axiom: str, sets: Sets, slate: Iterable[int], size: int) -> bool:
    """Whether a slate has a property, every group of voters tried."""
    chosen, n = set(slate), len(sets)
    for level in range(1, size + 1):
        if axiom == "jr" and level > 1:
            break
        for group in groups(n, ceil(Fraction(level * n, size))):
            common = frozenset.intersection(*(sets[i] for i in group))
            most = max(len(sets[i] & chosen) for i in group)
            together = len(frozenset().union(*(sets[i] for i in group)) & chosen)
            broken = {
                "jr": bool(common) and most < 1,
                "pjr": len(common) >= level and together < level,
                "ejr": len(common) >= level and most < level,
                "ejr-plus": bool(common - chosen) and most < level,
            }[axiom]
            if broken:
                return False
    return True


def slow_core(levels: np.ndarray, counts: np.ndarray) -> list[Fraction]:
    """Critical epsilons: every coalition of voters tried."""
    voters = [row for row, c in zip(levels, counts, strict=True) for _ in range(int(c))]
    n, m = len(voters), levels.shape[1]
    found = []
    for x in range(m):
        claims = [Fraction(0)]
        for group in groups(n, 1):
            better = [j for j in range(m) if all(voters[i][j] < voters[i][x] for i in group)]
            claims.append(Fraction(len(group), n) - Fraction(m - len(better), m))
        found.append(max(claims))
    return found


def balanced(grades: np.ndarray, slate: Sequence[int], parts: dict[int, int], size: int) -> bool:
    """Whether some matching of the sizes given leaves no n / size voters better off outside.

    Every assignment of voters to members with those sizes is tried; a row of grades is a voter.
    """
    n = len(grades)
    least = ceil(n / size)

    def fine(owner: dict[int, int]) -> bool:
        for x in set(range(grades.shape[1])) - set(slate):
            for theta in set(grades[:, x].tolist()):
                better = [i for i in range(n) if grades[i, x] >= theta > grades[i, owner[i]]]
                if theta >= 0 and len(better) >= least:
                    return False
        return True

    def assign(left: frozenset[int], members: Sequence[int], owner: dict[int, int]) -> bool:
        if not members:
            return fine(owner)
        return any(
            assign(left - set(part), members[1:], {**owner, **dict.fromkeys(part, members[0])})
            for part in combinations(sorted(left), parts[members[0]])
        )

    return assign(frozenset(range(n)), list(slate), {})
