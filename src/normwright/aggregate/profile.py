"""The array view of votes: rows at the border, arrays inside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import UNSEEN, Election
from normwright.records import Stance, Vote

_VALUE: dict[Stance, int] = {"agree": 1, "disagree": -1, "pass": 0}


@dataclass(frozen=True)
class Profile:
    """Votes as two matrices of participants by statements.

    A cell that was not seen is False in `seen`, whatever `votes` holds there; a pass is 0 and seen.
    """

    participants: tuple[str, ...]
    statements: tuple[str, ...]
    votes: NDArray[np.int8]
    """1 agree, -1 disagree, 0 pass; shape (participants, statements); 0 where not seen."""
    seen: NDArray[np.bool_]
    """Whether there is a vote at all; same shape."""

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
        shape = (len(row), len(column))
        values, seen = np.zeros(shape, dtype=np.int8), np.zeros(shape, dtype=np.bool_)
        for i, j, value in cells:
            values[i, j] = value
            seen[i, j] = True
        return cls(tuple(participants), tuple(statements), values, seen)

    def counts(self, rows: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """Return agreements, disagreements and passes of each statement, shape (3, statements).

        Args:
            rows: mask of the participants to count, shape (participants,); None counts all.
        """
        mask = slice(None) if rows is None else rows
        votes, seen = self.votes[mask], self.seen[mask]
        kinds = ((votes == 1) & seen, (votes == -1) & seen, (votes == 0) & seen)
        return np.stack([k.sum(axis=0, dtype=np.int64) for k in kinds])

    def election(self) -> Election:
        """Return the votes as ballots: agree above pass above disagree, and grades 2, 1 and 0.

        A statement that was not seen is left out of the ballot, and compared with nothing.
        """
        tiers = np.where(self.seen, 1 - self.votes, UNSEEN).astype(np.int16)
        return Election(
            self.statements,
            tiers,
            np.ones(len(tiers), dtype=np.int64),
            unranked="apart",
            grades=np.where(self.seen, self.votes + 1, UNSEEN).astype(np.int16),
            approved_from=2,
            pairwise=self.wins(),
        )

    def wins(self) -> NDArray[np.int64]:
        """Return how many participants put statement i above j, shape (statements, statements).

        A participant's votes rank agree above pass above disagree. A statement that was not seen
        is unranked: it is above and below nothing.
        """
        agree = ((self.votes == 1) & self.seen).astype(np.float64)
        passed = ((self.votes == 0) & self.seen).astype(np.float64)
        against = ((self.votes == -1) & self.seen).astype(np.float64)
        # Counts stay far below 2**53, so the float products are exact.
        wins: NDArray[np.int64] = np.rint(agree.T @ (passed + against) + passed.T @ against).astype(
            np.int64
        )
        return wins
