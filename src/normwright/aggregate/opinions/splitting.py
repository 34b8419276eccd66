"""k-means and silhouettes, from many starts at once and with weights."""

from __future__ import annotations

import numpy as np

from normwright.aggregate.opinions.cells import Floats, Ints

_TURNS = 100
_MANY = 16
"""Centres from which the nearest is looked up in a tree."""


def kmeans(
    points: Floats,
    k: int,
    rng: np.random.Generator,
    *,
    starts: int,
    weights: Floats | None = None,
    turns: int = _TURNS,
) -> Ints:
    """Return labels by Lloyd's algorithm from several k-means++ starts; the tightest result wins.

    Args:
        points: shape (n, dimensions).
        k: number of groups.
        rng: source of the starts.
        starts: number of starts.
        weights: weight of each point, shape (n,); None: all alike.
        turns: turns at most.
    """
    n, dimensions = points.shape
    mass = np.ones(n) if weights is None else weights
    centres = np.concatenate([_start(points, k, rng, mass) for _ in range(starts)])
    offset = np.arange(starts) * k
    labels = np.full((n, starts), -1)
    heavy = np.repeat(mass, starts)
    pulls = [np.repeat(points[:, d] * mass, starts) for d in range(dimensions)]
    gaps = np.zeros((n, starts))
    for _ in range(turns):
        fresh, gaps = _nearest(points, centres, starts)
        if (fresh == labels).all():
            break
        labels = fresh
        flat = (labels + offset).ravel()
        sizes = np.bincount(flat, heavy, len(centres))[:, None]
        sums = np.stack([np.bincount(flat, p, len(centres)) for p in pulls], axis=1)
        centres = np.where(sizes > 0, sums / np.where(sizes > 0, sizes, 1), centres)
    best: Ints = labels[:, int((gaps * mass[:, None]).sum(axis=0).argmin())]
    return best


def squares(points: Floats, centres: Floats) -> Floats:
    """Return squared distances, shape (points, centres); rounding must not make one negative."""
    gaps = (points**2).sum(axis=1)[:, None] - 2 * points @ centres.T + (centres**2).sum(axis=1)
    apart: Floats = np.maximum(gaps, 0.0)
    return apart


def silhouette(distances: Floats, labels: Ints, k: int) -> float:
    """Return the mean silhouette (Rousseeuw, 1987); someone alone in a group counts 0.

    Args:
        distances: between any two, shape (n, n).
        labels: group of each, shape (n,).
        k: number of groups.
    """
    me = np.arange(len(labels))
    member = np.eye(k)[labels]
    sizes = member.sum(axis=0)
    sums = distances @ member
    own = sums[me, labels] / np.maximum(sizes[labels] - 1, 1)
    means = sums / np.maximum(sizes, 1)
    means[:, sizes == 0] = np.inf
    means[me, labels] = np.inf
    other = means.min(axis=1)
    known = (np.maximum(own, other) > 0) & np.isfinite(other) & (sizes[labels] > 1)
    scores = np.zeros(len(labels))
    scores[known] = (other - own)[known] / np.maximum(own, other)[known]
    return float(scores.mean())


def _nearest(points: Floats, centres: Floats, starts: int) -> tuple[Ints, Floats]:
    """Number of the nearest centre of each start and its squared distance, (points, starts)."""
    if starts == 1 and len(centres) >= _MANY:
        from scipy.spatial import cKDTree

        distance, number = (np.asarray(found) for found in cKDTree(centres).query(points))
        return number.astype(np.int64)[:, None], (distance**2)[:, None]
    gaps = squares(points, centres).reshape(len(points), starts, -1)
    return gaps.argmin(axis=2), gaps.min(axis=2)


def _start(points: Floats, k: int, rng: np.random.Generator, mass: Floats) -> Floats:
    """k-means++ (Arthur and Vassilvitskii, 2007): far points are likelier starts."""
    chosen = [_drawn(mass, rng)]
    gap = squares(points, points[chosen])[:, 0]
    for _ in range(k - 1):
        chosen.append(_drawn(gap * mass, rng))
        gap = np.minimum(gap, squares(points, points[chosen[-1:]])[:, 0])
    return points[chosen]


def _drawn(shares: Floats, rng: np.random.Generator) -> int:
    # Where all points are spent already, any will do.
    reach = np.cumsum(shares)
    return min(int(np.searchsorted(reach, rng.random() * reach[-1])), len(shares) - 1)
