"""Copeland's method: a textbook answer, and what must not change anything."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from normwright.aggregate import rank
from normwright.plugins import origin

CYCLE = np.array([[0, 2, 1], [1, 0, 2], [2, 1, 0]])
"""Three voters: ABC, BCA, CAB."""


def tiers(wins: NDArray[np.int64], voters: int) -> tuple[tuple[str, ...], ...]:
    """The order of alternatives a, b, c ... by the registered method."""
    return rank(wins, "abcdef"[: len(wins)], voters=voters, method="copeland").tiers


def test_the_registry_hands_it_out_and_knows_whose_it_is() -> None:
    """The method is found by its name, with the distribution it comes from."""
    assert origin("methods", "copeland").distribution == "normwright-extras"


def test_a_cycle_is_a_tie() -> None:
    """Each of three alternatives wins one contest and loses one: nobody is told apart."""
    assert tiers(CYCLE, 3) == (("a", "b", "c"),)


def test_whoever_beats_all_is_alone_at_the_top() -> None:
    """Five voters, ABC three times and BCA twice: A beats both, B beats C."""
    wins = np.array([[0, 3, 3], [2, 0, 5], [2, 0, 0]])

    assert tiers(wins, 5) == (("a",), ("b",), ("c",))


def test_only_who_wins_counts_and_not_by_how_much() -> None:
    """Borda takes B in the same ballots; a Condorcet method does not."""
    wins = np.array([[0, 3, 3], [2, 0, 5], [2, 0, 0]])

    assert rank(wins, "abc", voters=5, method="borda").tiers[0] == ("b",)
    assert tiers(wins, 5)[0] == ("a",)


@pytest.mark.parametrize("seed", range(20))
def test_renaming_and_reversing(seed: int) -> None:
    """Renamed alternatives rename the order; reversed ballots reverse it."""
    random = np.random.default_rng(seed)
    wins = random.integers(0, 9, size=(4, 4)) * (1 - np.eye(4, dtype=np.int64))
    order = random.permutation(4)
    first, other = tiers(wins, 9), tiers(wins[np.ix_(order, order)], 9)

    assert tuple(tuple(sorted("abcd"[order["abcd".index(x)]] for x in t)) for t in other) == first
    assert tiers(wins.T, 9) == first[::-1]
