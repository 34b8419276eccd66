"""The array view of votes: rows at the border, arrays inside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normwright.aggregate.election import UNSEEN, Election
from normwright.records import Fault, InputError, Stance, Vote

Ints = NDArray[np.int64]
_VALUE: dict[Stance, int] = {"agree": 1, "disagree": -1, "pass": 0}
_CHUNK = 1 << 22
"""Cells of a table made at once while pairs are counted."""
_THIN = 0.1
"""Share of cells with a vote below which pairs are counted vote by vote."""


@dataclass(frozen=True, eq=False)
class Profile:
    """Votes of participants on statements: the votes that there are, and nothing for the others.

    Person after person, each in order of statement, as in a compressed sparse row matrix. A pass
    is a vote of 0; a statement that somebody did not see has no vote, and costs no memory.
    """

    participants: tuple[str, ...]
    statements: tuple[str, ...]
    starts: Ints
    """Where each participant's votes begin, shape (participants + 1,)."""
    columns: NDArray[np.int32]
    """Number of the statement of each vote, shape (votes,); ascending within a participant."""
    values: NDArray[np.int8]
    """1 agree, -1 disagree, 0 pass; shape (votes,)."""

    @classmethod
    def of(
        cls, votes: Iterable[Vote], *, participants: Sequence[str], statements: Sequence[str]
    ) -> Profile:
        """Return the profile of the votes of these participants on these statements.

        Votes of others, or on other statements, are left out. If a participant voted twice on a
        statement the later vote in the sequence counts.
        """
        row = {p: i for i, p in enumerate(participants)}
        column = {s: j for j, s in enumerate(statements)}
        cells = [
            (row[v.participant], column[v.statement], _VALUE[v.value])
            for v in votes
            if v.participant in row and v.statement in column
        ]
        table = np.array(cells, dtype=np.int64).reshape(-1, 3)
        return cls.from_arrays(participants, statements, *table.T)

    @classmethod
    def from_arrays(
        cls,
        participants: Sequence[str],
        statements: Sequence[str],
        rows: ArrayLike,
        columns: ArrayLike,
        values: ArrayLike,
    ) -> Profile:
        """Return the profile of votes given as numbers, in any order.

        If there are two votes of one participant on one statement the later one counts.

        Args:
            participants: their names.
            statements: their names.
            rows: number of the participant of each vote, shape (votes,).
            columns: number of the statement of each vote, shape (votes,).
            values: 1 agree, 0 pass, -1 disagree, shape (votes,).

        Raises:
            InputError: where a number has no name, a value is none of the three, or the arrays
                differ in length.
        """
        i, j, given = _whole(rows), _whole(columns), np.asarray(values)
        faults = _faults(len(participants), len(statements), i, j, given)
        if faults:
            raise InputError(faults)
        if not ((i[1:] > i[:-1]) | ((i[1:] == i[:-1]) & (j[1:] > j[:-1]))).all():
            cell = i.astype(np.int64) * len(statements) + j
            order = np.argsort(cell, kind="stable")
            last = np.ones(len(order), dtype=np.bool_)
            last[:-1] = np.diff(cell[order]) > 0
            order = order[last]
            i, j, given = i[order], j[order], given[order]
        people = np.arange(len(participants) + 1, dtype=i.dtype)
        starts = np.searchsorted(i, people).astype(np.int64)
        return cls(
            tuple(participants), tuple(statements), starts,
            j.astype(np.int32), given.astype(np.int8),
        )  # fmt: skip

    @classmethod
    def from_tables(
        cls,
        participants: Sequence[str],
        statements: Sequence[str],
        votes: NDArray[Any],
        seen: NDArray[np.bool_],
    ) -> Profile:
        """Return the profile of two tables, as `votes` and `seen` of a profile are.

        A cell that was not seen holds no vote, whatever `votes` says there.
        """
        rows, columns = np.nonzero(seen)
        return cls.from_arrays(participants, statements, rows, columns, votes[rows, columns])

    @property
    def size(self) -> int:
        """Number of votes."""
        return len(self.values)

    @cached_property
    def rows(self) -> NDArray[np.int32]:
        """Number of the participant of each vote, shape (votes,)."""
        people = np.arange(len(self.participants), dtype=np.int32)
        return np.repeat(people, np.diff(self.starts))

    @cached_property
    def votes(self) -> NDArray[np.int8]:
        """The votes as a table of participants by statements, 0 where not seen: for small ones."""
        table = np.zeros((len(self.participants), len(self.statements)), dtype=np.int8)
        table[self.rows, self.columns] = self.values
        return table

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """Whether there is a vote at all; same shape as `votes`, and as large."""
        table = np.zeros((len(self.participants), len(self.statements)), dtype=np.bool_)
        table[self.rows, self.columns] = True
        return table

    def counts(self, rows: NDArray[np.bool_] | None = None) -> Ints:
        """Return agreements, disagreements and passes of each statement, shape (3, statements).

        Args:
            rows: mask of the participants to count, shape (participants,); None counts all.
        """
        kinds = self.columns * np.int32(3) + (self.values + np.int8(1))
        if rows is not None:
            kinds = kinds[np.repeat(rows, np.diff(self.starts))]
        tallies = np.bincount(kinds, minlength=3 * len(self.statements)).reshape(-1, 3)
        counted: Ints = np.ascontiguousarray(tallies.T[[2, 0, 1]]).astype(np.int64)
        return counted

    def election(self) -> Election:
        """Return the votes as ballots: agree above pass above disagree, and grades 2, 1 and 0.

        A statement that was not seen is left out of the ballot, and compared with nothing.
        """
        shape = (len(self.participants), len(self.statements))
        tiers, grades = (np.full(shape, UNSEEN, dtype=np.int16) for _ in range(2))
        tiers[self.rows, self.columns] = 1 - self.values
        grades[self.rows, self.columns] = 1 + self.values
        return Election(
            self.statements,
            tiers,
            np.ones(len(tiers), dtype=np.int64),
            unranked="apart",
            grades=grades,
            approved_from=2,
            pairwise=self.wins(),
        )

    def wins(self) -> Ints:
        """Return how many participants put statement i above j, shape (statements, statements).

        A participant's votes rank agree above pass above disagree. A statement that was not seen
        is unranked: it is above and below nothing.
        """
        from scipy.sparse import csr_array

        shape = (len(self.participants), len(self.statements))
        wins = np.zeros((shape[1], shape[1]))
        thin = self.size < _THIN * shape[0] * shape[1]
        step = max(1, shape[0] if thin else _CHUNK // max(1, shape[1]))
        for first in range(0, shape[0], step):
            starts = self.starts[first : first + step + 1]
            kept = slice(starts[0], starts[-1])
            votes, columns, begins = self.values[kept], self.columns[kept], starts - starts[0]
            kinds = []
            for value in (1, 0, -1):
                cast = votes == value
                places = np.concatenate([[0], np.cumsum(cast)])[begins]
                ones = np.ones(int(places[-1]))
                kinds.append(csr_array((ones, columns[cast], places), (len(starts) - 1, shape[1])))
            if thin:
                agree, passed, against = kinds
                wins += (agree.T @ (passed + against) + passed.T @ against).toarray()
            else:
                # Where most cells hold a vote, products of tables are quicker.
                tables = [kind.toarray() for kind in kinds]
                wins += tables[0].T @ (tables[1] + tables[2]) + tables[1].T @ tables[2]
        # Counts stay far below 2**53, so the float products are exact.
        return np.rint(wins).astype(np.int64)


def _whole(numbers: ArrayLike) -> NDArray[Any]:
    """Numbers as they are where they are wide enough, without a copy; others widened."""
    given = np.asarray(numbers)
    return given if given.dtype in (np.int32, np.int64) else given.astype(np.int64)


def _faults(
    participants: int,
    statements: int,
    rows: NDArray[Any],
    columns: NDArray[Any],
    values: NDArray[Any],
) -> list[Fault]:
    faults = []
    if not len(rows) == len(columns) == len(values):
        lengths = f"{len(rows)} participants, {len(columns)} statements and {len(values)} values"
        faults.append(Fault(where="votes", expected="as many of each", seen=lengths))
    for name, numbers, size in (
        ("participants of votes", rows, participants), ("statements of votes", columns, statements),
    ):  # fmt: skip
        if len(numbers) and (numbers.min() < 0 or numbers.max() >= size):
            seen = f"numbers from {numbers.min()} to {numbers.max()}"
            faults.append(Fault(where=name, expected=f"numbers from 0 to {size - 1}", seen=seen))
    odd_ones = (values != 0) & (values != 1) & (values != -1)
    if odd_ones.any():
        odd = values[odd_ones][0]
        do = "Leave a vote out where there is none: missing is not pass."
        faults.append(Fault(where="values of votes", expected="1, 0 or -1", seen=str(odd), do=do))
    return faults
