"""Black's method: a textbook answer, and what must not change anything."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from normwright.aggregate import Election, rank
from normwright.plugins import origin

CYCLE = np.array([[0, 2, 1], [1, 0, 2], [2, 1, 0]])
"""Three voters: ABC, BCA, CAB."""


def tiers(
    wins: NDArray[np.int64], voters: int, method: str = "black"
) -> tuple[tuple[str, ...], ...]:
    """The order of alternatives a, b, c ... by a registered method."""
    names = tuple("abcdef"[: len(wins)])
    none = np.zeros((0, len(wins)), dtype=np.int16)
    counts = np.zeros(0, dtype=np.int64)
    return rank(
        Election(names, none, counts, pairwise=wins, electorate=voters), method=method
    ).tiers


def test_the_registry_hands_it_out_and_knows_whose_it_is() -> None:
    """The method is found by its name, with the distribution it comes from."""
    assert origin("methods", "black").distribution == "normwright-extras"


def test_a_cycle_is_a_tie() -> None:
    """Each of three alternatives wins one contest and loses one: nobody is told apart."""
    assert tiers(CYCLE, 3) == (("a", "b", "c"),)


def test_whoever_beats_all_is_first_and_the_rest_by_borda() -> None:
    """Five voters, ABC three times and BCA twice: A beats both, and Borda has B first."""
    wins = np.array([[0, 3, 3], [2, 0, 5], [2, 0, 0]])

    assert tiers(wins, 5, "borda")[0] == ("b",)
    assert tiers(wins, 5) == (("a",), ("b",), ("c",))


@pytest.mark.parametrize("seed", range(20))
def test_names_do_not_count(seed: int) -> None:
    """Renaming the alternatives renames the order."""
    random = np.random.default_rng(seed)
    wins = random.integers(0, 9, size=(4, 4)) * (1 - np.eye(4, dtype=np.int64))
    order = random.permutation(4)
    first, other = tiers(wins, 9), tiers(wins[np.ix_(order, order)], 9)

    named = [sorted("abcd"[order["abcd".index(a)]] for a in tier) for tier in other]
    assert named == [sorted(tier) for tier in first]
