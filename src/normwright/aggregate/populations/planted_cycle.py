"""Planted cycle: part of the voters hold the turns of one circle, so that majorities do too."""

from __future__ import annotations

import numpy as np

from normwright.aggregate.election import Election
from normwright.aggregate.populations import checked, of_sequences
from normwright.plugins import Card, plugin
from normwright.records import Fault, InputError

CARD = Card(
    name="planted-cycle",
    kind="populations",
    summary="Part of the voters rank a circle of alternatives from each of its points, on top.",
    reference="Condorcet, Essai sur l'application de l'analyse, Paris, 1785",
    status="tested",
)


@plugin(CARD)
def planted_cycle(
    voters: int,
    alternatives: int,
    rng: np.random.Generator,
    *,
    share: float = 0.6,
    length: int = 3,
) -> Election:
    """Return voters of whom a part hold a cycle among the first alternatives; the others vary.

    Those who hold it rank the circle A > B > C > A from each of its points, in equal numbers as
    far as these go, above all else, which they rank at random; the others draw any order.

    Args:
        voters: number of voters.
        alternatives: number of alternatives.
        rng: generator.
        share: part of the voters who hold the cycle, to the nearest voter.
        length: alternatives in the cycle, at least 3 and at most all.

    Raises:
        InputError: where a parameter is out of range.
    """
    checked(CARD.name, voters, alternatives, shares={"share": share})
    if not 3 <= length <= alternatives:
        expected = f"from 3 to the number of alternatives, {alternatives}"
        raise InputError(
            [Fault(where=f"{CARD.name}: length", expected=expected, seen=f"{length}", do="")]
        )
    best_first = np.argsort(rng.random((voters, alternatives)), axis=1)
    holding = round(share * voters)
    turns = (np.arange(length)[None, :] + np.arange(holding)[:, None]) % length
    rest = length + np.argsort(rng.random((holding, alternatives - length)), axis=1)
    best_first[:holding] = np.concatenate([turns, rest], axis=1)
    return of_sequences(best_first)
