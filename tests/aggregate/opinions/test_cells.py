"""The order of people is that of their votes, and cutting votes out leaves the others alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.aggregate.opinions.made import planted, profile_of

from normwright.aggregate.opinions.cells import Cells, places


@given(st.integers(0, 50))
@settings(derandomize=True, deadline=None, max_examples=20)
def test_order_follows_votes_and_not_places(seed: int) -> None:
    """However people and statements are listed, the same ballots come in the same sequence."""
    rng = np.random.default_rng(seed)
    votes = rng.integers(-1, 2, (30, 6))
    seen = rng.random((30, 6)) < 0.6
    people, statements = rng.permutation(30), rng.permutation(6)
    one = profile_of(votes, seen)
    other = profile_of(votes[people][:, statements], seen[people][:, statements])
    first, second = (places(Cells.of(p), 2) for p in (one, other))
    back = np.argsort(statements)

    assert (one.votes[first] == other.votes[second][:, back]).all()
    assert (one.seen[first] == other.seen[second][:, back]).all()
    assert (one.seen[first].sum(axis=1) >= 2).all()
    assert len(first) == (seen.sum(axis=1) >= 2).sum()


def test_parts_hold_what_the_whole_held() -> None:
    """Some people, or some votes, are just those."""
    profile, _ = planted(1)
    cells = Cells.of(profile)
    some = np.array([7, 3, 90])
    part = cells.only(some)
    assert part.matrix(part.values.astype(float)).toarray().tolist() == profile.votes[some].tolist()

    kept = cells.columns != 4
    fewer = cells.keeping(kept)
    assert fewer.tallies[4].sum() == 0
    assert fewer.tallies.sum() == profile.size - profile.seen[:, 4].sum()


def test_shuffling_keeps_tallies_and_who_saw_what() -> None:
    """Permuted votes differ, but no statement's tally and nobody's statements do."""
    cells = Cells.of(planted(2)[0])
    other = cells.shuffled(np.random.default_rng(0))

    assert (other.tallies == cells.tallies).all()
    assert (other.columns == cells.columns).all()
    assert (other.values != cells.values).any()


def test_people_without_votes_have_nothing() -> None:
    """Who cast no vote takes part in no sum."""
    votes = np.ones((3, 4))
    cells = Cells.of(profile_of(votes, np.array([[False] * 4, [True] * 4, [False] * 4])))

    assert places(cells, 1).tolist() == [1]
    assert sorted(places(cells, 0).tolist()) == [0, 1, 2]
    assert cells.rows.tolist() == [1] * 4
