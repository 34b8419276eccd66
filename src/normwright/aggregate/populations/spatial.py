"""Spatial: voters and alternatives are points, and the nearer is the better."""

from __future__ import annotations

import numpy as np

from normwright.aggregate.election import Election
from normwright.aggregate.populations import checked, of_sequences
from normwright.plugins import Card, plugin

CARD = Card(
    name="spatial",
    kind="populations",
    summary="Voters and alternatives are random points, and a voter ranks by distance.",
    reference="Merrill, A comparison of efficiency of multicandidate electoral systems, "
    "American J. Political Science 28, 1984",
    status="tested",
)


@plugin(CARD)
def spatial(
    voters: int, alternatives: int, rng: np.random.Generator, *, dimensions: int = 2
) -> Election:
    """Return voters who rank alternatives by distance; both are standard normal points.

    Raises:
        InputError: where a parameter is out of range.
    """
    checked(CARD.name, voters, alternatives, positive={"dimensions": dimensions})
    options = rng.standard_normal((alternatives, dimensions))
    people = rng.standard_normal((voters, dimensions))
    # Of the squared distance a voter's own length is the same for all alternatives.
    far = (options**2).sum(axis=1) - 2 * people @ options.T
    return of_sequences(np.argsort(far, axis=1))
