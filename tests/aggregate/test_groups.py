"""Opinion groups are found where they are, and not found where they are not."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2
from sklearn.metrics import silhouette_score

from normwright.aggregate import Profile, find_groups
from normwright.aggregate import groups as room
from normwright.aggregate.opinions.cells import Cells
from normwright.aggregate.opinions.evidence import explained
from normwright.aggregate.opinions.plane import plane
from normwright.aggregate.opinions.splitting import kmeans, silhouette
from normwright.records import digest_json
from normwright.stats import adjusted_rand


def profile_of(votes: NDArray[Any], seen: NDArray[np.bool_]) -> Profile:
    """A profile with made-up names."""
    people = tuple(f"p{i:04d}" for i in range(len(votes)))
    statements = tuple(f"s{j}" for j in range(votes.shape[1]))
    return Profile.from_tables(people, statements, votes, seen)


def planted(
    rng: np.random.Generator,
    sizes: tuple[int, ...],
    statements: int = 24,
    noise: float = 0.15,
    coverage: float = 0.65,
) -> tuple[Profile, NDArray[np.int64]]:
    """Votes of groups that each have a stance of their own on every statement."""
    stances = rng.choice([-1, 1], size=(len(sizes), statements))
    labels = np.repeat(np.arange(len(sizes)), sizes)
    votes = stances[labels]
    shape = votes.shape
    votes = np.where(rng.random(shape) < noise, rng.integers(-1, 2, shape), votes)
    return profile_of(votes, rng.random(shape) < coverage), labels


@pytest.mark.parametrize("sizes", [(60, 40), (50, 40, 30)])
def test_planted_groups_are_found(sizes: tuple[int, ...]) -> None:
    """Groups that were put there come back, largest first, with members digested."""
    profile, truth = planted(np.random.default_rng(1), sizes)
    found = find_groups(profile, seed=0, rounds=20)

    assert adjusted_rand(found.labels, truth) > 0.9
    assert [g.id for g in found.grouping.groups] == list("ABC"[: len(sizes)])
    sizes_found = [g.size for g in found.grouping.groups]
    assert sizes_found == sorted(sizes_found, reverse=True)
    members = [p for p, mine in zip(profile.participants, found.mask(0), strict=True) if mine]
    assert found.grouping.groups[0].members == digest_json(sorted(members))
    assert found.grouping.null_p == pytest.approx(0.01)
    assert found.grouping.stability is not None
    assert found.grouping.stability.n == sum(sizes)


@pytest.mark.parametrize("seed", range(4))
def test_no_groups_in_independent_votes(seed: int) -> None:
    """Votes that know nothing of each other hold no groups, whatever their tallies."""
    rng = np.random.default_rng(seed)
    shares = rng.uniform(0.2, 0.9, 24)
    votes = np.where(rng.random((120, 24)) < shares, 1, -1)
    found = find_groups(profile_of(votes, rng.random((120, 24)) < 0.7), seed=0, rounds=20)

    assert found.grouping.groups == ()
    assert (found.labels == -1).all()
    assert found.grouping.reason.startswith("No groups")


def test_null_p_is_a_p_value() -> None:
    """Without groups the p-value is spread over (0, 1], not heaped at its end."""
    rng = np.random.default_rng(8)
    values = []
    for _ in range(10):
        votes = rng.choice([-1, 0, 1], size=(40, 12), p=[0.3, 0.2, 0.5])
        cells = Cells.of(profile_of(votes, votes < 2))
        fit = room._fit(cells, rng)
        assert fit is not None
        values.append(room._null_p(cells, fit, rng))

    assert 0.25 < np.mean(values) < 0.75


def test_too_few_to_look() -> None:
    """Nobody, or a handful, is an answer in words."""
    for people in (0, 6):
        votes = np.ones((people, 12))
        found = find_groups(profile_of(votes, votes > 0), seed=0)
        assert found.grouping.groups == ()
        assert "too few" in found.grouping.reason


def test_unanimous_votes() -> None:
    """Where all agree there is nothing to divide."""
    votes = np.ones((40, 12))

    assert "agrees" in find_groups(profile_of(votes, votes > 0), seed=0).grouping.reason


def test_those_with_few_votes_are_in_no_group() -> None:
    """Someone with fewer votes than it takes has no place, and is in no group."""
    profile, _ = planted(np.random.default_rng(2), (40, 40))
    seen = profile.seen.copy()
    seen[0] = False
    seen[0, :3] = True
    found = find_groups(profile_of(profile.votes, seen), seed=0, rounds=10)

    assert found.labels[0] == -1
    assert (found.labels[1:] >= 0).all()


def test_same_seed_same_groups() -> None:
    """A grouping repeats with its seed; the names of groups do not depend on the seed."""
    profile, _ = planted(np.random.default_rng(3), (50, 30))
    first = find_groups(profile, seed=5, rounds=10)
    other = find_groups(profile, seed=6, rounds=10)

    assert first.grouping == find_groups(profile, seed=5, rounds=10).grouping
    assert first.grouping.groups == other.grouping.groups


def test_silhouette_and_kmeans_equal_libraries() -> None:
    """The silhouette is scikit-learn's; k-means is at least as tight as scipy's."""
    rng = np.random.default_rng(4)
    points = np.concatenate([rng.normal(c, 1, (40, 2)) for c in (0, 3, 6)])
    labels = kmeans(points, 3, rng, starts=6)
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    assert silhouette(distances, labels, 3) == pytest.approx(silhouette_score(points, labels))

    centres, theirs = kmeans2(points, 3, minit="++", seed=0)
    mine = sum(((points[labels == g] - points[labels == g].mean(0)) ** 2).sum() for g in range(3))
    assert mine <= ((points - centres[theirs]) ** 2).sum() + 1e-9


def test_map_equals_the_dense_one() -> None:
    """The sparse plane is that of a dense singular value decomposition, up to direction."""
    profile, _ = planted(np.random.default_rng(5), (30, 20))
    votes, seen = profile.votes.astype(float), profile.seen
    means = (votes * seen).sum(0) / seen.sum(0)
    centred = np.where(seen, votes - means, 0)
    axes = np.linalg.svd(centred)[2][:2]
    dense = (centred @ axes.T) * np.sqrt(seen.shape[1] / seen.sum(1))[:, None]
    sparse = plane(Cells.of(profile)).points

    assert np.abs(sparse) == pytest.approx(np.abs(dense), abs=1e-5)


def test_explained_equals_the_slow_version() -> None:
    """The share between groups is that of a table made cell by cell."""
    profile, labels = planted(np.random.default_rng(6), (12, 9), statements=8)
    cells = Cells.of(profile)
    between = total = 0.0
    for j in range(8):
        seen = profile.seen[:, j]
        column = profile.votes[:, j].astype(float)
        mean = column[seen].mean()
        total += ((column[seen] - mean) ** 2).sum()
        for g in (0, 1):
            mine = seen & (labels == g)
            between += mine.sum() * (column[mine].mean() - mean) ** 2 if mine.any() else 0.0

    assert explained(cells, labels, 2) == pytest.approx(between / total)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "expected"),
    [("brexit-consensus", 3), ("canadian-electoral-reform", 2), ("bg2050-volunteers", 0)],
)
def test_real_conversations(name: str, expected: int) -> None:
    """Real votes: firm groups are found, and a conversation without any is said to have none."""
    place = os.environ.get("NORMWRIGHT_DATA")
    if not place:
        pytest.skip("NORMWRIGHT_DATA is not set: real votes are not at hand")
    path = Path(place) / "votes" / "polis" / name
    with gzip.open(path / "comments.csv.gz", "rt", newline="") as file:
        kept = [r["comment-id"] for r in csv.DictReader(file) if r["moderated"] != "-1"]
    with gzip.open(path / "participants-votes.csv.gz", "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    votes = np.array([[int(r[k] or 0) for k in kept] for r in rows])
    seen = np.array([[r[k] != "" for k in kept] for r in rows])
    found = find_groups(profile_of(votes, seen), seed=1, rounds=20)

    assert len(found.grouping.groups) == expected
