"""Maximal lotteries: exact, and the most even one where there are several."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from tests.aggregate.elections import election_from
from tests.aggregate.margins import (
    Margins,
    election_of_margins,
    margins,
    margins_from,
    uneven_margins,
)

from normwright.aggregate.methods.maximal_lottery import _FEW, lottery, maximal_lottery

QUIET = settings(deadline=None, max_examples=40, derandomize=True)
THIRD = Fraction(1, 3)


def test_a_circle_gives_a_third_each() -> None:
    """ABC, BCA, CAB: one third each, to the last bit, and as fractions in the facts."""
    order = maximal_lottery(election_from("1: A > B > C\n1: B > C > A\n1: C > A > B"))

    assert order.scores.tolist() == [1 / 3] * 3
    assert order.facts == {"lottery": {"A": "1/3", "B": "1/3", "C": "1/3"}, "worst": "0"}


def test_a_clone_below_changes_nothing() -> None:
    """The copy of C right below C has no chance, and the others keep theirs."""
    order = maximal_lottery(election_from("1: A > B > C > D\n1: B > C > D > A\n1: C > D > A > B"))

    assert order.scores.tolist() == [1 / 3, 1 / 3, 1 / 3, 0]
    assert order.tiers == ((0, 1, 2), (3,))


def test_chances_follow_the_margins_opposite() -> None:
    """In a circle each has the margin between the two others as its chance."""
    games = margins_from("a b 1\nb c 3\nc a 5")

    assert lottery(games) == [Fraction(3, 9), Fraction(5, 9), Fraction(1, 9)]


def test_equals_share_equally() -> None:
    """Of many maximal lotteries the most even one is taken: all tied, or two tied at the top."""
    assert lottery(np.zeros((4, 4), dtype=np.int64)) == [Fraction(1, 4)] * 4
    assert lottery(margins_from("a c 2\na b 0\nb c 0")) == [Fraction(1, 2), Fraction(1, 2), 0]


def against(chances: Sequence[Fraction], games: Margins) -> list[Fraction]:
    """Expected margin against each."""
    m = len(games)
    return [sum((chances[i] * int(games[i, j]) for i in range(m)), Fraction(0)) for j in range(m)]


def corners(games: Margins) -> list[list[Fraction]]:
    """Every corner of the set of maximal lotteries, by trying every set of tight conditions."""
    m = len(games)
    rows = [*np.eye(m, dtype=np.int64).tolist(), *games.T.tolist()]
    found = []
    for tight in combinations(rows, m - 1):
        point = only_solution([*tight, [1] * m], [0] * (m - 1) + [1])
        if point and min(point) >= 0 and min(against(point, games)) >= 0 and point not in found:
            found.append(point)
    return found


def only_solution(rows: Sequence[Sequence[int]], right: Sequence[int]) -> list[Fraction]:
    """The solution of some equations by elimination; nothing where there is not exactly one."""
    left = [[Fraction(x) for x in (*row, b)] for row, b in zip(rows, right, strict=True)]
    for k in range(len(left)):
        pivot = next((r for r in range(k, len(left)) if left[r][k]), None)
        if pivot is None:
            return []
        left[k], left[pivot] = left[pivot], left[k]
        left[k] = [x / left[k][k] for x in left[k]]
        for r in range(len(left)):
            if r != k:
                left[r] = [x - left[r][k] * y for x, y in zip(left[r], left[k], strict=True)]
    return [row[-1] for row in left]


@QUIET
@given(margins(most=4, largest=2))
def test_equals_trying_all_supports(games: Margins) -> None:
    """It is maximal, and no corner of the set of maximal lotteries lies on its nearer side."""
    chances, every = lottery(games), corners(games)
    square = sum(p * p for p in chances)

    assert sum(chances) == 1
    assert min(chances) >= 0
    assert min(against(chances, games)) >= 0
    assert every
    for corner in every:
        # The point of least norm of a polytope sees all of it on the far side (Wolfe, 1976).
        assert sum(p * q for p, q in zip(chances, corner, strict=True)) >= square


@QUIET
@given(uneven_margins())
def test_odd_margins_have_one_lottery(games: Margins) -> None:
    """With odd margins only: level against each with a chance, ahead of each without."""
    chances = lottery(2 * games + np.sign(games))
    games = 2 * games + np.sign(games)
    seen = against(chances, games)

    assert all((p > 0) == (d == 0) for p, d in zip(chances, seen, strict=True))
    assert sum(p > 0 for p in chances) % 2 == 1


def test_a_copy_may_move_the_most_even_one() -> None:
    """Where several lotteries are maximal, a tied copy changes which is the most even.

    The set of all of them does not care for copies; choosing one from it does.
    """
    games = margins_from("a b 1\nc a 1\nb c 2\nb d 9\nd c 9")
    copied = np.zeros((5, 5), dtype=np.int64)
    copied[:4, :4], copied[4, :4], copied[:4, 4] = games, games[0], games[:, 0]

    assert lottery(games) == [Fraction(1, 2), Fraction(1, 4), Fraction(1, 4), 0]
    assert min(lottery(copied)) > 0


@pytest.mark.parametrize("seed", range(30))
def test_seven_with_many_ties(seed: int) -> None:
    """More than are tried at once, with so many ties that signs may hold the point: still exact."""
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.choice([-1, 0, 0, 1], size=(7, 7)), 1)
    games = upper - upper.T
    chances = lottery(games)

    assert len(games) > _FEW
    assert sum(chances) == 1
    assert min(chances) >= 0
    assert min(against(chances, games)) >= 0


def test_sixty_random_alternatives() -> None:
    """Margins of a hundred thousand voters between sixty alternatives: exact all the same."""
    rng = np.random.default_rng(0)
    upper = np.triu(rng.integers(-50_000, 50_000, size=(60, 60)), 1)
    games = upper - upper.T
    order = maximal_lottery(election_of_margins(games))

    assert Fraction(order.facts["worst"]) == 0
    assert sum(Fraction(p) for p in order.facts["lottery"].values()) == 1
