"""Voters who are only counted: the array view is that of the same voters with names."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.aggregate.election import Election
from normwright.records import Ballots, RankedTiers

ORDERS: tuple[RankedTiers, ...] = (
    (("a",), ("b",), ("c",)),
    (("c",), ("a", "b")),
    (("b",),),
    (("d",),),
)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_counted_voters_are_those_with_names(counts: list[int]) -> None:
    """Orders, counts, voters and wins agree; a ballot that ranks none of them does not count."""
    ballots = Ballots.counted(dict(zip(ORDERS, counts, strict=False)))
    counted, named = (
        Election.of(b, alternatives="abc") for b in (ballots, Ballots.of(iter(ballots)))
    )

    assert np.array_equal(counted.orders, named.orders)
    assert np.array_equal(counted.counts, named.counts)
    assert np.array_equal(counted.wins, named.wins)
    assert counted.voters == named.voters == sum(counts[:3])


def test_more_voters_than_could_be_made() -> None:
    """A trillion voters are counted exactly."""
    election = Election.of(Ballots.counted({ORDERS[0]: 10**12, ORDERS[1]: 1}), alternatives="abc")

    assert election.margins.tolist() == [
        [0, 10**12, 10**12 - 1], [-(10**12), 0, 10**12 - 1], [1 - 10**12, 1 - 10**12, 0],
    ]  # fmt: skip
