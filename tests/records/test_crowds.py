"""Crowds and runs: sequences that are counted, equal to the tuples they stand for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.records import Ballots, Crowd, Runs

QUIET = settings(derandomize=True, deadline=None, max_examples=100)


@QUIET
@given(st.integers(0, 120), st.data())
def test_a_crowd_is_the_tuple_of_its_ids(size: int, data: st.DataObject) -> None:
    """Members, places, slices and what is in it are those of a tuple of the same ids."""
    crowd = Crowd(size)
    digits = len(str(size))
    names = tuple(f"v{n:0{digits}d}" for n in range(1, size + 1))
    start, stop = (data.draw(st.integers(-130, 130)) for _ in range(2))

    assert tuple(crowd) == names
    assert crowd == names
    assert crowd[start:stop] == names[start:stop]
    assert all(name in crowd for name in names)
    assert not any(name in crowd for name in ("v0", f"v{size + 1}", "w1", "v", "v²", 1, "v01x"))
    assert crowd != Crowd(size + 1)


@QUIET
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), max_size=6), st.data())
def test_runs_are_the_tuple_of_their_numbers(
    given_runs: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Length, members, places and slices are those of the numbers written out."""
    runs = Runs(tuple(v for v, _ in given_runs), tuple(c for _, c in given_runs))
    whole = tuple(v for v, count in given_runs for _ in range(count))
    start, stop = (data.draw(st.integers(-40, 40)) for _ in range(2))

    assert (len(runs), tuple(runs), runs[start:stop]) == (len(whole), whole, whole[start:stop])
    assert runs == whole
    assert [runs[n] for n in range(len(whole))] == list(whole)
    with pytest.raises(IndexError):
        runs[len(whole)]


def test_anonymous_ballots_are_counted() -> None:
    """Counts are by order, also where an order was given in several runs; names hide them."""
    order, other = (("a",), ("b",)), (("b",),)
    counted = Ballots.counted({order: 2, other: 3})
    twice = Ballots((order, other), Crowd(6), Runs((0, 1, 0), (1, 2, 3)))

    assert counted.counts == (2, 3)
    assert twice.counts == (4, 2)
    assert Ballots.of(counted).counts is None
    assert list(Ballots.of(counted)) == list(counted)
    assert hash(counted.voters) == hash(Crowd(5))
