"""The proportional veto core: what every coalition could veto in proportion to its size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.approvals import distinct
from normwright.aggregate.election import Election, Inapplicable, Ints

CELLS = 10_000_000
"""Distinct orders times alternatives of which a flow still takes seconds."""
LARGEST = 2**31 - 1
"""Voters times alternatives may come to this, in the least whole units: flows are 32 bits wide."""


@dataclass(frozen=True)
class Blocking:
    """The coalition with the largest claim to veto an alternative, and what it would have."""

    epsilon: Fraction
    """Share of voters in the coalition less the share it would need; 0: nobody can veto it."""
    voters: int
    """Voters in the coalition; 0 where nobody can."""
    preferred: tuple[int, ...]
    """Alternatives that every one of them puts above it."""


@dataclass(frozen=True, eq=False)
class Vetoes:
    """Who could veto what: distinct orders of all alternatives and how many gave each."""

    levels: NDArray[np.int16]
    """Number of the tier of each alternative, 0 the best, shape (k, m)."""
    counts: Ints

    @classmethod
    def of(cls, election: Election, what: str) -> Vetoes:
        """Return the vetoes of an election.

        Raises:
            Inapplicable: where not every ballot tells an order of all alternatives, or where there
                are too many voters for exact flows.
        """
        if election.bundles is not None:
            raise Inapplicable.because(
                what, "one order a voter", "voters of several orders each (paired comparisons)"
            )
        levels, counts = distinct(election.levels(what), election.counts)
        if not levels.size:
            raise Inapplicable.because(what, "at least one ballot over alternatives", "none")
        if levels.size > CELLS:
            raise Inapplicable.because(
                what, f"distinct orders times alternatives of at most {CELLS}",
                f"{levels.shape[0]} x {levels.shape[1]}",
            )  # fmt: skip
        # Only who is above whom matters, not how the tiers are numbered.
        dense = np.stack([np.unique(row, return_inverse=True)[1] for row in levels])
        found = cls(*distinct(dense.astype(np.int16), counts))
        if found.unit * LARGEST < found.voters * levels.shape[1]:
            raise Inapplicable.because(
                what, f"voters times alternatives of at most {LARGEST}",
                f"{found.voters} x {levels.shape[1]}", "Count voters without weights.",
            )  # fmt: skip
        return found

    @property
    def voters(self) -> int:
        """Number of voters."""
        return int(self.counts.sum())

    @property
    def unit(self) -> int:
        """The largest whole number that all capacities are multiples of."""
        m = self.levels.shape[1]
        return math.gcd(self.voters, *(int(c) * m for c in self.counts))

    def epsilon(self, alternative: int) -> Fraction:
        """Return the critical epsilon: how far a coalition's share exceeds what a veto needs.

        A coalition T vetoes x where all of it prefer every alternative of a set B to x, and T's
        share of voters exceeds the share of alternatives outside B (Moulin, 1981). The largest
        excess is (n (m - 1) - F) / (n m), F the largest flow from voters (m each) through the
        alternatives they hold no better than x to the sink (n each). 0: x is in the core.
        """
        return self.blocking(alternative).epsilon

    def blocking(self, alternative: int) -> Blocking:
        """Return the coalition with the largest claim against one, from the least cut."""
        n, m = self.voters, self.levels.shape[1]
        worse = self.levels >= self.levels[:, alternative, None]
        worse[:, alternative] = False
        flow, inside = _flow(worse, self.counts * m // self.unit, n // self.unit)
        epsilon = Fraction(n * (m - 1) - flow * self.unit, n * m)
        if not epsilon:
            return Blocking(Fraction(0), 0, ())
        better = self.levels < self.levels[:, alternative, None]
        preferred = tuple(np.flatnonzero(better[inside].all(axis=0)).tolist())
        return Blocking(epsilon, int(self.counts[inside].sum()), preferred)

    def consumed_last(self) -> tuple[int, ...]:
        """Return what is left to the end where all voters eat away their worst at one speed.

        Each of these is in the core (Ianovski and Kondratev, 2021), so that it is never empty.
        Where a voter's worst are level, the last in the ballots is eaten first. Exact; O(k m^2).
        """
        k, m = self.levels.shape
        order = np.lexsort((np.broadcast_to(-np.arange(m), (k, m)), -self.levels), axis=1)
        food = [Fraction(self.voters)] * m
        at = np.zeros(k, dtype=np.int64)
        rows = np.arange(k)
        while True:
            eaten = np.bincount(order[rows, at], weights=self.counts, minlength=m).astype(np.int64)
            ends = {j: food[j] / int(eaten[j]) for j in range(m) if eaten[j] and food[j]}
            step = min(ends.values())
            food = [f - step * int(e) for f, e in zip(food, eaten, strict=True)]
            if not any(food):
                return tuple(j for j, t in ends.items() if t == step)
            gone = np.array([not f for f in food])
            while (stuck := gone[order[rows, at]]).any():
                at[stuck] += 1


def _flow(worse: NDArray[np.bool_], supply: Ints, room: int) -> tuple[int, NDArray[np.bool_]]:
    """The largest flow from voters to what they hold no better, and who is behind the least cut.

    Args:
        worse: where a row of voters may send to, shape (k, m).
        supply: what each row may send, shape (k,).
        room: what each alternative may receive.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    k, m = worse.shape
    rows, columns = np.nonzero(worse)
    source, sink = k + m, k + m + 1
    tails = np.concatenate([np.full(k, source), rows, k + np.arange(m)])
    heads = np.concatenate([np.arange(k), k + columns, np.full(m, sink)])
    capacity = np.concatenate([supply, supply[rows], np.full(m, room)]).astype(np.int32)
    graph = csr_matrix((capacity, (tails, heads)), shape=(k + m + 2, k + m + 2))
    found = maximum_flow(graph, source, sink)
    # What can still be reached: beyond it lies the least cut.
    residual = graph - found.flow
    residual.data = np.where(residual.data > 0, 1, 0)
    residual.eliminate_zeros()
    reached = breadth_first_order(residual, source, return_predecessors=False)
    inside = np.zeros(k, dtype=np.bool_)
    inside[reached[reached < k]] = True
    return int(found.flow_value), inside
