"""Polarised: two camps around an order and its reverse."""

from __future__ import annotations

import numpy as np

from normwright.aggregate.election import Election
from normwright.aggregate.populations import checked, of_sequences
from normwright.aggregate.populations.mallows import mallows_places
from normwright.plugins import Card, plugin

CARD = Card(
    name="polarised",
    kind="populations",
    summary="Two camps, one around an order and one around its reverse.",
    reference="Mixture of two models of Mallows, Biometrika 44, 1957",
    status="tested",
)


@plugin(CARD)
def polarised(
    voters: int,
    alternatives: int,
    rng: np.random.Generator,
    *,
    share: float = 0.5,
    dispersion: float = 0.4,
) -> Election:
    """Return two camps: around A > B > C and so on, and around its reverse.

    Args:
        voters: number of voters.
        alternatives: number of alternatives.
        rng: generator.
        share: part of the voters in the first camp, to the nearest voter.
        dispersion: of both camps, as in `mallows`.

    Raises:
        InputError: where a parameter is out of range.
    """
    checked(CARD.name, voters, alternatives, shares={"share": share, "dispersion": dispersion})
    places = mallows_places(voters, alternatives, dispersion, rng)
    first = round(share * voters)
    places[first:] = alternatives - 1 - places[first:]
    return of_sequences(np.argsort(places, axis=1))
