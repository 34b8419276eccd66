"""k-means and silhouettes equal those of known libraries."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.vq import kmeans2
from sklearn.metrics import silhouette_score

from normwright.aggregate.opinions.splitting import kmeans, silhouette
from normwright.stats import adjusted_rand


def clouds(seed: int) -> np.ndarray:
    """Three round clouds."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(c, 1, (40, 2)) for c in (0, 3, 6)])


def looseness(points: np.ndarray, labels: np.ndarray) -> float:
    """Sum of squared distances to the means."""
    groups = [points[labels == g] for g in np.unique(labels)]
    return float(sum(((g - g.mean(axis=0)) ** 2).sum() for g in groups))


def test_silhouette_and_kmeans_equal_libraries() -> None:
    """The silhouette is scikit-learn's; k-means is at least as tight as scipy's."""
    points = clouds(4)
    labels = kmeans(points, 3, np.random.default_rng(0), starts=6)
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    _, theirs = kmeans2(points, 3, minit="++", seed=0)

    assert silhouette(distances, labels, 3) == pytest.approx(silhouette_score(points, labels))
    assert looseness(points, labels) <= looseness(points, theirs) + 1e-9


def test_a_weight_is_a_repetition() -> None:
    """A point of weight three is three points."""
    points = clouds(5)
    weights = np.random.default_rng(1).integers(1, 4, len(points))
    whole = kmeans(np.repeat(points, weights, axis=0), 3, np.random.default_rng(2), starts=20)
    weighed = kmeans(points, 3, np.random.default_rng(3), starts=20, weights=weights.astype(float))

    assert adjusted_rand(np.repeat(weighed, weights), whole) == 1


def test_many_centres_are_looked_up_alike() -> None:
    """Nearest centres from a tree are those from all distances."""
    points = clouds(6)
    one = kmeans(points, 20, np.random.default_rng(7), starts=1)
    means = np.stack([points[one == g].mean(axis=0) for g in range(20)])
    nearest = np.linalg.norm(points[:, None] - means, axis=2).argmin(axis=1)

    assert (one == nearest).all()
