"""Ranked pairs: the largest majorities first, equal ones at once."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from tests.aggregate.elections import election_from
from tests.aggregate.margins import (
    Margins,
    election_of_margins,
    margins,
    margins_from,
    uneven_margins,
)

from normwright.aggregate.methods.ranked_pairs import ranked_pairs

QUIET = settings(deadline=None, max_examples=60, derandomize=True)
Pair = tuple[int, int]


def reaches(locked: set[Pair], start: int, goal: int) -> bool:
    """Whether a path of locked defeats leads from one to the other."""
    seen, new = set(), {start}
    while new:
        seen |= new
        new = {j for i, j in locked if i in seen} - seen
    return goal in seen


def textbook(games: Margins) -> set[Pair]:
    """Tideman's rule where no margins are equal: one by one."""
    pairs = [(int(games[i, j]), i, j) for i, j in zip(*np.nonzero(games > 0), strict=True)]
    locked: set[Pair] = set()
    for _, i, j in sorted(pairs, reverse=True):
        if not reaches(locked, j, i):
            locked.add((i, j))
    return locked


def at_once(games: Margins) -> set[Pair]:
    """The same for equal margins, by the definition: no order among equals."""
    locked: set[Pair] = set()
    for size in sorted({int(x) for x in games[games > 0]}, reverse=True):
        level = {(i, j) for i, j in zip(*np.nonzero(games == size), strict=True)}
        level = {(i, j) for i, j in level if not reaches(locked, j, i)}
        together = locked | level
        locked |= {(i, j) for i, j in level if not reaches(together, j, i)}
    return locked


@QUIET
@given(uneven_margins())
def test_equals_the_textbook_without_ties(games: Margins) -> None:
    """Where margins differ the order is strict, and what locking one by one gives."""
    order = ranked_pairs(election_of_margins(games))
    locked, m = textbook(games), len(games)

    assert [len(tier) for tier in order.tiers] == [1] * m
    assert order.facts["left_out_for_ties"] == []
    for place, (i,) in enumerate(order.tiers):
        assert all(reaches(locked, i, j) for (j,) in order.tiers[place:])


@QUIET
@given(margins(largest=2))
def test_equals_the_definition_with_ties(games: Margins) -> None:
    """Winners are who no locked defeat beats, and scores count whom locked defeats put below."""
    order = ranked_pairs(election_of_margins(games))
    locked, m = at_once(games), len(games)

    assert set(order.tiers[0]) == set(range(m)) - {j for _, j in locked}
    for i in range(m):
        below = [j for j in range(m) if j != i and reaches(locked, i, j)]
        assert order.scores[i] == len(below) / max(1, m - 1)


def test_ties_are_told() -> None:
    """A circle of equal margins is left out by name; the larger one beside it is locked in."""
    order = ranked_pairs(election_of_margins(margins_from("a b 2\nb c 2\nc a 2\na d 4")))

    assert order.facts["left_out_for_ties"] == [["a", "b"], ["b", "c"], ["c", "a"]]
    assert order.tiers == ((0, 1, 2), (3,))


def test_schulze_and_ranked_pairs_differ() -> None:
    """Schulze's own 45 voters: by ranked pairs A wins, who loses to E by the weakest majority."""
    election = election_from(
        "5: A > C > B > E > D\n5: A > D > E > C > B\n8: B > E > D > A > C\n3: C > A > B > E > D\n"
        "7: C > A > E > B > D\n2: C > B > A > D > E\n7: D > C > E > B > A\n8: E > B > A > D > C"
    )

    assert ranked_pairs(election).tiers == ((0,), (2,), (4,), (1,), (3,))
    assert reaches(textbook(election.margins), 0, 4)
