"""The graph of majorities: paths, layers, and what is locked in."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from tests.aggregate.margins import Margins, margins

from normwright.aggregate.majority import Locked, by_layers, by_removal, levels, smith_layers

QUIET = settings(deadline=None, max_examples=100, derandomize=True)


def first_dominant(games: Margins, left: list[int]) -> list[int]:
    """The smallest set that beats all the rest, by trying every set."""
    for size in range(1, len(left) + 1):
        for chosen in combinations(left, size):
            rest = [j for j in left if j not in chosen]
            if all(games[i, j] > 0 for i in chosen for j in rest):
                return list(chosen)
    return []


@QUIET
@given(margins())
def test_smith_layers_are_successive_dominant_sets(games: Margins) -> None:
    """Each layer is the smallest set that beats all that comes later."""
    left, expected = list(range(len(games))), []
    while left:
        expected.append(first_dominant(games, left))
        left = [j for j in left if j not in expected[-1]]

    assert smith_layers(games) == expected


@QUIET
@given(margins())
def test_levels_hold_every_majority_once(games: Margins) -> None:
    """Margins come from the largest down, with all pairs that have them."""
    found = list(levels(games))
    sizes = [size for size, _ in found]

    assert sizes == sorted(set(sizes), reverse=True)
    assert {(i, j): size for size, pairs in found for i, j in pairs} == {
        (i, j): games[i, j] for i, j in zip(*np.nonzero(games > 0), strict=True)
    }


@QUIET
@given(margins(largest=2))
def test_what_is_locked_holds_no_cycle(games: Margins) -> None:
    """However margins are tied, nobody ends above themselves, and the relation is transitive."""
    locked = Locked(len(games))
    for _, level in levels(games):
        locked.lock(level)
    above = locked.above

    assert not above.diagonal().any()
    assert not ((above.astype(int) @ above.astype(int) > 0) & ~above).any()


def test_a_tied_cycle_is_left_out_together() -> None:
    """Three equal defeats in a circle are left out, and named, and the smaller one is locked."""
    locked = Locked(4)

    assert locked.lock([(0, 1), (1, 2), (2, 0)]) == [(0, 1), (1, 2), (2, 0)]
    assert locked.lock([(0, 3)]) == []
    assert locked.above.sum() == 1


def test_layers_and_removal() -> None:
    """Layers peel the unbeaten; removal asks anew each time; nobody at all gives no tier."""
    beats = np.array([[0, 1, 1], [0, 0, 0], [0, 0, 0]], dtype=bool)

    assert by_layers(beats) == ((0,), (1, 2))
    assert by_removal(3, lambda left: left[-1:]) == ((2,), (1,), (0,))
    assert by_layers(beats[:0, :0]) == ()
    assert smith_layers(np.zeros((0, 0), dtype=np.int64)) == []
