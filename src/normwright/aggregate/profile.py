"""The array view of votes and rankings: rows at the border, arrays inside."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from normwright.records import Ballot, Ballots, Stance, Unranked, Vote

_CELLS = 4_000_000
"""Most comparisons of two alternatives held at once."""
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


@dataclass(frozen=True)
class BallotProfile:
    """Rankings as arrays: every order once, and how many voters gave the same orders.

    A voter mostly gives one order; paired comparisons are several of two alternatives each.
    """

    alternatives: tuple[str, ...]
    tiers: NDArray[np.int16]
    """Number of the tier of each alternative, shape (orders, alternatives); -1: unranked."""
    patterns: tuple[tuple[int, ...], ...]
    """The orders that some voter gave, by number."""
    counts: NDArray[np.int64]
    """Voters who gave exactly these, shape (patterns,)."""

    @classmethod
    def of(
        cls, ballots: Ballots, *, voters: Collection[str], alternatives: Sequence[str]
    ) -> BallotProfile:
        """Return the profile of the ballots of these voters over these alternatives.

        What they rank beside these is left out; a ballot that ranks none of them does not count.
        """
        index = {a: j for j, a in enumerate(alternatives)}
        tiers = np.full((len(ballots.orders), len(index)), -1, dtype=np.int16)
        for row, order in zip(tiers, ballots.orders, strict=True):
            for level, names in enumerate(order):
                for name in names:
                    if name in index:
                        row[index[name]] = level
        counted: NDArray[np.bool_] = np.any(tiers >= 0, axis=1)
        eligible = frozenset(voters)
        given: dict[str, list[int]] = defaultdict(list)
        for voter, order_number in zip(ballots.voters, ballots.chosen, strict=True):
            if voter in eligible and counted[order_number]:
                given[voter].append(order_number)
        alike = Counter(tuple(sorted(orders)) for orders in given.values())
        return cls(
            tuple(alternatives),
            tiers,
            tuple(alike),
            np.fromiter(alike.values(), dtype=np.int64, count=len(alike)),
        )

    @property
    def voters(self) -> int:
        """Number of voters who rank anything."""
        return int(self.counts.sum())

    def given(self, weights: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how often each order was given, shape (..., orders), from weights of patterns."""
        sizes = [len(p) for p in self.patterns]
        orders = np.array([k for p in self.patterns for k in p], dtype=np.int64)
        spread = np.repeat(weights, sizes, axis=-1)
        flat = spread.reshape(-1, len(orders))
        made = np.stack(
            [np.bincount(orders, weights=row, minlength=len(self.tiers)) for row in flat]
        )
        return made.reshape(*weights.shape[:-1], len(self.tiers)).astype(np.int64)

    def wins(
        self, unranked: Unranked, weights: NDArray[np.int64] | None = None
    ) -> NDArray[np.int64]:
        """Return how many voters put i above j, shape (..., alternatives, alternatives).

        Args:
            unranked: `last`: what a ballot leaves out is below all that it ranks, and level with
                whatever else it leaves out; `apart`: it is not compared with anything.
            weights: voters of each pattern, shape (..., patterns); None: those there are.
        """
        given = self.given(self.counts if weights is None else weights)
        m = len(self.alternatives)
        wins = np.zeros((*given.shape[:-1], m * m))
        for rows, above in self._above(unranked):
            # Counts stay far below 2**53, so the float products are exact.
            wins += given[..., rows].astype(np.float64) @ above.reshape(len(above), m * m)
        counted: NDArray[np.int64] = np.rint(wins).astype(np.int64)
        return counted.reshape(*given.shape[:-1], m, m)

    def _above(self, unranked: Unranked) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """Orders in pieces, and for each whether it puts i above j, shape (piece, m, m)."""
        m = len(self.alternatives)
        step = max(1, _CELLS // max(1, m * m))
        for start in range(0, len(self.tiers), step):
            rows = slice(start, start + step)
            tiers = self.tiers[rows].astype(np.int64)
            ranked = tiers >= 0
            level = np.where(ranked, tiers, np.iinfo(np.int16).max)
            above = (level[:, :, None] < level[:, None, :]) & ranked[:, :, None]
            if unranked == "apart":
                above &= ranked[:, None, :]
            yield rows, above.astype(np.float64)

    def firsts(self) -> NDArray[np.float64]:
        """Return how many voters put each alternative first, a shared first place divided.

        Of a voter with several orders each counts for its part, so that every voter counts once.
        """
        top = np.where(self.tiers >= 0, self.tiers, np.iinfo(np.int16).max)
        best = (top == top.min(axis=1, keepdims=True)) & (self.tiers >= 0)
        shares = best / np.maximum(1, best.sum(axis=1, keepdims=True))
        total = np.zeros(len(self.alternatives))
        for pattern, count in zip(self.patterns, self.counts, strict=True):
            total += count * shares[list(pattern)].mean(axis=0)
        return total

    def ranked(self) -> NDArray[np.int64]:
        """Return how many ballots rank each alternative, shape (alternatives,)."""
        found: NDArray[np.int64] = self.given(self.counts) @ (self.tiers >= 0).astype(np.int64)
        return found


def ballot_wins(ballots: Iterable[Ballot], alternatives: Sequence[str]) -> NDArray[np.int64]:
    """Return how many ballots rank alternative i above j, shape (alternatives, alternatives).

    Alternatives in one tier are level; one that is left out is unranked, not last.
    """
    index = {a: i for i, a in enumerate(alternatives)}
    wins = np.zeros((len(index), len(index)), dtype=np.int64)
    for ballot in ballots:
        tier = np.full(len(index), -1)
        for level, names in enumerate(ballot.tiers):
            for name in names:
                tier[index[name]] = level
        ranked = tier >= 0
        wins += (tier[:, None] < tier[None, :]) & ranked[:, None] & ranked[None, :]
    return wins
