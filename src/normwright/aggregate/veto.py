"""The proportional veto core: what every coalition could veto in proportion to its size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.approvals import distinct
from normwright.aggregate.election import Election, Inapplicable, Ints

CELLS = 10_000_000
"""Distinct orders times alternatives of which a flow still takes seconds."""
BITS = 30
"""Flows of scipy are 32 bits wide: one for the sign, one as an arc may be used both ways."""


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
                are too many distinct orders and alternatives.
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
        return cls(*distinct(dense.astype(np.int16), counts))

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
        excess is (n (m - 1) - F) / (n m), F the largest flow from voters (m each) through the other
        alternatives they hold no better than x to the sink (n each). 0: x is in the core.
        """
        return self.blocking(alternative).epsilon

    def blocking(self, alternative: int) -> Blocking:
        """Return the coalition with the largest claim against one, from the least cut."""
        n, m = self.voters, self.levels.shape[1]
        worse = self.levels >= self.levels[:, alternative, None]
        worse[:, alternative] = False
        sizes = np.count_nonzero(worse, axis=1)
        if not _arguable(sizes, self.counts, n, m):
            return Blocking(Fraction(0), 0, ())
        # Who prefers nothing to it has no part in any claim.
        some = sizes < m - 1
        unit = self.unit
        flow, inside = _flow(worse[some], self.counts[some] * m // unit, n // unit)
        claimed = int(self.counts[some].sum()) * m - flow * unit - n
        if claimed <= 0:
            return Blocking(Fraction(0), 0, ())
        coalition = np.flatnonzero(some)[inside]
        better = self.levels < self.levels[:, alternative, None]
        preferred = tuple(np.flatnonzero(better[coalition].all(axis=0)).tolist())
        return Blocking(Fraction(claimed, n * m), int(self.counts[coalition].sum()), preferred)

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


def _arguable(sizes: Ints, counts: Ints, n: int, m: int) -> bool:
    """Whether some coalition could have a claim: all in it hold at least the largest of their sets
    no better, so that voters with sets of up to a size are the most there can be.
    """
    voters = np.zeros(m, dtype=np.int64)
    np.add.at(voters, sizes, counts)
    return bool((voters.cumsum() * m > n * (1 + np.arange(m))).any())


def _flow(worse: NDArray[np.bool_], supply: Ints, room: int) -> tuple[int, NDArray[np.bool_]]:
    """The largest flow from voters to what they hold no better, and who is behind the least cut.

    Capacities of any size: where they do not fit the 32 bits of scipy's flows, the leading digits
    are solved first, and what is left of the network then.

    Args:
        worse: where a row of voters may send to, shape (k, m).
        supply: what each row may send, shape (k,).
        room: what each alternative may receive.
    """
    k, m = worse.shape
    shift = max(0, int(supply.sum()).bit_length() - BITS)
    arcs = _Arcs.of(worse)
    flow = arcs.solve(supply >> shift, supply >> shift, np.zeros_like(arcs.rows), room >> shift)
    if not shift:
        return int(flow.sum()), arcs.behind(supply, flow, room)
    flow <<= shift
    # No more than this can still flow, what was cut off every capacity, so none need be wider.
    limit = ((k + m) << shift) + 1
    if limit.bit_length() > BITS:
        raise Inapplicable.because(
            "veto", "weights of which the leading digits tell most", f"{shift} digits too many",
            "Count voters with weights of fewer digits.",
        )  # fmt: skip
    sent = np.bincount(arcs.rows, weights=flow, minlength=k).astype(np.int64)
    got = np.bincount(arcs.columns, weights=flow, minlength=m).astype(np.int64)
    flow += arcs.solve(
        np.minimum(supply - sent, limit),
        np.full(k, limit),
        np.minimum(flow, limit),
        np.minimum(room - got, limit),
    )
    return int(flow.sum()), arcs.behind(supply, flow, room)


@dataclass(frozen=True, eq=False)
class _Arcs:
    """A network of a source, rows of voters, alternatives and a sink."""

    rows: Ints
    columns: Ints
    shape: tuple[int, int]

    @classmethod
    def of(cls, worse: NDArray[np.bool_]) -> _Arcs:
        rows, columns = np.nonzero(worse)
        return cls(rows, columns, (worse.shape[0], worse.shape[1]))

    def matrix(self, out: Ints, along: Ints, back: Ints, into: Ints) -> Any:
        """The capacities as a sparse array of 32-bit numbers.

        Args:
            out: from the source to each row.
            along: on each arc, shape (arcs,).
            back: against each arc.
            into: from each alternative to the sink.
        """
        from scipy.sparse import csr_array

        k, m = self.shape
        source, sink = k + m, k + m + 1
        ends = k + self.columns
        tails = np.concatenate([np.full(k, source), self.rows, ends, k + np.arange(m)])
        heads = np.concatenate([np.arange(k), ends, self.rows, np.full(m, sink)])
        values = np.concatenate([out, along, back, into]).astype(np.int32)
        kept = values > 0
        shape = (k + m + 2, k + m + 2)
        return csr_array((values[kept], (tails[kept], heads[kept])), shape=shape)

    def solve(self, out: Ints, along: Ints, back: Ints, into: int | Ints) -> Ints:
        """Return the flow on each arc of a largest flow.

        Args:
            out: from the source to each row.
            along: on each arc of a row, by row.
            back: against each arc.
            into: from each alternative to the sink.
        """
        from scipy.sparse.csgraph import maximum_flow

        k, m = self.shape
        rooms = np.broadcast_to(np.asarray(into, dtype=np.int64), (m,))
        graph = self.matrix(out, along[self.rows], back, rooms)
        found = maximum_flow(graph, k + m, k + m + 1).flow.tocoo()
        sent = (found.row < k) & (found.col >= k) & (found.col < k + m)
        dense = np.zeros(self.shape, dtype=np.int64)
        dense[found.row[sent], found.col[sent] - k] = found.data[sent]
        flow: Ints = dense[self.rows, self.columns]
        return flow

    def behind(self, supply: Ints, flow: Ints, room: int) -> NDArray[np.bool_]:
        """Return which rows can still be reached in what a largest flow leaves: the least cut."""
        from scipy.sparse.csgraph import breadth_first_order

        k, m = self.shape
        sent = np.bincount(self.rows, weights=flow, minlength=k).astype(np.int64)
        got = np.bincount(self.columns, weights=flow, minlength=m).astype(np.int64)
        out, back, into = (a.astype(np.int64) for a in (sent < supply, flow > 0, got < room))
        left = self.matrix(out, np.ones_like(flow), back, into)
        reached = breadth_first_order(left, k + m, return_predecessors=False)
        inside = np.zeros(k, dtype=np.bool_)
        inside[reached[reached < k]] = True
        return inside
