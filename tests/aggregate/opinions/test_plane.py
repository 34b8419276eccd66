"""The sparse map is the map that dense principal components give."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from tests.aggregate.opinions.made import planted

from normwright.aggregate import Profile
from normwright.aggregate.opinions.cells import Cells
from normwright.aggregate.opinions.plane import plane


def dense(profile: Profile) -> tuple[np.ndarray, np.ndarray]:
    """Votes with missing ones at the mean of their statement, and votes a person."""
    votes, seen = profile.votes.astype(float), profile.seen
    means = (votes * seen).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    return np.where(seen, votes, means), seen.sum(axis=1)


@pytest.mark.parametrize("statements", [24, 90])
def test_equals_the_dense_map(statements: int) -> None:
    """Places, axes and explained variance are those of dense PCA, more people or statements."""
    profile, _ = planted(5, (30, 20), statements=statements)
    table, answered = dense(profile)
    pca = PCA(2, svd_solver="full").fit(table)
    theirs = pca.transform(table) * np.sqrt(statements / answered)[:, None]
    ours = plane(Cells.of(profile), tolerance=0)

    assert np.abs(ours.axes) == pytest.approx(np.abs(pca.components_), abs=1e-9)
    assert np.abs(ours.points) == pytest.approx(np.abs(theirs), abs=1e-8)
    assert ours.explained == pytest.approx(pca.explained_variance_ratio_, abs=1e-9)


def test_signs_are_fixed() -> None:
    """The largest entry of an axis is positive, whichever way the iteration came out."""
    axes = plane(Cells.of(planted(6)[0])).axes

    assert (axes[[0, 1], np.abs(axes).argmax(axis=1)] > 0).all()


def test_rejected_statements_are_zeroed_as_by_polis() -> None:
    """A rejected statement pulls nobody and counts as seen by everybody."""
    profile, _ = planted(7)
    votes, seen = profile.votes.copy(), profile.seen.copy()
    votes[:, :3], seen[:, :3] = 0, True
    zeroed = Profile.from_tables(profile.participants, profile.statements, votes, seen)
    kept = Cells.of(profile).keeping(Cells.of(profile).columns >= 3)
    ours = plane(kept, zeroed=3)

    assert ours.points == pytest.approx(plane(Cells.of(zeroed)).points, abs=1e-6)
    assert (ours.axes[:, :3] == 0).all()


def test_statements_stand_where_a_single_vote_would() -> None:
    """A statement's place is that of somebody who agreed with it and saw no other."""
    profile, _ = planted(8)
    space = plane(Cells.of(profile), tolerance=0)
    lone = np.sqrt(24) * (1 - space.means[4]) * space.axes[:, 4]
    against = np.sqrt(24) * (-1 - space.means[4]) * space.axes[:, 4]

    assert space.statements[4] == pytest.approx(lone)
    assert space.extremity[4] == pytest.approx(np.hypot(*against))
