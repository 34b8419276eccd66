"""The opinion map of Polis: principal components of votes, computed from the votes there are.

A missing vote stands at the mean of its statement, so that after centring it is zero and costs
nothing: the components are those of a sparse matrix. People with few votes are moved outwards by
the square root of what they left out (Small et al., "Polis", RECERCA 26, 2021). Statements that
were moderated out are zeroed, as Polis does it: a vote of zero by everybody.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.opinions.cells import Cells, Floats


@dataclass(frozen=True, eq=False)
class Plane:
    """Where people and statements stand."""

    points: Floats
    """Each person's place, shape (people, dimensions)."""
    axes: Floats
    """The components, shape (dimensions, statements); the largest entry of each is positive."""
    means: Floats
    """Mean vote on each statement, shape (statements,)."""
    explained: Floats
    """Share of the variation of all votes along each axis, shape (dimensions,)."""

    @property
    def statements(self) -> Floats:
        """Where somebody would stand who agreed with one statement and saw no other."""
        return self._single(1.0)

    @property
    def extremity(self) -> Floats:
        """How far out one disagreement and nothing else would put somebody, as in Polis."""
        extremity: Floats = np.linalg.norm(self._single(-1.0), axis=1)
        return extremity

    def _single(self, vote: float) -> Floats:
        reach = math.sqrt(len(self.means)) * (vote - self.means)
        single: Floats = reach[:, None] * self.axes.T
        return single


MANY = 1_000_000
"""Votes from which the axes need not be as exact, where that is as exact as anybody can see."""
_FINE, _COARSE = 1e-7, 1e-3


def plane(
    cells: Cells, *, dimensions: int = 2, zeroed: int = 0, tolerance: float | None = None
) -> Plane:
    """Return the map of the strongest components of some votes.

    Deterministic: the iteration starts from the diagonal, and the sign of an axis is that of its
    largest entry. Two components of equal strength have no directions of their own.

    Args:
        cells: votes, of at least one more person and statement than dimensions.
        dimensions: number of components.
        zeroed: statements among them that were moderated out: each counts as seen by everybody.
        tolerance: relative error of the variance along an axis at which the iteration stops; 0 is
            as exact as floats are. None: 1e-7, and 1e-3 from a million votes.
    """
    if tolerance is None:
        tolerance = _FINE if len(cells.values) < MANY else _COARSE
    matrix = cells.centred
    axes, variances = _strongest(matrix, dimensions, tolerance)
    order = np.argsort(-variances, kind="stable")
    axes = axes[order]
    turn = np.where(axes[np.arange(dimensions), np.abs(axes).argmax(axis=1)] < 0, -1.0, 1.0)
    axes = axes * turn[:, None]
    answered = np.diff(cells.starts) + zeroed
    spread = np.sqrt(cells.statements / np.maximum(answered, 1))
    points: Floats = (matrix @ axes.T) * spread[:, None]
    total = float(matrix.data @ matrix.data)
    return Plane(points, axes, cells.means, variances[order] / total)


def _strongest(matrix: Any, dimensions: int, tolerance: float) -> tuple[Floats, Floats]:
    """Unit vectors over the statements, shape (dimensions, statements), and their variances."""
    from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

    people, statements = matrix.shape
    # Single precision is a thousand times finer than the coarse tolerance, and half the reading.
    kind = np.float32 if tolerance >= _COARSE else np.float64
    matrix = matrix.astype(kind)
    turned = matrix.T
    wide = statements > people

    def squared(x: NDArray[Any]) -> NDArray[Any]:
        made: NDArray[Any] = matrix @ (turned @ x) if wide else turned @ (matrix @ x)
        return made

    size = min(people, statements)
    operator = LinearOperator((size, size), matvec=squared, dtype=kind)
    even: NDArray[Any] = np.full(size, 1 / math.sqrt(size), dtype=kind)
    uneven: NDArray[Any] = _uneven(size).astype(kind)
    try:
        variances, vectors = eigsh(operator, k=dimensions, v0=even, tol=tolerance)
        blind = _reached(squared, uneven) > (1 + _BLIND) * float(variances.max())
    except ArpackError:
        blind = True
    if blind:
        # Camps of equal size and opposite votes: what lies between them is at right angles to the
        # diagonal, and an iteration that starts there never meets it.
        variances, vectors = eigsh(operator, k=dimensions, v0=uneven, tol=tolerance)
    vectors, variances = vectors.astype(np.float64), np.maximum(variances, 0.0).astype(np.float64)
    axes = (turned @ vectors).T if wide else vectors.T
    if wide:
        axes = axes / np.maximum(np.linalg.norm(axes, axis=1, keepdims=True), 1e-300)
    return np.ascontiguousarray(axes), variances


_BLIND = 1e-3
"""By how much a direction may be stronger than the strongest that was found."""
_TURNS = 4


def _uneven(size: int) -> Floats:
    """A vector that no symmetry of votes is at right angles to: the golden angle, step by step."""
    uneven: Floats = np.cos(np.arange(1, size + 1) * math.pi * (3 - math.sqrt(5))) + 1.5
    return uneven / np.linalg.norm(uneven)


def _reached(squared: Callable[[NDArray[Any]], NDArray[Any]], start: NDArray[Any]) -> float:
    """The strength of the direction that a few turns of power iteration come to."""
    for _ in range(_TURNS):
        image = squared(start)
        length = float(np.linalg.norm(image))
        if not length:
            return 0.0
        start = image / length
    return float(start @ squared(start))
