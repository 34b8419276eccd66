"""River: nobody is beaten twice."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from tests.aggregate.margins import (
    Margins,
    election_of_margins,
    margins,
    margins_from,
    uneven_margins,
)
from tests.aggregate.methods.test_ranked_pairs import Pair, reaches

from normwright.aggregate.methods.ranked_pairs import ranked_pairs
from normwright.aggregate.methods.river import river

QUIET = settings(deadline=None, max_examples=60, derandomize=True)


def root(games: Margins) -> int:
    """The rule where no margins are equal, one by one: the root of the tree it leaves."""
    pairs = [(int(games[i, j]), i, j) for i, j in zip(*np.nonzero(games > 0), strict=True)]
    tree: set[Pair] = set()
    for _, i, j in sorted(pairs, reverse=True):
        if j not in {loser for _, loser in tree} and not reaches(tree, j, i):
            tree.add((i, j))
    (top,) = set(range(len(games))) - {j for _, j in tree}
    return top


def sources(games: Margins) -> set[int]:
    """The rule with equal margins taken at once, by the definition."""
    locked: set[Pair] = set()
    for size in sorted({int(x) for x in games[games > 0]}, reverse=True):
        beaten = {j for _, j in locked}
        level = {(i, j) for i, j in zip(*np.nonzero(games == size), strict=True)}
        level = {(i, j) for i, j in level if j not in beaten and not reaches(locked, j, i)}
        locked |= {(i, j) for i, j in level if not reaches(locked | level, j, i)}
    return set(range(len(games))) - {j for _, j in locked}


@QUIET
@given(uneven_margins())
def test_equals_the_textbook_without_ties(games: Margins) -> None:
    """Where margins differ the root of the tree wins, and of the rest the root of theirs."""
    left = list(range(len(games)))
    for tier in river(election_of_margins(games)).tiers:
        top = left[root(games[np.ix_(left, left)])]

        assert tier == (top,)
        left.remove(top)


@QUIET
@given(margins(largest=2))
def test_equals_the_definition_with_ties(games: Margins) -> None:
    """Winners are who no locked defeat beats."""
    assert set(river(election_of_margins(games)).tiers[0]) == sources(games)


def test_river_and_ranked_pairs_differ() -> None:
    """For ranked pairs c > a closes a cycle with a > b; for River a was beaten by d before."""
    games = margins_from("b c 12\nd c 10\nd a 8\nc a 6\na b 4\nb d 2")

    assert ranked_pairs(election_of_margins(games)).tiers[0] == (1,)
    assert river(election_of_margins(games)).tiers[0] == (3,)


def test_ties_are_told() -> None:
    """Equal defeats in a circle are left out by name, once, whatever comes later in the ranking."""
    order = river(election_of_margins(margins_from("a b 2\nb c 2\nc a 2")))

    assert order.facts["left_out_for_ties"] == [["a", "b"], ["b", "c"], ["c", "a"]]
    assert order.tiers == ((0, 1, 2),)
