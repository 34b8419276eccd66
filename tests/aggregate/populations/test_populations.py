"""Populations are what their cards say: against formulas, and against definitions."""

from __future__ import annotations

from itertools import combinations_with_replacement, permutations
from typing import Any

import numpy as np
import pytest

from normwright import plugins
from normwright.aggregate import Election
from normwright.aggregate.majority import condorcet_winner, smith_set
from normwright.aggregate.populations import Population, labels
from normwright.aggregate.populations.impartial_anonymous_culture import anonymous_counts
from normwright.aggregate.populations.mallows import mallows_places
from normwright.records import InputError

NAMES = [card.name for card in plugins.cards("populations")]
ORDERS3 = list(permutations(range(3)))


def drawn(name: str, voters: int, m: int, /, seed: int = 0, **shape: Any) -> Election:
    """One election of a population."""
    population: Population = plugins.get("populations", name)
    return population(voters, m, np.random.default_rng(seed), **shape)


def frequencies(election: Election) -> dict[tuple[int, ...], int]:
    """How many voters give each order, best first."""
    found: dict[tuple[int, ...], int] = {}
    for levels, count in zip(election.orders.tolist(), election.counts.tolist(), strict=True):
        order = tuple(sorted(range(len(levels)), key=levels.__getitem__))
        found[order] = found.get(order, 0) + count
    return found


def close(found: np.ndarray, expected: np.ndarray) -> None:
    """Pearson's statistic of counts lies within what chance gives once in a hundred thousand."""
    from scipy.stats import chi2

    statistic = float(((found - expected) ** 2 / expected).sum())
    assert statistic < chi2.isf(1e-5, len(found) - 1)


@pytest.mark.parametrize("name", NAMES)
def test_strict_orders_of_all(name: str) -> None:
    """So many voters, all alternatives in strict order; the seed decides everything."""
    for voters, m in ((0, 3), (1, 3), (7, 3), (50, 4), (30, 7), (5, 30)):
        one = drawn(name, voters, m, seed=voters)
        again = drawn(name, voters, m, seed=voters)

        assert one.alternatives == labels(m)
        assert one.voters == voters
        assert (one.counts > 0).all()
        assert all(sorted(row) == list(range(m)) for row in one.orders.tolist())
        np.testing.assert_array_equal(one.orders, again.orders)
        np.testing.assert_array_equal(one.counts, again.counts)


@pytest.mark.parametrize("name", NAMES)
def test_out_of_range_is_refused_at_once(name: str) -> None:
    """Every fault of the sizes is named."""
    with pytest.raises(InputError) as refused:
        drawn(name, -1, 0)

    assert len(refused.value.faults) == 2


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("mallows", {"dispersion": 1.5}),
        ("plackett-luce", {"spread": 0.0}),
        ("spatial", {"dimensions": 0}),
        ("polarised", {"share": -0.1}),
        ("planted-cycle", {"length": 2}),
        ("planted-cycle", {"length": 9}),
    ],
)
def test_parameters_out_of_range_are_refused(name: str, shape: dict[str, Any]) -> None:
    """The parameter is named."""
    with pytest.raises(InputError, match=next(iter(shape))):
        drawn(name, 5, 4, **shape)


@pytest.mark.parametrize("m", [3, 5])
def test_impartial_culture_is_uniform(m: int) -> None:
    """Counted together or drawn one by one, every order is equally likely."""
    found = frequencies(drawn("impartial-culture", 60_000, m))
    orders = list(permutations(range(m)))

    close(np.array([found.get(o, 0) for o in orders]), np.full(len(orders), 60_000 / len(orders)))


def test_anonymous_culture_is_uniform_on_profiles() -> None:
    """Stars and bars and the urn give every anonymous profile of two voters alike."""
    profiles = list(combinations_with_replacement(range(6), 2))
    found = dict.fromkeys(profiles, 0)
    for row in anonymous_counts(2, 3, 21_000, np.random.default_rng(1)):
        found[tuple(np.repeat(range(6), row).tolist())] += 1

    close(np.array(list(found.values())), np.full(21, 1000.0))


