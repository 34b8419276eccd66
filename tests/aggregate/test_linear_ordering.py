"""The linear ordering problem: both ways to solve it against all permutations."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from tests.aggregate.margins import Margins, margins

from normwright.aggregate import linear_ordering
from normwright.aggregate.linear_ordering import _Cutting, _over_sets, linear_orders

QUIET = settings(deadline=None, max_examples=60, derandomize=True)


def overruled(games: Margins, order: tuple[int, ...]) -> int:
    """What an order overrules, pair by pair."""
    return sum(max(0, int(games[low, high])) for high, low in combinations(order, 2))


def optima(games: Margins) -> list[tuple[int, ...]]:
    """Every optimal order, by trying all."""
    every = list(permutations(range(len(games))))
    costs = [overruled(games, order) for order in every]
    return [order for order, cost in zip(every, costs, strict=True) if cost == min(costs)]


def check(games: Margins, found: linear_ordering.Optima) -> None:
    """Compare all that is said of the optimal orders with the list of them."""
    every = optima(games)
    m = len(games)
    left, tiers = list(range(m)), []
    while left:
        tiers.append(tuple(sorted({min(left, key=order.index) for order in every})))
        left = [i for i in left if i not in tiers[-1]]

    assert found.cost == found.bound == overruled(games, every[0])
    assert found.tiers == tuple(tiers)
    for i, j in permutations(range(m), 2):
        assert found.always[i, j] == all(o.index(i) < o.index(j) for o in every)


@QUIET
@given(margins(least=0, most=5))
def test_over_sets_equals_all_permutations(games: Margins) -> None:
    """Cost, every pair that all optimal orders agree on, and the tiers, ties included."""
    check(games, _over_sets(games))


@settings(QUIET, max_examples=30)
@given(margins(least=2, most=5))
def test_cutting_planes_equal_all_permutations(games: Margins) -> None:
    """The integer programs find the same, and prove it, whatever is tied."""
    check(games, _Cutting(games).optima())


@settings(QUIET, max_examples=15)
@given(margins(least=2, most=5, largest=1 << 40))
def test_margins_of_any_size(games: Margins) -> None:
    """Margins of millions of millions are solved as exactly."""
    found = _Cutting(games * 1000).optima()

    assert found.cost == found.bound == _over_sets(games).cost * 1000


def drawn(m: int, voters: int, seed: int) -> Margins:
    """Margins of random orders."""
    rng = np.random.default_rng(seed)
    places = rng.permuted(np.tile(np.arange(m), (voters, 1)), axis=1)
    wins: Margins = (places[:, :, None] < places[:, None, :]).sum(axis=0)
    return wins - wins.T


@pytest.mark.parametrize("voters", [5, 6, 50])
def test_cutting_planes_equal_all_sets(voters: int) -> None:
    """Beyond what permutations can reach the two ways agree, on tied margins too."""
    games = drawn(11, voters, seed=voters)
    first, second = _over_sets(games), _Cutting(games).optima()

    assert (first.cost, first.tiers) == (second.cost, second.tiers)
    assert (first.always == second.always).all()


def test_a_gap_is_closed_by_branching() -> None:
    """Where the relaxed program proves less than the optimum, the integer one closes the gap."""
    rng = np.random.default_rng(166)
    upper = np.triu(rng.choice([-1, 1], size=(14, 14)), 1)
    games = (upper - upper.T).astype(np.int64)
    problem = _Cutting(games)
    relaxed = problem.relax(problem.cost)
    assert relaxed is not None
    bound, _ = problem.proved(relaxed[1])
    first, second = _over_sets(games), _Cutting(games).optima()

    assert -(-bound // problem.grain) < first.cost
    assert (first.cost, first.tiers) == (second.bound, second.tiers)
    assert (first.always == second.always).all()


def test_thirty_random_alternatives_are_proved() -> None:
    """Thirty alternatives of a thousand random voters are one cycle, solved with a proof."""
    games = drawn(30, 1001, seed=2)
    found = linear_orders(games)

    assert found.cost == found.bound
    assert found.cuts > 0
    assert (found.always | found.always.T).sum() + 30 <= 900
