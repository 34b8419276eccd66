"""Opinion groups become a record, with members digested and the verdict told."""

from __future__ import annotations

import numpy as np
import pytest
from tests.aggregate.opinions.made import independent, line, planted

from normwright.aggregate import Profile, find_groups
from normwright.records import digest_json
from normwright.stats import adjusted_rand


@pytest.mark.parametrize("sizes", [(60, 40), (50, 40, 30)])
def test_planted_groups_are_found(sizes: tuple[int, ...]) -> None:
    """Groups that were put there come back, largest first, with members digested."""
    profile, truth = planted(1, sizes)
    found = find_groups(profile, seed=0, rounds=10)

    assert found.grouping.verdict == "groups"
    assert adjusted_rand(found.labels, truth) > 0.9
    assert [g.id for g in found.grouping.groups] == list("ABC"[: len(sizes)])
    for number, group in enumerate(found.grouping.groups):
        mine = found.mask(number)
        members = [p for p, inside in zip(profile.participants, mine, strict=True) if inside]
        assert group.size == len(members)
        assert group.members == digest_json(sorted(members))
    assert found.grouping.null_p == pytest.approx(0.01)
    assert found.grouping.stability is not None
    assert found.grouping.stability.n == sum(g.size for g in found.grouping.groups)


def test_no_groups_in_independent_votes() -> None:
    """Where there are none the record is empty, and nobody has a label."""
    found = find_groups(independent(0), seed=0, rounds=10)

    assert found.grouping.groups == ()
    assert (found.labels == -1).all()
    assert found.grouping.reason.startswith("No groups")


def test_sides_of_a_spectrum_are_told_as_such() -> None:
    """People along a line are on one side or the other, and no gap is claimed."""
    found = find_groups(line(0), seed=0, rounds=10)

    assert found.grouping.verdict == "spectrum"
    assert len(found.grouping.groups) > 1
    assert found.grouping.gap_p is not None
    assert found.grouping.gap_p > 0.05


def test_those_with_few_votes_are_in_no_group() -> None:
    """Someone with fewer votes than it takes has no place, and is in no group."""
    profile, _ = planted(2, (40, 40))
    seen = profile.seen.copy()
    seen[0] = False
    seen[0, :3] = True
    fewer = Profile.from_tables(profile.participants, profile.statements, profile.votes, seen)
    found = find_groups(fewer, seed=0, rounds=6)

    assert found.labels[0] == -1
    assert (found.labels[1:] >= 0).all()


def test_same_seed_same_groups() -> None:
    """A grouping repeats with its seed; clear groups do not depend on the seed."""
    profile, _ = planted(3, (50, 30))
    first = find_groups(profile, seed=5, rounds=6)

    assert first.grouping == find_groups(profile, seed=5, rounds=6).grouping
    assert first.grouping.groups == find_groups(profile, seed=6, rounds=6).grouping.groups
    assert np.unique(first.labels).tolist() == [0, 1]