def test_the_urn_is_anonymous_culture() -> None:
    """With four alternatives two voters agree as often as among all multisets of two of 24."""
    population: Population = plugins.get("populations", "impartial-anonymous-culture")
    rng = np.random.default_rng(2)
    same = sum(len(frequencies(population(2, 4, rng))) == 1 for _ in range(6000))

    # 24 multisets of 300 are of one order twice.
    close(np.array([same, 6000 - same]), np.array([480.0, 5520.0]))


def test_mallows_follows_its_formula() -> None:
    """An order is as likely as dispersion to the number of pairs it turns around."""
    found = frequencies(drawn("mallows", 60_000, 4, dispersion=0.6))
    orders = list(permutations(range(4)))
    turned = [sum(a > b for i, a in enumerate(o) for b in o[i + 1 :]) for o in orders]
    weight = 0.6 ** np.array(turned, dtype=float)

    close(np.array([found.get(o, 0) for o in orders]), 60_000 * weight / weight.sum())
    assert frequencies(drawn("mallows", 9, 4, dispersion=0.0)) == {(0, 1, 2, 3): 9}
    assert mallows_places(3, 1, 0.5, np.random.default_rng(0)).tolist() == [[0], [0], [0]]


def test_plackett_luce_follows_its_formula() -> None:
    """Each place is drawn from what is left in proportion to worth."""
    found = frequencies(drawn("plackett-luce", 60_000, 3, spread=0.7))
    worth = np.exp(0.7 * np.array([1.0, 0.0, -1.0]) / np.sqrt(2 / 3))
    chance = [worth[a] / worth.sum() * worth[b] / (worth[b] + worth[c]) for a, b, c in ORDERS3]

    close(np.array([found.get(o, 0) for o in ORDERS3]), 60_000 * np.array(chance))


def test_single_peaked_orders_are_uniform_and_single_peaked() -> None:
    """Each of the eight orders of four alternatives, and no other, equally often."""
    found = frequencies(drawn("single-peaked", 40_000, 4))

    assert len(found) == 8
    for order in found:
        for place in range(1, 5):
            best = sorted(order[:place])
            assert best == list(range(best[0], best[0] + place))
    close(np.array(list(found.values())), np.full(8, 5000.0))


def test_single_peaked_electorates_have_no_cycle() -> None:
    """With an odd number of voters there is always a Condorcet winner (Black, 1948)."""
    population: Population = plugins.get("populations", "single-peaked")
    rng = np.random.default_rng(3)
    for _ in range(300):
        ballots = population(2 * int(rng.integers(1, 25)) + 1, int(rng.integers(3, 9)), rng)
        assert condorcet_winner(ballots.margins) is not None


def test_spatial_ranks_by_distance_in_one_dimension() -> None:
    """On a line the orders are single-peaked: there is no cycle either."""
    for seed in range(50):
        assert condorcet_winner(drawn("spatial", 51, 6, seed, dimensions=1).margins) is not None


def test_polarised_has_two_camps() -> None:
    """Without dispersion there are two orders, one the reverse of the other, by the share asked."""
    found = frequencies(drawn("polarised", 100, 4, share=0.7, dispersion=0.0))

    assert found == {(0, 1, 2, 3): 70, (3, 2, 1, 0): 30}


def test_planted_cycle_is_a_cycle_of_majorities() -> None:
    """The Smith set is the cycle that was asked for."""
    for seed in range(20):
        ballots = drawn("planted-cycle", 3000, 6, seed, share=0.8, length=4)
        assert smith_set(ballots.margins) == (0, 1, 2, 3)


def test_labels_are_letters_as_far_as_they_go() -> None:
    """Twenty-six letters, then numbers of one width, which sort as they count."""
    assert labels(3) == ("A", "B", "C")
    assert labels(100)[:2] == ("A001", "A002")
    assert sorted(labels(100)) == list(labels(100))
