"""Impartial anonymous culture: every count of the orders is as likely as any other."""

from __future__ import annotations

from itertools import permutations
from math import factorial

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import Election, Ints
from normwright.aggregate.populations import checked, of_sequences
from normwright.plugins import Card, plugin

CARD = Card(
    name="impartial-anonymous-culture",
    kind="populations",
    summary="Every way to divide the voters among the orders is equally likely.",
    reference="Gehrlein and Fishburn, Condorcet's paradox and anonymous preference profiles, "
    "Public Choice 26, 1976",
    status="tested",
)
_COUNTED = 3
"""Alternatives up to which the division itself is drawn."""


@plugin(CARD)
def impartial_anonymous_culture(
    voters: int, alternatives: int, rng: np.random.Generator
) -> Election:
    """Return a profile drawn from all anonymous ones, each with the same probability; exact.

    Of few alternatives the division of voters among the orders is drawn by stars and bars. Of more
    an urn gives the same distribution: the voter number t + 1 repeats one of the t before with
    probability t / (m! + t), and else draws any order (Pólya; Berg, Public Choice 47, 1985).
    """
    checked(CARD.name, voters, alternatives)
    if alternatives <= _COUNTED:
        orders = np.array(list(permutations(range(alternatives))), dtype=np.int64)
        return of_sequences(orders, anonymous_counts(voters, alternatives, 1, rng)[0])
    fresh = np.argsort(rng.random((voters, alternatives)), axis=1)
    return of_sequences(fresh[_repeated(voters, factorial(alternatives), rng)])


def anonymous_counts(voters: int, alternatives: int, draws: int, rng: np.random.Generator) -> Ints:
    """Return how many voters give each order, shape (draws, m!), orders in dictionary order.

    Every division is equally likely: m! - 1 bars are set among the voters in all different places,
    and what lies between two is one order's.
    """
    bars = factorial(alternatives) - 1
    places = voters + bars
    cut = np.sort(rng.integers(0, places, size=(draws, bars)), axis=1)
    while (equal := np.flatnonzero((np.diff(cut, axis=1) == 0).any(axis=1))).size:
        cut[equal] = np.sort(rng.integers(0, places, size=(equal.size, bars)), axis=1)
    edges = np.column_stack([np.full(draws, -1), cut, np.full(draws, places)])
    made: Ints = np.diff(edges, axis=1) - 1
    return made


def _repeated(voters: int, orders: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Whose order each voter gives, shape (voters,): their own, or an earlier voter's."""
    before = np.arange(voters)
    copies = rng.random(voters) < before / (float(orders) + before)
    source = np.where(copies, rng.integers(0, np.maximum(1, before)), before)
    while not np.array_equal(source, source[source]):
        source = source[source]
    return source
