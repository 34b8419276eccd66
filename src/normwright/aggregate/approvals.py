"""The array view of approvals that slate rules and audits read: who supports what."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import Election, Inapplicable, Ints

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Approvals:
    """Distinct sets of approved alternatives and how many voters gave each, by alternative.

    Sets are sorted, so that neither the order of ballots nor who gave them is left in it. Time and
    memory follow the number of approvals, not voters times alternatives.
    """

    alternatives: tuple[str, ...]
    supporters: Ints
    """Numbers of the sets that hold each alternative, alternative after alternative."""
    starts: Ints
    """Where each alternative begins in `supporters`, shape (m + 1,)."""
    counts: Ints
    """Voters of each set, shape (k,). A set that holds nothing is left out."""
    voters: int
    """All voters, those who approve of nothing included: it is of them that n / size is a part."""
    exposure: float | None
    """Share of voters and alternatives of which it is known that the voter was asked; None where
    ballots do not tell an alternative that was not seen from one that was not approved."""

    @classmethod
    def of(cls, election: Election, what: str) -> Approvals:
        """Return the approvals of an election; `what` names the rule or audit that needs them.

        Unseen is not approval, and neither is a pass.

        Raises:
            Inapplicable: where ballots do not say who approves of what, or where nobody voted.
        """
        if election.bundles is not None:
            raise Inapplicable.because(
                what, "one ballot a voter", "voters of several orders each (paired comparisons)",
                "Who was preferred in a pair is not thereby approved: give votes or rankings.",
            )  # fmt: skip
        approved = election.approvals(what)
        if not election.voters:
            raise Inapplicable.because(what, "at least one voter", "no ballots")
        some = approved.any(axis=1)
        packed, counts = distinct(np.packbits(approved[some], axis=1), election.counts[some])
        sets = np.unpackbits(packed, axis=1, count=approved.shape[1])
        # Column after column, the rows of each sorted.
        columns, rows = np.nonzero(sets.T)
        starts = np.searchsorted(columns, np.arange(sets.shape[1] + 1))
        return cls(
            election.alternatives,
            rows.astype(np.int64),
            starts.astype(np.int64),
            counts,
            election.voters,
            exposure_of(election),
        )

    @cached_property
    def columns(self) -> Ints:
        """Alternative of each entry of `supporters`."""
        return np.repeat(np.arange(len(self.alternatives)), np.diff(self.starts))

    @cached_property
    def support(self) -> Ints:
        """Voters who approve of each alternative, shape (m,)."""
        return self.count(self.counts)

    @cached_property
    def sizes(self) -> Ints:
        """How many alternatives each set holds, shape (k,)."""
        return np.bincount(self.supporters, minlength=len(self.counts)).astype(np.int64)

    def of_alternative(self, alternative: int) -> Ints:
        """Return the numbers of the sets that hold an alternative."""
        return self.supporters[self.starts[alternative] : self.starts[alternative + 1]]

    def count(self, values: Ints) -> Ints:
        """Return the exact sum over supporters of each alternative of whole numbers, shape (m,)."""
        total = np.concatenate([[0], np.cumsum(values[self.supporters])])
        summed: Ints = total[self.starts[1:]] - total[self.starts[:-1]]
        return summed

    def add_up(self, values: Floats) -> Floats:
        """Return the sum over supporters of each alternative, each by itself, shape (m,)."""
        m = len(self.alternatives)
        summed = np.bincount(self.columns, weights=values[self.supporters], minlength=m)
        return summed.astype(np.float64)

    def satisfaction(self, members: Iterable[int]) -> Ints:
        """Return how many of some alternatives each set holds, shape (k,)."""
        held = np.zeros(len(self.counts), dtype=np.int64)
        for member in members:
            held[self.of_alternative(member)] += 1
        return held

    def held_by_all(self, sets: Ints) -> tuple[int, ...]:
        """Return the alternatives that every one of some sets holds."""
        chosen = np.zeros(len(self.counts), dtype=np.int64)
        chosen[sets] = 1
        return tuple(np.flatnonzero(self.count(chosen) == len(sets)).tolist())

    def named(self, numbers: Iterable[int]) -> list[str]:
        """Return the names of alternatives."""
        return [self.alternatives[j] for j in numbers]

    def facts(self) -> dict[str, Any]:
        """Return what every slate rule says of the approvals it read."""
        return {"voters": self.voters, "exposure": self.exposure}


def check_size(size: int, alternatives: int, what: str) -> None:
    """Raise where no slate of that size exists.

    Raises:
        Inapplicable: where the size is not between 1 and the number of alternatives.
    """
    if not 1 <= size <= alternatives:
        raise Inapplicable.because(
            what, f"a size between 1 and {alternatives}, the number of alternatives", str(size)
        )


def exposure_of(election: Election) -> float | None:
    """Return the share of voters and alternatives that have a grade; None without grades."""
    if election.grades is None or not election.voters or not election.alternatives:
        return None
    seen = np.count_nonzero(election.grades >= 0, axis=1)
    return float(election.counts @ seen) / (election.voters * len(election.alternatives))


def leaders(
    values: Floats, errors: Floats, exact: Callable[[int], Fraction], among: Ints
) -> tuple[int, ...]:
    """Return who exactly has the least value: numbers in floating point sort out, fractions decide.

    Args:
        values: each one's value in floating point, shape (m,).
        errors: a bound on how far that is from the truth, shape (m,).
        exact: the exact value of one.
        among: numbers of those that compete.
    """
    near = among[values[among] - errors[among] <= (values[among] + errors[among]).min()]
    if len(near) == 1:
        return (int(near[0]),)
    found = {int(j): exact(int(j)) for j in near}
    least = min(found.values())
    return tuple(j for j, value in found.items() if value == least)


def distinct(rows: NDArray[Any], counts: Ints) -> tuple[NDArray[Any], Ints]:
    """Return each row that somebody gave once, in an order of its own, and how many gave it."""
    rows, counts = np.ascontiguousarray(rows[counts > 0]), counts[counts > 0]
    if not rows.size:
        return rows[:0], counts[:0]
    whole = rows.view(f"V{rows.shape[1] * rows.itemsize}").ravel()
    _, first, number = np.unique(whole, return_index=True, return_inverse=True)
    summed = np.zeros(len(first), dtype=np.int64)
    np.add.at(summed, number, counts)
    return rows[first], summed
