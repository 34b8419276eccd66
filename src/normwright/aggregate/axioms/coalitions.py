"""Voters who act together: the smallest group found whose joint move breaks an axiom."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, product
from math import comb

import numpy as np

from normwright.aggregate.axioms.changes import Move, Row
from normwright.records import Witness

Test = Callable[[Sequence[Move]], Witness | None]
"""Whether these moves, made together, are a breach."""
Options = Sequence[Sequence[Row | None]]
"""What else each row may vote; None: stay at home."""


@dataclass(frozen=True)
class Found:
    """A breach by voters together."""

    size: int
    """How many they are."""
    witness: Witness


def smallest(
    counts: Sequence[int],
    options: Options,
    test: Test,
    *,
    groups: Callable[[], Iterable[Sequence[Move]]],
    rng: np.random.Generator,
    limit: int,
    whole: bool = True,
) -> Witness | None:
    """Return the breach by the fewest voters, of all there are or, where they are many, of those
    that were tried: voters of one row who all do the same, and the growing groups that are given.

    Args:
        counts: voters of each row.
        options: what else each row may vote.
        test: whether moves are a breach.
        groups: those who would move together, the first first; asked for only where not everything
            is tried.
        rng: drawn from where not everything is tried.
        limit: joint moves to be tried at most.
        whole: whether the options are everything that a row may vote.
    """
    if whole and ways(counts, options) <= limit:
        return together(counts, options, test)
    # From here on not everything is tried, whatever else is drawn.
    rng.random()
    left = limit

    def spending(moves: Sequence[Move]) -> Witness | None:
        nonlocal left
        left -= 1
        return test(moves)

    best = alike(counts, options, spending, rng, limit // 3)
    for moves in groups():
        if left <= 0:
            break
        if moves:
            best = _less(best, growing(moves, spending))
    return None if best is None else best.witness


def ways(counts: Sequence[int], options: Options) -> int:
    """Return in how many ways voters of these rows could move together; exact, however many."""
    total = 1
    for count, choices in zip(counts, options, strict=True):
        total *= comb(count + len(choices), len(choices))
    return total


def together(counts: Sequence[int], options: Options, test: Test) -> Witness | None:
    """Return the breach by the fewest voters, each moving as they like; everything is tried."""
    choices = [list(_choices(row, c, options[row])) for row, c in enumerate(counts)]
    trials = [tuple(move for part in parts for move in part) for parts in product(*choices)]
    for moves in sorted(trials, key=lambda made: sum(move.voters for move in made)):
        if moves and (found := test(moves)) is not None:
            return found
    return None


def alike(
    counts: Sequence[int], options: Options, test: Test, rng: np.random.Generator, limit: int
) -> Found | None:
    """Return the smallest breach by voters of one row who all do the same.

    Every number of them is tried if that is within the limit; else of drawn rows as in `growing`.
    """
    pairs = [(row, new) for row, choices in enumerate(options) for new in choices]
    if sum(counts[row] for row, _ in pairs) <= limit:
        every = [Move(row, c, new) for row, new in pairs for c in range(1, counts[row] + 1)]
        for move in sorted(every, key=lambda one: one.voters):
            if (found := test((move,))) is not None:
                return Found(move.voters, found)
        return None
    best: Found | None = None
    cost = 2 * max(counts, default=1).bit_length()
    for number in rng.permutation(len(pairs))[: max(1, limit // cost)].tolist():
        row, new = pairs[number]
        best = _less(best, growing([Move(row, counts[row], new)], test))
    return best


def growing(moves: Sequence[Move], test: Test) -> Found | None:
    """Return a breach by as few as possible of those who would move, the first first.

    1, 2, 4 and so on up to all of them are tried, then halves between the last that is no breach
    and the first that is one. It is the smallest found: a breach need not grow with its voters.
    """
    total = sum(move.voters for move in moves)
    low, best = 0, None
    for size in [*(2**i for i in range(total.bit_length()) if 2**i < total), total]:
        if (found := test(first(moves, size))) is not None:
            best = Found(size, found)
            break
        low = size
    while best is not None and best.size - low > 1:
        middle = (low + best.size) // 2
        if (found := test(first(moves, middle))) is None:
            low = middle
        else:
            best = Found(middle, found)
    return best


def first(moves: Sequence[Move], size: int) -> list[Move]:
    """Return the first so many voters of those who would move."""
    made = []
    for move in moves:
        if taken := min(move.voters, size):
            made.append(Move(move.row, taken, move.instead))
        size -= taken
    return made


def _choices(row: int, count: int, options: Sequence[Row | None]) -> Iterator[tuple[Move, ...]]:
    """Every way in which some voters of a row move."""
    kinds = range(len(options) + 1)
    for chosen in combinations_with_replacement(kinds, count):
        numbers = [(kind, chosen.count(kind)) for kind in kinds if kind]
        yield tuple(Move(row, n, options[kind - 1]) for kind, n in numbers if n)


def _less(best: Found | None, other: Found | None) -> Found | None:
    if best is None or (other is not None and other.size < best.size):
        return other
    return best
