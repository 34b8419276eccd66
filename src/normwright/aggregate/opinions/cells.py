"""The votes that opinions are looked for in: who has voted enough, on what was not moderated out.

People stand in an order that their votes decide, never their names or places in a file, so that
every random draw falls on the same people however the votes came.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.profile import Profile

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

MIN_VOTES = 7
"""Votes from which a participant has a place on the map; fewer where there are fewer statements."""


@dataclass(frozen=True, eq=False)
class Cells:
    """The votes there are, person after person; missing ones cost nothing."""

    starts: Ints
    """Where each person's votes begin, shape (people + 1,)."""
    columns: NDArray[np.int32]
    """Statement of each vote, shape (votes,)."""
    values: NDArray[np.int8]
    """1 agree, -1 disagree, 0 pass, shape (votes,)."""
    statements: int

    @classmethod
    def of(cls, profile: Profile) -> Cells:
        """All votes of a profile, in its order."""
        return cls(profile.starts, profile.columns, profile.values, len(profile.statements))

    @property
    def people(self) -> int:
        """Number of people."""
        return len(self.starts) - 1

    @cached_property
    def rows(self) -> NDArray[np.int32]:
        """Person of each vote, shape (votes,)."""
        return np.repeat(np.arange(self.people, dtype=np.int32), np.diff(self.starts))

    @cached_property
    def kinds(self) -> NDArray[np.int32]:
        """Statement and value of each vote as one number, 3 x statement + value + 1."""
        return self.columns * np.int32(3) + (self.values + np.int8(1))

    @cached_property
    def tallies(self) -> Ints:
        """Disagreements, passes and agreements of each statement, shape (statements, 3)."""
        return np.bincount(self.kinds, minlength=3 * self.statements).reshape(-1, 3)

    @cached_property
    def means(self) -> Floats:
        """Mean vote on each statement; 0 where nobody voted."""
        total = self.tallies[:, 2] - self.tallies[:, 0]
        means: Floats = total / np.maximum(self.tallies.sum(axis=1), 1)
        return means

    @cached_property
    def centred(self) -> csr_array:
        """Votes minus the mean of their statement: a missing vote is 0, the mean."""
        return self.matrix(self.values - self.means[self.columns])

    @cached_property
    def indicators(self) -> csr_array:
        """One where a person cast a vote of a kind, shape (people, 3 x statements)."""
        from scipy.sparse import csr_array

        ones = np.ones(len(self.values))
        shape = (self.people, 3 * self.statements)
        return csr_array((ones, self.kinds, self._pointers), shape=shape)

    def matrix(self, data: NDArray[np.float64]) -> csr_array:
        """Numbers, one for each vote, as a sparse matrix of people by statements."""
        from scipy.sparse import csr_array

        shape = (self.people, self.statements)
        return csr_array((data, self.columns, self._pointers), shape=shape)

    @property
    def _pointers(self) -> NDArray[np.int32]:
        # Sparse products are quicker where all indices are short; votes stay far below 2**31.
        return self.starts.astype(np.int32)

    def varies(self) -> bool:
        """Whether anybody differs from anybody on anything."""
        return bool((np.count_nonzero(self.tallies, axis=1) > 1).any())

    def only(self, some: Ints) -> Cells:
        """The votes of some of the people, by number, in that order."""
        from scipy.sparse import csr_array

        shape = (self.people, self.statements)
        whole = csr_array((self.values, self.columns, self._pointers), shape=shape)
        part = whole[some]
        return Cells(part.indptr.astype(np.int64), part.indices, part.data, self.statements)

    def keeping(self, kept: Mask) -> Cells:
        """The same people with some of their votes only; mask of shape (votes,)."""
        count = np.concatenate([[0], np.cumsum(kept)])
        return Cells(count[self.starts], self.columns[kept], self.values[kept], self.statements)

    def shuffled(self, rng: np.random.Generator) -> Cells:
        """The same tallies and the same pattern of who saw what, with nothing to tie them."""
        # One key holds both: a statement's number, and a place at random within it.
        order = np.argsort(self.columns + rng.random(len(self.values)))
        place = np.argsort(self.columns, kind="stable")
        values = np.empty_like(self.values)
        values[place] = self.values[order]
        return replace(self, values=values)


def places(cells: Cells, needed: int) -> Ints:
    """Return the people with at least so many votes, in an order that their votes decide.

    Two who cast the same votes are interchangeable and stay as they were. The order is that of a
    number computed from a person's votes alone: which statements, known by how they were voted on.
    """
    statement = _mixed(cells.tallies.astype(np.uint64) @ _ODD)
    kind = _mixed(np.add.outer(statement, _ODD).ravel())
    person = _summed(kind[cells.kinds], cells.starts)
    # Statements with equal tallies are told apart by who voted on them.
    more = np.zeros_like(kind)
    np.add.at(more, cells.kinds, _mixed(person)[cells.rows])
    statement = _mixed(more.reshape(-1, 3) @ _ODD)
    kind = _mixed(np.add.outer(statement, _ODD).ravel())
    person = _summed(kind[cells.kinds], cells.starts)
    enough = np.flatnonzero(np.diff(cells.starts) >= needed)
    return enough[np.argsort(person[enough], kind="stable")]


_ODD = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Numbers whose sums tell sets apart (the finaliser of SplitMix64; Steele et al., 2014)."""
    z = numbers + _ODD[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = z ^ (z >> np.uint64(31))
    return mixed


def _summed(numbers: NDArray[np.uint64], starts: Ints) -> NDArray[np.uint64]:
    """Sums within each person, modulo 2**64."""
    total = np.zeros(len(numbers) + 1, dtype=np.uint64)
    np.cumsum(numbers, out=total[1:])
    summed: NDArray[np.uint64] = total[starts[1:]] - total[starts[:-1]]
    return summed
