"""The array view: rows of orders, what they can hold, and who approves of what."""

from __future__ import annotations

import numpy as np
import pytest
from tests.aggregate.elections import election_from

from normwright.aggregate import Election
from normwright.records import Ballots, InputError


def test_an_order_of_too_many_tiers_is_refused() -> None:
    """Numbers of tiers would wrap around."""
    names = [f"a{j}" for j in range(40_000)]
    ballots = Ballots.of([("x", tuple((name,) for name in names))])

    with pytest.raises(InputError, match="at most 32766 tiers"):
        Election.of(ballots, alternatives=names)


def test_the_first_places_approve_ties_whole() -> None:
    """A tie that reaches into the first places approves whole; what is left out never does."""
    election = election_from("1: A > B = C > D\n1: D\n1: B > A > C > D").approving(2)
    orders = {tuple(row): tuple(told) for row, told in zip(
        election.orders.tolist(), election.approvals("test").astype(int).tolist(), strict=True
    )}  # fmt: skip

    assert orders[0, 1, 1, 2] == (1, 1, 1, 0)
    assert orders[-1, -1, -1, 0] == (0, 0, 0, 1)
    assert orders[1, 0, 2, 3] == (1, 1, 0, 0)


def test_resamples_are_those_drawn_at_once() -> None:
    """Counted in parts or all together, resamples and their pairs are the same."""
    election = election_from("3: A > B > C\n2: B > C > A\n1: C > A > B")
    counts = election.drawn(np.random.default_rng(1), 20)
    made = list(election.resamples(np.random.default_rng(1), 20))

    assert (np.stack([one.counts for one in made]) == counts).all()
    for one, drawn in zip(made, counts, strict=True):
        assert (one.wins == election.with_counts(drawn).wins).all()
        assert one.voters == election.voters
