"""The opinion map of Polis: principal components of votes, computed from the votes there are.

A missing vote stands at the mean of its statement, so that after centring it is zero and costs
nothing: the components are those of a sparse matrix. People with few votes are moved outwards by
the square root of what they left out (Small et al., "Polis", RECERCA 26, 2021). Statements that
were moderated out are zeroed, as Polis does it: a vote of zero by everybody.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

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


def plane(cells: Cells, *, dimensions: int = 2, zeroed: int = 0, tolerance: float = 1e-6) -> Plane:
    """Return the map of the strongest components of some votes.

    Deterministic: the iteration starts from the diagonal, and the sign of an axis is that of its
    largest entry. Two components of equal strength have no directions of their own.

    Args:
        cells: votes, of at least one more person and statement than dimensions.
        dimensions: number of components.
        zeroed: statements among them that were moderated out: each counts as seen by everybody.
        tolerance: relative accuracy of the components; 0 is as exact as floats are.
    """
    from scipy.sparse.linalg import svds

    matrix = cells.centred
    shortest = min(matrix.shape)
    start = np.full(shortest, 1 / math.sqrt(shortest))
    _, strengths, axes = svds(matrix, k=dimensions, v0=start, tol=tolerance)
    order = np.argsort(-strengths, kind="stable")
    axes = axes[order]
    turn = np.sign(axes[np.arange(dimensions), np.abs(axes).argmax(axis=1)])
    axes = axes * turn[:, None]
    answered = np.diff(cells.starts) + zeroed
    spread = np.sqrt(cells.statements / np.maximum(answered, 1))
    points: Floats = (matrix @ axes.T) * spread[:, None]
    total = float(matrix.data @ matrix.data)
    return Plane(points, axes, cells.means, strengths[order] ** 2 / total)
