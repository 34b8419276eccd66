"""Mallows: orders around one, the fewer the more pairs they turn around."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import Election
from normwright.aggregate.populations import checked, of_sequences
from normwright.plugins import Card, plugin

CARD = Card(
    name="mallows",
    kind="populations",
    summary="Orders around one central order, less likely by a factor for each pair turned around.",
    reference="Mallows, Non-null ranking models, Biometrika 44, 1957",
    status="tested",
)


@plugin(CARD)
def mallows(
    voters: int, alternatives: int, rng: np.random.Generator, *, dispersion: float = 0.8
) -> Election:
    """Return voters around the order A > B > C and so on.

    The probability of an order is in proportion to dispersion ** (pairs in which it differs): 0
    gives the central order to everybody, 1 is impartial culture.

    Raises:
        InputError: where a parameter is out of range.
    """
    checked(CARD.name, voters, alternatives, shares={"dispersion": dispersion})
    return of_sequences(np.argsort(mallows_places(voters, alternatives, dispersion, rng), axis=1))


def mallows_places(
    voters: int, alternatives: int, dispersion: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the place of each alternative of the central order, 0 the best, shape (voters, m).

    Repeated insertion: each next one is put in front of j of those before with probability in
    proportion to dispersion ** j (Doignon, Pekeč and Regenwetter, Psychometrika 69, 2004).
    """
    places = np.zeros((voters, alternatives), dtype=np.int64)
    for i in range(1, alternatives):
        weight = np.power(float(dispersion), np.arange(i + 1))
        jumped = np.searchsorted(np.cumsum(weight / weight.sum()), rng.random(voters), side="right")
        put = i - np.minimum(jumped, i)
        places[:, :i] += places[:, :i] >= put[:, None]
        places[:, i] = put
    return places
