"""Plackett–Luce: each next place is drawn in proportion to worth."""

from __future__ import annotations

import numpy as np

from normwright.aggregate.election import Election
from normwright.aggregate.populations import checked, of_sequences
from normwright.plugins import Card, plugin

CARD = Card(
    name="plackett-luce",
    kind="populations",
    summary="Each next place of an order is drawn from what is left, in proportion to its worth.",
    reference="Plackett, The analysis of permutations, Applied Statistics 24, 1975",
    status="tested",
)


@plugin(CARD)
def plackett_luce(
    voters: int, alternatives: int, rng: np.random.Generator, *, spread: float = 1.0
) -> Election:
    """Return voters who agree on what each alternative is worth and differ by chance.

    The logarithms of worth are evenly spaced with standard deviation `spread`, A worth most. An
    order by worth with Gumbel noise is a Plackett–Luce order (Yellott, 1977).

    Raises:
        InputError: where a parameter is out of range.
    """
    checked(CARD.name, voters, alternatives, positive={"spread": spread})
    line = np.arange(alternatives - 1, -1, -1, dtype=np.float64)
    worth = spread * (line - line.mean()) / (line.std() or 1.0)
    return of_sequences(np.argsort(-(worth + rng.gumbel(size=(voters, alternatives))), axis=1))
