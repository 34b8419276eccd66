"""Strengths of alternatives by maximum likelihood: what models of choice have in common.

A strength is known up to a constant; here strengths sum to zero. What cannot be estimated is
refused with names, never filled in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import Bundles, Election, Inapplicable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LEVEL = 0.95
DIGITS = 8
"""Digits after the point that are told. What lies beyond is rounding, which depends on the order of
sums; strengths that agree in all these are level."""
_CELLS = 4_000_000
_FAR = np.int16(np.iinfo(np.int16).max)
_STEPS = 200
_NAMED = 8
_NARROW = 8


@dataclass(frozen=True, eq=False)
class Rows:
    """Orders as lists: of each the alternatives it compares, the best first, padded to one width.

    Few of many alternatives are on one ballot, so this stays small where a matrix of all would not.
    """

    who: NDArray[np.int32]
    """Numbers of alternatives, shape (k, width); 0 where padded."""
    level: NDArray[np.int16]
    """Tier of each, shape (k, width); what is left out and counts as last is in the last."""
    live: NDArray[np.bool_]
    """Whether there is one, shape (k, width)."""
    ranked: NDArray[np.bool_]
    """Whether the ballot itself ranks it, shape (k, width)."""
    counts: Ints
    """How often each order was given, shape (k,)."""

    @classmethod
    def of(cls, election: Election, what: str) -> Rows:
        """Return the orders of an election.

        Raises:
            Inapplicable: where only pairs are known.
        """
        orders = election.orders_for(what)
        sizes = (orders >= 0).sum(axis=1)
        if election.unranked == "last":
            sizes = np.full(len(orders), orders.shape[1])
        width = int(sizes.max(initial=0))
        level = np.where(orders < 0, _FAR, orders)
        place = np.argsort(level, axis=1, kind="stable")[:, :width]
        level = np.take_along_axis(level, place, axis=1).astype(np.int16)
        live = np.arange(width) < sizes[:, None]
        return cls(
            np.where(live, place, 0).astype(np.int32), level, live, (level < _FAR) & live,
            election.counts,
        )  # fmt: skip

    def chunks(self) -> list[Rows]:
        """Return the same in parts whose pairs fit in memory."""
        k, width = self.who.shape
        step = max(1, _CELLS // max(1, width * width))
        if k <= step:
            return [self]
        return [self.part(slice(start, start + step)) for start in range(0, k, step)]

    def part(self, rows: slice | NDArray[np.bool_]) -> Rows:
        """Return some of the orders."""
        return Rows(
            self.who[rows], self.level[rows], self.live[rows], self.ranked[rows], self.counts[rows]
        )

    def compared(self) -> NDArray[np.bool_]:
        """Return which pairs of a row are compared, shape (k, width, width).

        Two that a ballot leaves out are both last, and not compared with one another.
        """
        both = self.live[:, :, None] & self.live[:, None, :]
        told = (self.level[:, :, None] != self.level[:, None, :]) | self.ranked[:, :, None]
        made: NDArray[np.bool_] = both & told & ~np.eye(self.who.shape[1], dtype=np.bool_)
        return made

    def tiers(self) -> tuple[Ints, Ints]:
        """Return where the tier of each place begins and ends, shape (k, width) each.

        What a ballot leaves out makes one tier, the last.
        """
        at = np.arange(self.who.shape[1])
        new = np.ones(self.who.shape, dtype=np.bool_)
        new[:, 1:] = (self.level[:, 1:] != self.level[:, :-1]) | (
            self.live[:, 1:] != self.live[:, :-1]
        )
        begins = np.maximum.accumulate(np.where(new, at, 0), axis=1)
        closes = np.ones(self.who.shape, dtype=np.bool_)
        closes[:, :-1] = new[:, 1:]
        ends = np.where(closes, at + 1, self.who.shape[1])[:, ::-1]
        return begins, np.minimum.accumulate(ends, axis=1)[:, ::-1]

    def sum_over_compared(self, table: Floats) -> Floats:
        """Return for each place the sum of table[a, b] over all it is compared with.

        Args:
            table: a value of each pair, shape (m, m).
        """
        if self.who.shape[1] <= _NARROW:
            values = table[self.who[:, :, None], self.who[:, None, :]]
            summed: Floats = np.where(self.compared(), values, 0.0).sum(axis=2)
            return summed
        k, m = len(self.who), len(table)
        made = np.zeros(self.who.shape)
        step = max(1, _CELLS // m)
        for start in range(0, k, step):
            part = self.part(slice(start, start + step))
            row = np.arange(len(part.who))[:, None]
            live, ranked = np.zeros((2, len(part.who), m))
            live[np.broadcast_to(row, part.who.shape)[part.live], part.who[part.live]] = 1
            ranked[np.broadcast_to(row, part.who.shape)[part.ranked], part.who[part.ranked]] = 1
            all_of = (live @ table.T)[row, part.who] - np.diag(table)[part.who]
            made[start : start + step] = np.where(
                part.ranked, all_of, (ranked @ table.T)[row, part.who]
            )
        return np.where(self.live, made, 0.0)

    def sum_of_pairs(self, values: NDArray[Any], m: int) -> Floats:
        """Return the sums of values of pairs, shape (m, m), from shape (k, width, width)."""
        codes = self.who[:, :, None] * m + self.who[:, None, :]
        made = np.bincount(codes.ravel(), weights=values.ravel(), minlength=m * m)
        return made.reshape(m, m).astype(np.float64)

    def sum_of_each(self, values: NDArray[Any], m: int) -> Floats:
        """Return the sums of values of alternatives, shape (m,), from shape (k, width)."""
        made = np.bincount(self.who.ravel(), weights=values.ravel(), minlength=m)
        return made.astype(np.float64)


Terms = tuple[float, Floats, Floats]
"""Log likelihood, its gradient, and its negative Hessian."""


@dataclass(frozen=True, eq=False)
class Fit:
    """Strengths that make what was seen most likely."""

    values: Floats
    """Strengths, summing to zero, and behind them what else was estimated."""
    covariance: Floats | None
    """Of the strengths, shape (m, m); None where it cannot be told."""
    steps: int
    """Newton steps taken."""
    likelihood: float
    """Logarithm of the likelihood (and prior, where there is one)."""

    @property
    def strengths(self) -> Floats:
        """The strengths alone, where the covariance tells their number."""
        return self.values if self.covariance is None else self.values[: len(self.covariance)]


def maximise(terms: Callable[[Floats], Terms], start: Floats, flat: Floats, what: str) -> Fit:
    """Return the maximum of a concave function by Newton's method, steps halved where they fail.

    Args:
        terms: the function at a point.
        start: where to begin.
        flat: a direction in which the function is constant, of any length but zero; all zeros
            where there is none.
        what: the method that asks, for the error.

    Raises:
        Inapplicable: where it does not settle, as when there is no maximum.
    """
    point, fixed = start, np.outer(flat, flat)
    value, slope, bend = terms(point)
    for step in range(_STEPS):
        move = np.linalg.solve(bend + fixed, slope)
        if np.abs(move).max(initial=0) < 1e-12 or float(move @ slope) < 1e-22 * (1 + abs(value)):
            return Fit(point + move, None, step, value)
        size = 1.0
        while True:
            tried = terms(point + size * move)
            # The last digits of a large sum are noise: a step that loses only these is no failure.
            if tried[0] >= value - 1e-12 * (1 + abs(value)) or size < 1e-9:
                break
            size /= 2
        point = point + size * move
        value, slope, bend = tried
    raise Inapplicable.because(
        what, f"estimates that settle within {_STEPS} steps", "estimates that still move",
        "Leave out alternatives with next to no comparisons.",
    )  # fmt: skip


def inverse(bend: Floats, flat: Floats) -> Floats:
    """Return the inverse of a negative Hessian on what is across its flat direction."""
    if not flat.any():
        return np.asarray(np.linalg.inv(bend), dtype=np.float64)
    along = flat / np.linalg.norm(flat)
    fixed = np.outer(along, along)
    made: Floats = np.linalg.inv(bend + fixed) - fixed
    return made


def clustered(
    bread: Floats, scores: Iterable[tuple[Any, Ints]], bundles: Bundles | None
) -> Floats | None:
    """Return the covariance where each voter's answers hang together ("sandwich" by voter).

    Args:
        bread: the inverse of the negative Hessian.
        scores: gradients of the log likelihood of orders, sparse matrices (some, parameters), and
            how often each order was given by somebody, where each voter gave one.
        bundles: who gave several.

    Returns:
        None with no more voters than alternatives: so few say nothing of how far others differ.
    """
    if bundles is not None:
        from scipy import sparse

        of_orders = sparse.vstack([one for one, _ in scores]).tocsr()
        shape = (len(bundles.counts), of_orders.shape[0])
        ones = np.ones(len(bundles.members))
        given = sparse.csr_matrix((ones, bundles.members, bundles.starts), shape=shape)
        scores = [(given @ of_orders, bundles.counts)]
    middle, voters = np.zeros_like(bread), 0
    for one, counts in scores:
        middle += (one.T @ one.multiply(counts[:, None])).toarray()
        voters += int(counts.sum())
    if voters <= len(bread):
        return None
    made: Floats = bread @ middle @ bread * (voters / (voters - 1))
    return made


def scattered(rows: Rows, values: Floats, m: int, *more: Floats) -> Any:
    """Return values of each row's alternatives as a sparse matrix, shape (k, m + extra columns)."""
    from scipy import sparse

    k, width = rows.who.shape
    at = np.repeat(np.arange(k), width)
    made = sparse.csr_matrix((values.ravel(), (at, rows.who.ravel())), shape=(k, m))
    extra = [sparse.csr_matrix(column[:, None]) for column in more]
    return sparse.hstack([made, *extra]).tocsr() if extra else made


