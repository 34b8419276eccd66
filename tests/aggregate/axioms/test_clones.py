"""Copies stand beside what they copy."""

from __future__ import annotations

import numpy as np

from normwright.aggregate import Election
from normwright.aggregate.axioms.clones import with_clone


def test_a_copy_in_a_long_order_stays_beside_the_original() -> None:
    """Numbers of tiers are not stretched: a copy far down an order of many stands right there."""
    m = 12_000
    ballots = Election(
        tuple(f"a{j:05}" for j in range(m)),
        np.arange(m, dtype=np.int16)[None, :],
        np.array([2], dtype=np.int64),
        unranked="last",
    )
    below, over = with_clone(ballots, 11_500, (1,)).orders

    assert (below[m], over[m]) == (11_501, 11_500)
    assert (below[11_500], over[11_500]) == (11_500, 11_501)
    assert below.max() == over.max() == m
