"""Arithmetic on six counts says what the methods and the axioms themselves say."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pytest
from tests.aggregate.small import remembered

from normwright import plugins
from normwright.aggregate import Election, triples
from normwright.aggregate.axioms import search
from normwright.aggregate.methods import Method
from normwright.aggregate.populations.impartial_anonymous_culture import anonymous_counts

LEVELS = [tuple(order.index(a) for a in range(3)) for order in triples.ORDERS]


def six(counts: np.ndarray) -> Election:
    """The election of six counts."""
    given = counts > 0
    orders = np.array(LEVELS, dtype=np.int16)[given]
    return Election(("A", "B", "C"), orders, counts[given].astype(np.int64))


def small(draws: int, *, voters: int, seed: int) -> np.ndarray:
    """Drawn counts of few voters: ties are frequent."""
    rng = np.random.default_rng(seed)
    return np.concatenate(
        [anonymous_counts(n, 3, draws // voters, rng) for n in range(1, voters + 1)]
    )


@pytest.mark.parametrize("rule", sorted(triples.RULES))
def test_winners_are_those_of_the_method(rule: str) -> None:
    """On thousands of profiles with many ties the winners are the first tier of the method."""
    counts = small(3000, voters=12, seed=1)
    method: Method = plugins.get("methods", rule)
    expected = [set(method(six(row)).tiers[0]) for row in counts]

    assert [set(np.flatnonzero(row).tolist()) for row in triples.RULES[rule](counts)] == expected


def test_condorcet_winner_is_the_one_of_the_margins() -> None:
    """It beats both others in the margins of the election."""
    counts = small(3000, voters=12, seed=2)
    expected = [(six(row).margins > 0).sum(axis=1) == 2 for row in counts]

    np.testing.assert_array_equal(triples.condorcet(counts), expected)


@pytest.mark.parametrize("rule", ["antiplurality", "borda", "plurality"])
def test_manipulable_is_what_trying_every_joint_lie_finds(rule: str) -> None:
    """All who prefer a target try every division of themselves among the six orders."""
    counts = small(240, voters=7, seed=3)
    method = remembered(plugins.get("methods", rule))
    found = triples.manipulable(counts, rule)

    np.testing.assert_array_equal(found, [lies_pay(method, row) for row in counts])
    assert 0 < found.sum() < len(found)


def lies_pay(method: Method, counts: np.ndarray) -> bool:
    """The slow obvious way."""
    winners = method(six(counts)).tiers[0]
    if len(winners) > 1:
        return False
    for target in {0, 1, 2} - set(winners):
        prefer = np.array([levels[target] < levels[winners[0]] for levels in LEVELS])
        honest = np.where(prefer, 0, counts)
        for told in combinations_with_replacement(range(6), int(counts[prefer].sum())):
            lies = np.bincount(np.array(told, dtype=np.int64), minlength=6)
            if method(six(honest + lies)).tiers[0] == (target,):
                return True
    return False


def test_irv_fails_where_the_axiom_finds_a_coalition() -> None:
    """Where a sole winner can be lifted into losing, the axiom, trying everything, finds it."""
    # Under 17 voters it does not happen: 6 ABC, 2 BAC, 4 BCA, 5 CAB is the least that is quoted.
    rng = np.random.default_rng(4)
    orders = [triples.ORDERS.index(o) for o in ((0, 1, 2), (1, 0, 2), (1, 2, 0), (2, 0, 1))]
    parts = rng.multinomial(17, [6 / 17, 2 / 17, 4 / 17, 5 / 17], size=300)
    counts = np.zeros((300, 6), dtype=np.int64)
    counts[:, orders] = parts
    found = triples.irv_not_monotone(counts)
    chosen = np.concatenate([np.flatnonzero(found)[:8], np.flatnonzero(~found)[:25]])
    counts, found = counts[chosen], found[chosen]
    method = remembered(plugins.get("methods", "irv"))
    sole = triples.irv(counts).sum(axis=1) == 1
    expected = []
    for row, alone in zip(counts, sole, strict=True):
        looked = search("coalition-monotonicity", method, six(row), seed=0, limit=100_000)
        assert looked.exhaustive
        expected.append(alone and looked.witness is not None)

    np.testing.assert_array_equal(found, expected)
    assert 4 <= found.sum() < len(found)
