"""Impartial culture: every voter draws one of all orders, each as likely as any other."""

from __future__ import annotations

from itertools import permutations
from math import factorial

import numpy as np

from normwright.aggregate.election import Election, Ints
from normwright.aggregate.populations import checked, of_sequences
from normwright.plugins import Card, plugin

CARD = Card(
    name="impartial-culture",
    kind="populations",
    summary="Every voter draws one of all orders, each equally likely, without the others.",
    reference="Guilbaud, Les théories de l'intérêt général, Économie appliquée 5, 1952",
    status="tested",
)
_COUNTED = 4
"""Alternatives up to which voters are drawn together, by how many give each order."""


@plugin(CARD)
def impartial_culture(voters: int, alternatives: int, rng: np.random.Generator) -> Election:
    """Return independent voters, each with an order drawn from all with the same probability.

    The most divided electorate there is: it bounds how often paradoxes can be expected, and says
    nothing of how often they are met.
    """
    checked(CARD.name, voters, alternatives)
    if alternatives <= _COUNTED:
        orders = np.array(list(permutations(range(alternatives))), dtype=np.int64)
        return of_sequences(orders, impartial_counts(voters, alternatives, 1, rng)[0])
    return of_sequences(np.argsort(rng.random((voters, alternatives)), axis=1))


def impartial_counts(voters: int, alternatives: int, draws: int, rng: np.random.Generator) -> Ints:
    """Return how many voters give each order, shape (draws, m!), orders in dictionary order."""
    orders = factorial(alternatives)
    made: Ints = rng.multinomial(voters, np.full(orders, 1 / orders), size=draws).astype(np.int64)
    return made
