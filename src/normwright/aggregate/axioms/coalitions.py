"""Voters who act together: the smallest group found whose joint move breaks an axiom."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, islice, product
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
        groups: those who would move together, the first first, the likeliest group first; asked for
            only where not everything is tried, and no more of them than the limit allows.
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
    # As many groups as can each be asked about at doubling sizes, then between two of them.
    doublings = sum(counts).bit_length()
    chosen = list(islice((g for g in groups() if g), max(1, left // (2 * doublings))))
    for number, moves in enumerate(chosen):
        if left <= 0:
            break
        most = None if best is None else best.size - 1
        tries = max(1, left // (len(chosen) - number))
        best = _less(best, growing(moves, spending, most=most, tries=tries))
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


def growing(
    moves: Sequence[Move], test: Test, *, most: int | None = None, tries: int = 0
) -> Found | None:
    """Return a breach by as few as possible of those who would move, the first first.

    1, 2, 4 and so on up to all of them are tried, and even steps as far as there are tries for
    them; then halves between the last that is no breach and the first that is one. It is the
    smallest found: a breach need not grow with its voters, and may be one of some numbers only.

    Args:
        moves: those who would move.
        test: whether moves are a breach.
        most: voters at most; None: all of them.
        tries: sizes to be tried, about.
    """
    total = sum(move.voters for move in moves)
    total = total if most is None else min(total, most)
    low, best = 0, None
    for size in _sizes(total, tries):
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


def _sizes(total: int, tries: int) -> list[int]:
    """Numbers of voters from 1 to all: doublings, and even steps with what tries they leave."""
    if total < 1:
        return []
    doublings = {2**i for i in range(total.bit_length())}
    # What is found is halved down, which costs as much again at most.
    steps = max(0, tries - 2 * len(doublings))
    even = {total * step // (steps + 1) for step in range(1, steps + 1)}
    return sorted((doublings | even | {total}) - {0})


def likeliest_pairs(ranked: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Return every ordered pair of different alternatives, those that both stand high first."""
    for together in range(1, 2 * len(ranked) - 2):
        for place in range(max(0, together - len(ranked) + 1), min(together, len(ranked) - 1) + 1):
            if place != together - place:
                yield ranked[place], ranked[together - place]


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
