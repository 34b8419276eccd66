"""Which of several options no other beats on every count, and how sure that is.

Objectives are turned so that more is better everywhere. An option is dominated by one that is at
least as good on each and better on one; the frontier is what is left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def dominates(first: ArrayLike, second: ArrayLike) -> Flags:
    """Return whether the first is at least as good on each objective and better on one.

    Args:
        first: shape (..., objectives), more is better.
        second: shape (..., objectives).
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    return np.asarray((a >= b).all(-1) & (a > b).any(-1))


def on_frontier(points: ArrayLike) -> Flags:
    """Return which points no other dominates; of equal points all or none.

    Args:
        points: shape (..., options, objectives), more is better.

    Returns:
        Shape (..., options).
    """
    p = np.asarray(points, dtype=np.float64)
    # Entry [i, j]: j dominates i.
    return np.asarray(~dominates(p[..., None, :, :], p[..., :, None, :]).any(-1))


def hypervolume(points: ArrayLike, reference: ArrayLike) -> float:
    """Return the exact volume that points dominate above a reference, for 1, 2 or 3 objectives.

    By a sweep along the last objective (Fonseca, Paquete and Lopez-Ibanez, CEC 2006, without their
    tree). A point that is not above the reference on every objective adds nothing.

    Args:
        points: shape (n, objectives), more is better.
        reference: shape (objectives,).

    Raises:
        ValueError: for another number of objectives, or values that are not finite.
    """
    low = np.asarray(reference, dtype=np.float64)
    p = np.asarray(points, dtype=np.float64).reshape(-1, len(low))
    if not 1 <= len(low) <= 3:
        raise ValueError(f"a volume in 1, 2 or 3 objectives, not {len(low)}")
    if not (np.isfinite(p).all() and np.isfinite(low).all()):
        raise ValueError("finite values, please")
    above = p[(p > low).all(1)] - low
    return _volume(above)


def _volume(above: Floats) -> float:
    if not len(above):
        return 0.0
    if above.shape[1] == 1:
        return float(above.max())
    ordered = above[np.argsort(-above[:, -1], kind="stable")]
    heights = np.append(ordered[:, -1], 0.0)
    if above.shape[1] == 2:
        # Between two heights all points above the upper one count by the widest of them.
        return float((np.maximum.accumulate(ordered[:, 0]) * -np.diff(heights)).sum())
    return float(sum(
        _volume(ordered[: k + 1, :-1]) * (heights[k] - heights[k + 1])
        for k in range(len(ordered)) if heights[k] > heights[k + 1]
    ))  # fmt: skip


def hypervolumes(points: ArrayLike, reference: ArrayLike, kept: ArrayLike | None = None) -> Floats:
    """Return the volume of each of many sets of points, as `hypervolume`.

    Args:
        points: shape (sets, n, objectives).
        reference: shape (objectives,).
        kept: which points count, shape (n,); None: all.
    """
    p = np.asarray(points, dtype=np.float64)
    if kept is not None:
        p = p[:, np.asarray(kept, dtype=np.bool_)]
    return np.array([hypervolume(each, reference) for each in p])
