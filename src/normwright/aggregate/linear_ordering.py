"""The linear ordering problem, exactly: the orders that overrule as little as can be, and all ties.

Placing i above j overrules the margin by which j beats i. Small problems go over all sets, larger
ones over cutting planes with the three-cycle inequalities (Grötschel, Jünger and Reinelt, A cutting
plane algorithm for the linear ordering problem, Operations Research 32, 1984).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SMALL = 14
"""Up to so many alternatives every set is looked at: 2^m of them."""
_ROUND = 3_000
"""Most inequalities added at a time, the most violated first."""
_FINEST = 1 << 24
"""Multipliers are rounded to this part of one, or a coarser one where margins are very large, so
that the bound they prove is one of whole numbers."""
_SLACK = 1e-6
"""How far a solver's numbers may stray before an inequality counts as violated."""

_INFEASIBLE = 2
"""What the solver says of a program without a solution."""
_LIMIT = "limit reached"
"""What its message says where it looked at as many branches as it may; the status it gives then
depends on whether it had found values."""
LARGEST = 120
"""Alternatives in one problem at most: programs grow with their cube."""
BRANCHES = 500
"""Branches of one integer program at most, so that no problem runs for hours."""


class Unsolved(Exception):
    """The optimum was not proved within the limits that are set."""


@dataclass(frozen=True)
class Optima:
    """All that the optimal orders of one problem have in common."""

    cost: int
    """What an optimal order overrules."""
    bound: int
    """What every order overrules at least, as it was proved; equal to `cost` unless numbers are so
    large that the solver's arithmetic could not close the gap."""
    always: Bools
    """Whether every optimal order ranks i above j, shape (m, m)."""
    tiers: tuple[tuple[int, ...], ...]
    """Who comes first in some optimal order; then who, of the rest, comes first among the rest in
    some optimal order; and so on."""
    cuts: int = 0
    """Three-cycle inequalities that were needed."""
    solved: int = 0
    """Programs that the solver was given."""


def linear_orders(margins: Ints) -> Optima:
    """Return what all orders with the least total of overruled margins have in common.

    Args:
        margins: whole numbers, the negative of its transpose, shape (m, m).

    Raises:
        Unsolved: if there are more than `LARGEST` alternatives, or an integer program takes more
            than `BRANCHES`; what was found until then is in the message.
    """
    if len(margins) <= SMALL:
        return _over_sets(margins)
    if len(margins) > LARGEST:
        raise Unsolved(f"a cycle of {len(margins)} alternatives, more than {LARGEST}")
    return _Cutting(margins).optima()


def _over_sets(margins: Ints) -> Optima:
    """Every set as the upper part of an order (Held and Karp's recursion); bit j: alternative j."""
    m = len(margins)
    size = 1 << m
    masks = np.arange(size)
    # step[j, S]: what is overruled by placing j right after all of S, and above all others.
    step = np.zeros((m, size), dtype=np.int64)
    overruled = np.maximum(margins, 0)
    for i in range(m):
        step[:, 1 << i : 2 << i] = step[:, : 1 << i] + overruled[i, :, None]
    step = step[:, size - 1 - masks]
    sizes = np.array([mask.bit_count() for mask in range(size)])
    by_size = [np.flatnonzero(sizes == n) for n in range(m + 1)]
    far = np.iinfo(np.int64).max // 4
    before, after = np.full(size, far), np.full(size, far)
    before[0] = after[-1] = 0
    for n in range(m):
        up, down = by_size[n], by_size[m - 1 - n]
        for j in range(m):
            rows = up[(up >> j) & 1 == 0]
            to = rows | 1 << j
            before[to] = np.minimum(before[to], before[rows] + step[j, rows])
            rows = down[(down >> j) & 1 == 0]
            after[rows] = np.minimum(after[rows], after[rows | 1 << j] + step[j, rows])
    cost = int(before[-1])
    without = [(masks >> j) & 1 == 0 for j in range(m)]
    best = [
        masks[w][before[w] + step[j, w] + after[masks[w] | 1 << j] == cost]
        for j, w in enumerate(without)
    ]
    # best[j]: sets after which some optimal order places j.
    always = np.zeros((m, m), dtype=bool)
    for i, j in combinations(range(m), 2):
        always[i, j] = not (best[j] >> i & 1 == 0).any()
        always[j, i] = not (best[i] >> j & 1 == 0).any()

    def leads(j: int, left: Sequence[int]) -> bool:
        return bool((best[j] & sum(1 << i for i in left) == 0).any())

    return Optima(cost, cost, always, _tiers(m, leads))