def places(strengths: Floats, covariance: Floats) -> Ints:
    """Return the lowest and highest place of each, all at once right with 95 %, shape (m, 2).

    An alternative is surely below each that is above it in an interval of their difference; the
    intervals of all pairs hold at once by Sidak's inequality, which needs no simulation and is
    right, if a little wide, however estimates hang together. Mogstad, Romano, Shaikh and Wilhelm,
    Inference for ranks, Review of Economic Studies 91, 2024.
    """
    m = len(strengths)
    pairs = max(1, m * (m - 1) // 2)
    critical = NormalDist().inv_cdf((1 + LEVEL ** (1 / pairs)) / 2)
    spread = np.diag(covariance)
    variance = np.maximum(0.0, spread[:, None] + spread[None, :] - 2 * covariance)
    # Both rounded alike, so that symmetrical evidence stays so.
    apart = np.round(strengths[:, None] - strengths[None, :], DIGITS)
    surely = apart > np.round(critical * np.sqrt(variance), DIGITS)
    np.fill_diagonal(surely, val=False)
    return np.stack([1 + surely.sum(axis=0), m - surely.sum(axis=1)], axis=1)


@dataclass(frozen=True, eq=False)
class Told:
    """Strengths as they are told: rounded where only rounding would follow."""

    scores: Floats
    errors: Floats | None
    places: Ints | None
    facts: Mapping[str, Any]


def told(strengths: Floats, covariance: Floats | None) -> Told:
    """Return strengths, standard errors and places, as far as they can be told."""
    scores = rounded(strengths)
    if covariance is None:
        return Told(scores, None, None, {"errors": "cannot be told from so few voters"})
    errors = rounded(np.sqrt(np.maximum(0.0, np.diag(covariance))))
    facts = {
        "level": LEVEL,
        "places": "simultaneous, by Sidak over all differences of two strengths",
    }
    return Told(scores, errors, places(strengths, covariance), facts)


def rounded(values: Floats) -> Floats:
    """Return values to the digits that are told, never a negative zero."""
    made: Floats = np.round(values, DIGITS) + 0.0
    return made


def connected(above: NDArray[np.bool_], names: Sequence[str], what: str, *, advice: str) -> None:
    """Refuse ballots from which strengths cannot be estimated, and say whose.

    Strengths are finite where nobody can be split off who was never put below one of the others:
    where from each alternative a path of wins leads to each other (Ford, 1957).

    Args:
        above: whether i was ever put above (or level with) j, shape (m, m).
        names: of the alternatives.
        what: the method that asks.
        advice: what to do.

    Raises:
        Inapplicable: naming those who were never compared, those whom none of the others was ever
            above, and those who were never above any of the others.
    """
    if _all_reached(above) and _all_reached(above.T):
        return
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    graph = csr_matrix(above.astype(np.int8))
    _, part = connected_components(graph, directed=True, connection="strong")
    _, island = connected_components(graph, directed=True, connection="weak")
    faults = []
    alone = [n for j, n in enumerate(names) if not above[j].any() and not above[:, j].any()]
    if alone:
        faults.append(f"never compared with any other: {_list(alone)}")
    islands = [[n for n, i in zip(names, island, strict=True) if i == one] for one in set(island)]
    islands = sorted(one for one in islands if len(one) > 1)
    if len(islands) > 1:
        faults.append(
            "groups never compared with one another: " + " | ".join(_list(one) for one in islands)
        )
    winner, loser = np.nonzero(above & (part[:, None] != part[None, :]))
    won, lost = set(part[winner].tolist()), set(part[loser].tolist())
    for word, some in (("never put below", won - lost), ("never put above", lost - won)):
        groups = ([n for n, p in zip(names, part, strict=True) if p == one] for one in some)
        faults += [f"{word} any of the others: {_list(inside)}" for inside in sorted(groups)]
    raise Inapplicable.because(
        what, "a path of wins from each alternative to each other", "; ".join(faults), advice
    )


def _all_reached(above: NDArray[np.bool_]) -> bool:
    """Say whether a path leads from the first alternative to every other."""
    reached = np.zeros(len(above), dtype=np.bool_)
    reached[:1] = True
    new = reached
    while new.any():
        new = above[new].any(axis=0) & ~reached
        reached = reached | new
    return bool(reached.all())


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(sorted(names)[:_NAMED]) + more


def shifts_apart(wins: NDArray[np.bool_], ties: NDArray[np.bool_]) -> bool:
    """Say whether ever more ties make what was seen ever more likely.

    That is so where numbers can be given to alternatives so that each winner is at least one above
    the loser, and two that were level are at most one apart: where no circle of wins and ties has
    more wins than ties.
    """
    m = len(wins)
    distance = np.where(wins, -1.0, np.where(ties, 1.0, np.inf))
    np.fill_diagonal(distance, 0.0)
    for k in range(m):
        np.minimum(distance, distance[:, k, None] + distance[None, k, :], out=distance)
        if (np.diag(distance) < 0).any():
            return False
    return True


__all__ = [
    "Fit",
    "Rows",
    "Told",
    "clustered",
    "connected",
    "inverse",
    "maximise",
    "places",
    "scattered",
    "shifts_apart",
    "told",
]
