"""Maximal lotteries: the chances that no other lottery beats by a majority in expectation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import Election
from normwright.aggregate.majority import by_removal, smith_layers
from normwright.aggregate.methods import Order
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="maximal-lottery",
    kind="methods",
    summary="Elects by the lottery that no other beats by majority in expectation; of several such "
    "the most even one.",
    reference="Fishburn, Probabilistic social choice based on simple voting comparisons, Review of "
    "Economic Studies 51, 1984; Brandl, Brandt and Seedig, Econometrica 84, 2016",
    claims=(
        "anonymity",
        "neutrality",
        "homogeneity",
        "reversal-symmetry",
        "condorcet",
        "condorcet-loser",
        "smith",
        "pareto",
        "majority",
    ),
    denies=(
        Denial(
            axiom="iia",
            source="Arrow, Social Choice and Individual Values, 1951; these ballots by search",
            ballots=("2: A > B > C", "1: B > C > A", "1: C > A > B"),
        ),
        Denial(
            axiom="later-no-harm",
            source="Woodall, Discrete Applied Mathematics 77, 1997; these ballots by search",
            ballots=("2: A > B > C", "2: C > B > A", "1: B > A > C"),
        ),
        Denial(
            axiom="strategy-proofness",
            source="Gibbard, Econometrica 45, 1977; these ballots by search",
            ballots=("2: A > B > C", "1: B > C > A", "1: C > A > B"),
        ),
        Denial(
            axiom="participation",
            source="By search, of the alternatives with a chance",
            ballots=("2: A > B > C", "2: C > A > B", "1: B > C > A"),
        ),
        Denial(
            axiom="reinforcement",
            source="By search, of the alternatives with a chance; of the lotteries themselves "
            "Brandl, Brandt and Seedig, 2016, prove it",
            ballots=("2: A > B > C", "1: B > A > C", "1: C > A > B", "1: B > C > A"),
        ),
    ),
    takes="pairs",
    status="tested",
)

_TINY = 1e-9
"""Multipliers below this part of the largest are taken for 0; exact arithmetic then confirms it."""
_FEW = 5
"""Alternatives up to which a lottery over all of them is tried first."""
_UNSOUND = "The lottery found in floating point did not survive the exact check."

Ints = NDArray[np.int64]
Row: TypeAlias = list[int]


@plugin(CARD)
def maximal_lottery(election: Election) -> Order:
    """Return who may win by the maximal lottery (Kreweras, 1965; Fishburn, 1984), by margins.

    The lottery p is an optimal strategy of the symmetric game of margins: p^T M >= 0, so against
    any other alternative or lottery it is as often preferred as not. It is the only one where every
    margin is odd (Laffond, Laslier and Le Breton, 1997), and almost always otherwise; of several
    the one with the least sum of squares is taken, which treats equals equally. It is found in
    floating point and confirmed in fractions, all conditions of optimality included.

    The winners are those with a chance, which is their score. The tiers below are those with a
    chance once all before are gone, on the same ballots; their score is 0.

    Independence of clones and agreement of parts of the electorate (reinforcement) hold of the set
    of maximal lotteries (Brandl, Brandt and Seedig, 2016) and so wherever there is only one; not of
    the choice among several, and not of the winners alone.

    Facts: `lottery`: chance of each winner as a fraction, by name; `worst`: the least expected
    margin against any alternative, a fraction too and never below 0.

    Raises:
        ArithmeticError: where the floating-point solution does not survive the check.
    """
    margins, names = election.margins, election.alternatives
    m = len(names)

    def winners(left: Sequence[int]) -> list[int]:
        chances = lottery(margins[np.ix_(left, left)])
        return [i for i, chance in zip(left, chances, strict=True) if chance]

    chances = lottery(margins)
    tiers = by_removal(m, winners)
    worst = min((_against(chances, margins[:, j]) for j in range(m)), default=Fraction(0))
    return Order(
        tiers=tiers,
        scores=np.array([float(chance) for chance in chances], dtype=np.float64),
        facts={
            "lottery": {names[i]: str(chances[i]) for i in sorted(tiers[0], key=names.__getitem__)}
            if m
            else {},
            "worst": str(worst),
        },
    )


def lottery(margins: Ints) -> list[Fraction]:
    """Return the maximal lottery with the least sum of squares, shape (m,), exact.

    Raises:
        ArithmeticError: where the floating-point solution does not survive the check.
    """
    chances = [Fraction(0)] * len(margins)
    # Nobody outside the Smith set has a chance in any maximal lottery.
    for part in smith_layers(margins)[:1]:
        inside = margins[np.ix_(part, part)]
        unit = int(np.gcd.reduce(inside, axis=None)) or 1
        for i, chance in zip(part, _least(inside // unit), strict=True):
            chances[i] = chance
    return chances


def _least(margins: Ints) -> list[Fraction]:
    """The point of least norm with p >= 0, p^T M >= 0 and sum 1.

    By strict complementarity some such point q has for every i either q_i > 0 or (q^T M)_i > 0; so
    all such points are 0 outside the support of q, and level against all inside it. What is left
    open are the signs, which the point of least norm on those equations mostly has by itself.
    """
    m = len(margins)
    if m <= _FEW:
        # Of few in a cycle all have a chance, mostly; that needs no program to be solved.
        chances = _level(margins, list(range(m)))
        if _strict(chances, margins):
            return chances
    inner = _interior(margins)
    inside = np.flatnonzero(inner > 0).tolist()
    chances = _level(margins, inside)
    if _strict(chances, margins):
        return chances
    # Several lotteries are maximal, and a sign holds the most even one. First that there are no
    # more equations than these: a point with all signs right that solves them exactly.
    near = [Fraction(float(inner[i])) for i in inside]
    ties = [margins[inside, j].tolist() for j in inside]
    off = [-sum((x * y for x, y in zip(row, near, strict=True)), Fraction(0)) for row in ties]
    step = _nearest(ties, off)
    proof = [x + y for x, y in zip(near, step, strict=True)]
    if not _strict(_spread(proof, inside, m), margins):
        raise ArithmeticError(_UNSOUND)
    return _held(margins, inside, chances)


def _level(margins: Ints, inside: list[int]) -> list[Fraction]:
    """The point of least norm that is 0 outside some and level against each of them, with sum 1."""
    rows = [[1] * len(inside), *(margins[inside, j].tolist() for j in inside)]
    return _spread(_nearest(rows, [1]), inside, len(margins))


def _held(margins: Ints, inside: list[int], level: list[Fraction]) -> list[Fraction]:
    """The point of least norm where signs hold it, `level` being the one on the equations alone."""
    m = len(margins)
    signs = [*np.eye(m, dtype=np.int64)[inside].tolist(), *margins.T[_outside(m, inside)].tolist()]
    signs = [[row[i] for i in inside] for row in signs]
    equations = [[1] * len(inside), *(margins[inside, j].tolist() for j in inside)]
    held = [signs[k] for k in _tight(signs, equations, [float(level[i]) for i in inside])]
    rows = [*held, *equations]
    weights = _weights(rows, [0] * len(held) + [1])
    chances = _spread(_combined(rows, weights), inside, m)
    sound = (
        sum(chances) == 1
        and min(chances) >= 0
        and min(_against(chances, margins[:, j]) for j in range(m)) >= 0
        and all(not _against(chances, margins[:, j]) for j in inside)
        # Karush, Kuhn and Tucker: no sign that holds the point pulls it the wrong way.
        and all(weight >= 0 for weight in weights[: len(held)])
    )
    if not sound:
        raise ArithmeticError(_UNSOUND)
    return chances


def _interior(margins: Ints) -> NDArray[np.float64]:
    """A solution of p >= 0, p^T M >= 0, p + p^T M > 0 (Tucker, 1956), in floating point.

    What is 0 in it is 0 exactly.
    """
    from scipy.optimize import linprog

    m = len(margins)
    scaled = margins.T / max(1, int(np.abs(margins).max(initial=0)))
    found: Any = linprog(
        np.ones(m),
        A_ub=-np.vstack([scaled, scaled + np.eye(m)]),
        b_ub=np.concatenate([np.zeros(m), -np.ones(m)]),
        method="highs",
    )
    if not found.success:
        raise ArithmeticError(f"The solver failed on a program with a solution: {found.message}")
    # Of the two parts one is 0 and the other at least 1.
    chosen: NDArray[np.float64] = np.where(found.x > scaled @ found.x, found.x, 0.0)
    return chosen


def _tight(signs: list[Row], equations: list[Row], level: list[float]) -> list[int]:
    """Which signs hold the point of least norm, in floating point.

    Least distance programming by non-negative least squares (Lawson and Hanson, Solving least
    squares problems, 1974, chapter 23), along what the equations leave free.
    """
    from scipy.linalg import null_space
    from scipy.optimize import nnls

    conditions = np.array(signs, dtype=np.float64)
    conditions /= np.maximum(1.0, np.abs(conditions).max(axis=1, keepdims=True))
    free = null_space(np.array(equations, dtype=np.float64))
    system = np.vstack([(conditions @ free).T, -(conditions @ np.array(level))])
    target = np.zeros(len(system))
    target[-1] = 1.0
    weights, _ = nnls(system, target)
    return np.flatnonzero(weights > _TINY * weights.max()).tolist()


def _strict(chances: list[Fraction], margins: Ints) -> bool:
    """Whether either a chance is above 0 or it is a sure loss not to be in it, never both."""
    against = [_against(chances, margins[:, j]) for j in range(len(margins))]
    return all(
        (p > 0 and d == 0) or (p == 0 and d > 0) for p, d in zip(chances, against, strict=True)
    )


def _outside(m: int, inside: list[int]) -> list[int]:
    return [j for j in range(m) if j not in set(inside)]


def _spread(values: Sequence[Fraction], inside: list[int], m: int) -> list[Fraction]:
    chances = [Fraction(0)] * m
    for i, value in zip(inside, values, strict=True):
        chances[i] = value
    return chances


def _against(chances: Sequence[Fraction], column: Ints) -> Fraction:
    """Expected margin against one alternative."""
    pairs = zip(chances, column.tolist(), strict=True)
    return sum((chance * margin for chance, margin in pairs if chance), Fraction(0))


def _nearest(rows: list[Row], right: Sequence[int | Fraction]) -> list[Fraction]:
    """The solution of least norm of some equations; those of `right` that lack are 0."""
    return _combined(rows, _weights(rows, right))


def _combined(rows: list[Row], weights: Sequence[Fraction]) -> list[Fraction]:
    used = [(row, weight) for row, weight in zip(rows, weights, strict=True) if weight]
    return [sum((w * row[i] for row, w in used), Fraction(0)) for i in range(len(rows[0]))]


def _weights(rows: list[Row], right: Sequence[int | Fraction]) -> list[Fraction]:
    """Weights w of rows R with R R^T w = b; 0 for rows that depend on those before.

    Exact, in whole numbers (Bareiss, Mathematics of Computation 22, 1968). The matrix is
    semidefinite, so that a pivot of 0 means a row of zeros.
    """
    scale = math.lcm(*(Fraction(b).denominator for b in right))
    whole = [int(b * scale) for b in right] + [0] * (len(rows) - len(right))
    left = [
        [*(sum(x * y for x, y in zip(r, s, strict=True)) for s in rows), b]
        for r, b in zip(rows, whole, strict=True)
    ]
    n, last = len(rows), 1
    for k in range(n):
        top = left[k]
        if not top[k]:
            continue
        for r in range(k + 1, n):
            row, lead = left[r], left[r][k]
            row[k + 1 :] = [
                (x * top[k] - lead * y) // last
                for x, y in zip(row[k + 1 :], top[k + 1 :], strict=True)
            ]
        last = top[k]
    weights = [Fraction(0)] * n
    for k in reversed(range(n)):
        if left[k][k]:
            known = sum((left[k][c] * weights[c] for c in range(k + 1, n)), Fraction(0))
            weights[k] = (left[k][n] - known) / left[k][k]
    return [weight / scale for weight in weights]