def _tiers(m: int, leads: Any) -> tuple[tuple[int, ...], ...]:
    left, tiers = list(range(m)), []
    while left:
        top = tuple(j for j in left if leads(j, left))
        tiers.append(top)
        left = [j for j in left if j not in top]
    return tuple(tiers)


class _Cutting:
    """Linear programs with three-cycle inequalities added as they are violated.

    Variable v = {i < j} is 1 where i stands above j. For i < j < k an order has
    0 <= x_ij + x_jk - x_ik <= 1.
    """

    def __init__(self, margins: Ints) -> None:
        m = len(margins)
        self.m = m
        self.unit = int(np.gcd.reduce(margins, axis=None)) or 1
        self.margins = margins // self.unit
        self.i, self.j = np.triu_indices(m, 1)
        number = np.zeros((m, m), dtype=np.int64)
        number[self.i, self.j] = np.arange(len(self.i))
        self.number = number
        triples = np.array(list(combinations(range(m), 3)), dtype=np.int64).reshape(-1, 3).T
        a, b, c = triples
        self.sides = np.stack([number[a, b], number[b, c], number[a, c]])
        self.cost = -self.margins[self.i, self.j]
        """Of x_v = 1, apart from `self.base`."""
        self.base = int(np.maximum(self.margins[self.i, self.j], 0).sum())
        # No sum of as many costs as there are pairs, in such parts, exceeds what 64 bits hold.
        largest = max(1, int(np.abs(self.margins).max(initial=0))) * max(1, m * m)
        self.grain = max(1, min(_FINEST, (1 << 61) // largest))
        self.rows: list[NDArray[np.int64]] = []
        """Inequalities, numbers of triples: t for `<= 1`, -1 - t for `>= 0`."""
        self.solved = 0

    # -- programs ---------------------------------------------------------------------------------

    def violated(self, x: NDArray[np.float64]) -> Ints:
        """Return the inequalities that some values break, the worst first, not too many."""
        turn = x[self.sides[0]] + x[self.sides[1]] - x[self.sides[2]]
        by = np.maximum(turn - 1, -turn)
        worst = np.flatnonzero(by > _SLACK)
        worst = worst[np.argsort(-by[worst], kind="stable")][:_ROUND]
        return np.where(turn[worst] > 0.5, worst, -1 - worst)

    def matrix(self) -> tuple[Any, Ints]:
        """Return the inequalities so far as A x <= b."""
        from scipy import sparse

        rows = np.concatenate(self.rows) if self.rows else np.zeros(0, dtype=np.int64)
        upper = rows >= 0
        triple = np.where(upper, rows, -1 - rows)
        sign = np.where(upper, 1, -1)
        columns = self.sides[:, triple].T.ravel()
        values = (sign[:, None] * np.array([1, 1, -1])).ravel()
        starts = np.arange(0, 3 * len(rows) + 1, 3)
        shape = (len(rows), len(self.i))
        return sparse.csr_array((values, columns, starts), shape=shape), upper.astype(np.int64)

    def relax(
        self, cost: Ints, low: Ints | int = 0, high: Ints | int = 1
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Return the values of a relaxed program, and the multipliers of its inequalities.

        None where there are no values between the bounds.
        """
        from scipy.optimize import linprog

        bounds: Any = np.stack(np.broadcast_arrays(low, high, cost)[:2], axis=1)
        while True:
            a, b = self.matrix()
            found: Any = linprog(cost, A_ub=a.astype(float), b_ub=b, bounds=bounds, method="highs")
            self.solved += 1
            if found.status == _INFEASIBLE:
                return None
            if found.status != 0:
                raise RuntimeError(f"The solver failed on a bounded program: {found.message}")
            new = self.violated(found.x)
            if not new.size:
                return found.x, np.maximum(0.0, -found.ineqlin.marginals)
            self.rows.append(new)

    def integral(
        self, cost: Ints, low: Ints, high: Ints
    ) -> tuple[NDArray[np.float64], float] | None:
        """Return whole values of least cost between bounds that are an order, and a bound below.

        None where there are no such values.
        """
        from scipy.optimize import Bounds, LinearConstraint, milp

        # Fractions break inequalities that the integer program would miss while it branches.
        relaxed = self.relax(cost, low, high)
        if relaxed is None:
            return None
        whole = np.rint(relaxed[0])
        if np.abs(relaxed[0] - whole).max() < _SLACK:
            return whole, float(cost @ whole)
        while True:
            a, b = self.matrix()
            found: Any = milp(
                cost,
                constraints=LinearConstraint(a.astype(float), ub=b),
                bounds=Bounds(low, high),
                integrality=np.ones(len(cost), dtype=np.int64),
                options={"mip_rel_gap": 0.0, "node_limit": BRANCHES},
            )
            self.solved += 1
            if found.status == _INFEASIBLE:
                return None
            if found.status == 1 or _LIMIT in found.message:
                raise Unsolved(
                    f"a cycle of {self.m} alternatives whose optimum took more than {BRANCHES} "
                    "branches to prove"
                )
            if found.x is None or found.status != 0:
                raise RuntimeError(f"The solver failed on a bounded program: {found.message}")
            x = np.rint(found.x)
            new = self.violated(x)
            if not new.size:
                return x, float(found.mip_dual_bound)
            self.rows.append(new)

    # -- orders -----------------------------------------------------------------------------------

    def order(self, x: NDArray[np.float64]) -> Ints:
        """Return an order from values, by how many each is above."""
        points = np.bincount(self.i, weights=x, minlength=self.m)
        points += np.bincount(self.j, weights=1 - x, minlength=self.m)
        return np.argsort(-points, kind="stable")

    def overruled(self, order: Ints) -> int:
        """Return what an order overrules."""
        placed = self.margins[np.ix_(order, order)]
        return int(np.maximum(-np.triu(placed, 1), 0).sum())

    def values(self, order: Ints) -> Ints:
        """Return the values of the variables in an order."""
        place = np.empty(self.m, dtype=np.int64)
        place[order] = np.arange(self.m)
        return (place[self.i] < place[self.j]).astype(np.int64)

    def improved(self, order: Ints) -> Ints:
        """Return an order that no move of a single alternative improves."""
        moved = True
        while moved:
            moved = False
            for a in order.tolist():
                at = int(np.flatnonzero(order == a)[0])
                rest = np.delete(order, at)
                # gain[p]: what standing at place p spares, compared with standing last.
                gain = np.concatenate([np.cumsum(self.margins[a, rest][::-1])[::-1], [0]])
                best = int(np.argmax(gain))
                if gain[best] > gain[at]:
                    order, moved = np.insert(rest, best, a), True
        return order

    # -- proof ------------------------------------------------------------------------------------

    def proved(self, multipliers: NDArray[np.float64]) -> tuple[int, Ints]:
        """Return a bound in whole numbers, and what more it costs at least to flip each variable.

        Any multipliers that are not negative prove a bound. Both are in parts of `grain`, exact.
        """
        y = np.rint(multipliers * self.grain).astype(np.int64)
        a, b = self.matrix()
        reduced = self.cost * self.grain + a.T @ y
        bound = self.base * self.grain - int(b @ y) + int(np.minimum(reduced, 0).sum())
        return bound, np.abs(reduced)

    def optima(self) -> Optima:
        """Return what the optimal orders have in common."""
        relaxed = self.relax(self.cost)
        assert relaxed is not None
        x, multipliers = relaxed
        bound, flip = self.proved(multipliers)
        order = self.improved(self.order(x))
        best, least = self.overruled(order), -(-bound // self.grain)
        if least < best:
            order, best, least = self.branch(order, best, bound + flip)
        # A flip that lifts the bound above the optimum is in no optimal order.
        loose = bound + flip <= best * self.grain
        ties = _Ties(self, order, best, loose)
        ties.find()
        always = ~ties.some.T & ~np.eye(self.m, dtype=bool)
        return Optima(
            cost=best * self.unit,
            bound=least * self.unit,
            always=always,
            tiers=_tiers(self.m, ties.leads),
            cuts=sum(map(len, self.rows)),
            solved=self.solved,
        )

    def branch(self, order: Ints, best: int, flips: Ints) -> tuple[Ints, int, int]:
        """Return an optimal order, what it overrules and the bound, where the relaxation has a gap.

        What an order better than the known one cannot contain is fixed beforehand.
        """
        x = self.values(order)
        open_ = flips <= best * self.grain
        better = self.integral(self.cost, np.where(open_, 0, x), np.where(open_, 1, x))
        assert better is not None
        found = self.order(better[0])
        least = int(np.ceil(better[1] + self.base - _SLACK))
        cost = self.overruled(found)
        return (found, cost, min(least, cost)) if cost < best else (order, best, min(least, best))


class _Ties:
    """Which pairs the optimal orders rank both ways, and who comes first in one of them."""

    def __init__(self, problem: _Cutting, order: Ints, best: int, loose: Bools) -> None:
        self.problem = problem
        self.best = best
        self.loose = loose
        self.fixed = problem.values(order)
        self.orders: list[Ints] = []
        self.some = np.zeros((problem.m, problem.m), dtype=bool)
        """Whether some optimal order known so far ranks i above j."""
        self.add(order)

    def add(self, order: Ints) -> None:
        """Note an optimal order, and what moving one alternative of it at no cost ranks anew."""
        self.orders.append(order)
        m = self.problem.m
        self.some[np.ix_(order, order)] |= np.triu(np.ones((m, m), dtype=bool), 1)
        for at, a in enumerate(order.tolist()):
            up, down = order[:at][::-1], order[at + 1 :]
            self.some[a, up[: self._free(self.problem.margins[up, a])]] = True
            self.some[down[: self._free(self.problem.margins[a, down])], a] = True

    def _free(self, overruled: Ints) -> int:
        """How many places an alternative can move at no cost, each place costing so much."""
        free = np.flatnonzero(np.cumsum(overruled) == 0)
        return int(free[-1]) + 1 if free.size else 0

    def find(self) -> None:
        """Look for optimal orders until none is left that ranks a pair as none did before.

        Each program weighs the cost so that no number of new pairs is worth one part of it.
        """
        problem = self.problem
        while True:
            seen = self.some[problem.i, problem.j]
            new = self.loose & (seen != self.some[problem.j, problem.i])
            if not new.any():
                return
            weights = problem.cost * (int(new.sum()) + 1) + np.where(new, np.where(seen, 1, -1), 0)
            order = self._solve(weights, self.loose)
            if order is None or not self._adds(order, new):
                return
            self.add(order)

    def leads(self, j: int, left: Sequence[int]) -> bool:
        """Say whether some optimal order ranks j above all the others left."""
        others = [i for i in left if i != j]
        if not self.some[j, others].all():
            return False
        if any(self._led(order, j, others) for order in self.orders):
            return True
        problem = self.problem
        wanted = np.zeros(len(problem.i), dtype=bool)
        wanted[problem.number[np.minimum(j, others), np.maximum(j, others)]] = True
        order = self._solve(problem.cost, self.loose & ~wanted, wanted, problem.i == j)
        if order is None or problem.overruled(order) != self.best:
            return False
        self.add(order)
        return True

    def _led(self, order: Ints, j: int, others: Sequence[int]) -> bool:
        """Whether j leads the others in a known order, or would after a move at no cost."""
        at = int(np.flatnonzero(order == j)[0])
        first = int(np.flatnonzero(np.isin(order, [*others, j]))[0])
        return int(self.problem.margins[order[first:at], j].sum()) == 0

    def _adds(self, order: Ints, new: Bools) -> bool:
        problem = self.problem
        flipped = problem.values(order) != self.some[problem.i, problem.j]
        return problem.overruled(order) == self.best and bool((flipped & new).any())

    def _solve(
        self, cost: Ints, open_: Bools, wanted: Bools | None = None, values: Bools | bool = False
    ) -> Ints | None:
        fixed = self.fixed if wanted is None else np.where(wanted, values, self.fixed)
        found = self.problem.integral(cost, np.where(open_, 0, fixed), np.where(open_, 1, fixed))
        return None if found is None else self.problem.order(found[0])
