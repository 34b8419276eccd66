"""Synthetic populations, one file each: sizes and a seed in, ballots out. Nobody's real opinion."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import Election, Ints
from normwright.records import Fault, InputError

Population = Callable[[int, int, np.random.Generator], Election]
"""From a number of voters, a number of alternatives and a generator to strict orders of all.
What a population is shaped by are keyword arguments with defaults."""

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def labels(alternatives: int) -> tuple[str, ...]:
    """Return names for so many alternatives: letters, or numbered where there are more."""
    if alternatives <= len(_LETTERS):
        return tuple(_LETTERS[:alternatives])
    digits = len(str(alternatives))
    return tuple(f"A{number:0{digits}}" for number in range(1, alternatives + 1))


def of_sequences(best_first: NDArray[np.int64], counts: Ints | None = None) -> Election:
    """Return the election of strict orders given best first, shape (k, m), a voter each if not said
    otherwise; orders that nobody gave fall away.
    """
    rows, m = best_first.shape
    levels = np.empty((rows, m), dtype=np.int16)
    np.put_along_axis(levels, best_first, np.arange(m, dtype=np.int16)[None, :], axis=1)
    given = np.ones(rows, dtype=np.int64) if counts is None else counts
    return Election(labels(m), levels, given).compact()


def checked(
    population: str,
    voters: int,
    alternatives: int,
    shares: Mapping[str, float] | None = None,
    positive: Mapping[str, float] | None = None,
) -> None:
    """Check the sizes and the shape of a population.

    Args:
        population: its slug.
        voters: number of voters.
        alternatives: number of alternatives.
        shares: parameters that lie from 0 to 1.
        positive: parameters above 0.

    Raises:
        InputError: with everything that is out of range.
    """
    faults = [
        Fault(where=f"{population}: {name}", expected=expected, seen=f"{value}", do="")
        for name, value, expected, good in (
            ("voters", voters, "a whole number from 0", voters >= 0),
            ("alternatives", alternatives, "a whole number from 1", alternatives >= 1),
            *((n, v, "a share from 0 to 1", 0 <= v <= 1) for n, v in (shares or {}).items()),
            *((n, v, "a number above 0", v > 0) for n, v in (positive or {}).items()),
        )
        if not good
    ]
    if faults:
        raise InputError(faults)
