"""Votes are held as they were cast, and counted as a table would count them."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.aggregate import Profile
from normwright.aggregate import profile as room
from normwright.records import InputError, Stance, Vote

Cast = tuple[int, int, int]
CASTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(-1, 1)), max_size=40)


def profile_of(casts: list[Cast]) -> Profile:
    """Six people and four statements."""
    rows, columns, values = np.array(casts, dtype=np.int64).reshape(-1, 3).T
    return Profile.from_arrays("abcdef", "wxyz", rows, columns, values)


@given(CASTS)
@settings(derandomize=True, deadline=None)
def test_holds_the_last_vote_on_each_cell(casts: list[Cast]) -> None:
    """Of two votes of one participant on one statement the later one counts."""
    last = {(i, j): v for i, j, v in casts}
    profile = profile_of(casts)
    held = zip(profile.rows.tolist(), profile.columns.tolist(), profile.values, strict=True)

    assert {(i, j): int(v) for i, j, v in held} == last
    assert profile.size == len(last)
    assert all(profile.seen[i, j] and profile.votes[i, j] == v for (i, j), v in last.items())
    assert profile.seen.sum() == len(last)
    assert (profile.votes[~profile.seen] == 0).all()


@given(CASTS)
@settings(derandomize=True, deadline=None)
def test_counts_equal_those_of_the_table(casts: list[Cast]) -> None:
    """Tallies are those of the votes cell by cell, of all people and of some."""
    profile = profile_of(casts)
    some = np.array([True, False, True, True, False, False])
    for rows in (None, some):
        votes, seen = (t if rows is None else t[rows] for t in (profile.votes, profile.seen))
        slow = [((votes == v) & seen).sum(axis=0).tolist() for v in (1, -1, 0)]
        assert profile.counts(rows).tolist() == slow


@given(CASTS, st.sampled_from([0.0, 2.0]))
@settings(derandomize=True, deadline=None)
def test_wins_equal_counting_one_by_one(casts: list[Cast], thin: float) -> None:
    """Pairs are counted alike vote by vote and by tables made in parts."""
    profile = profile_of(casts)
    slow = np.zeros((4, 4), dtype=np.int64)
    for i in range(6):
        for a, b in permutations(range(4), 2):
            both = profile.seen[i, a] and profile.seen[i, b]
            slow[a, b] += both and profile.votes[i, a] > profile.votes[i, b]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "_THIN", thin)
        patch.setattr(room, "_CHUNK", 8)
        assert profile.wins().tolist() == slow.tolist()


def test_records_and_arrays_make_the_same_profile() -> None:
    """Votes of strangers are left out, and a repeated vote replaces the one before."""
    words: dict[int, Stance] = {1: "agree", 0: "pass", -1: "disagree"}
    casts = [(0, 1, 1), (3, 2, 0), (0, 1, -1), (5, 3, 1)]
    votes = [
        Vote(participant="abcdef"[i], statement="wxyz"[j], value=words[v], at=0)
        for i, j, v in casts
    ]
    stranger = votes[0].model_copy(update={"participant": "q"})
    other = votes[0].model_copy(update={"statement": "q"})
    made = Profile.of([stranger, *votes, other], participants="abcdef", statements="wxyz")

    assert (made.votes == profile_of(casts).votes).all()
    assert (made.seen == profile_of(casts).seen).all()


def test_all_faults_at_once() -> None:
    """Numbers without a name and values that are no vote are told together."""
    with pytest.raises(InputError) as caught:
        Profile.from_arrays("ab", "xyz", [0, 2], [-1, 0], [1, 3])

    seen = " ".join(f"{f.where}: {f.seen}" for f in caught.value.faults)
    assert len(caught.value.faults) == 3
    assert "0 to 2" in seen
    assert "-1 to 0" in seen
    assert "values of votes: 3" in seen
