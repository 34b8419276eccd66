"""Base clusters stand for the people near them, and groups are found through them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from normwright.aggregate.opinions.polis import BASE, base_clusters, split
from normwright.stats import adjusted_rand


def clouds(each: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points around three places, and which of them."""
    rng = np.random.default_rng(seed)
    points = np.concatenate([rng.normal(c, 0.5, (each, 2)) for c in (0, 4, 8)])
    return points, np.repeat([0, 1, 2], each)


def test_few_people_are_their_own_base_clusters() -> None:
    """Up to a hundred different places nothing is merged, so groups are plain k-means."""
    points, truth = clouds(20)
    labels, centres, sizes = base_clusters(points, np.random.default_rng(0))
    found, score = split(points, np.random.default_rng(0))

    assert len(centres) == 60
    assert centres[labels] == pytest.approx(points)
    assert (sizes == 1).all()
    assert adjusted_rand(found, truth) == 1
    assert score == pytest.approx(silhouette_score(points, found))


def test_many_people_are_a_hundred_base_clusters() -> None:
    """Base clusters are means of their people, and three clouds remain three."""
    points, truth = clouds(700)
    labels, centres, sizes = base_clusters(points, np.random.default_rng(0))

    assert len(centres) <= BASE
    assert sizes.sum() == 2100
    assert centres[5] == pytest.approx(points[labels == 5].mean(axis=0))
    assert adjusted_rand(split(points, np.random.default_rng(1))[0], truth) == 1


def test_number_of_groups_is_bounded_by_base_clusters() -> None:
    """Below a dozen base clusters there are two groups; a single place is one group."""
    points, _ = clouds(3)
    assert split(points, np.random.default_rng(0))[0].max() == 1
    labels, score = split(np.zeros((9, 2)), np.random.default_rng(0))
    assert labels.tolist() == [0] * 9
    assert score == -1
