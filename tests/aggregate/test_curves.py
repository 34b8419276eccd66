"""Violation rates along a curve: the same profiles for all, intervals, and what was not certain."""

from __future__ import annotations

import pytest

from normwright.aggregate.curves import violation_curves
from normwright.records import InputError, PluginError, ViolationRate


def curve(**more: object) -> tuple[ViolationRate, ...]:
    """A small curve."""
    asked: dict[str, object] = {
        "axioms": ["condorcet", "iia"],
        "methods": ["borda", "schulze"],
        "population": "mallows",
        "over": "dispersion",
        "values": [0.3, 1.0],
        "voters": 15,
        "profiles": 60,
        "seed": 2,
    }
    return violation_curves(**(asked | more))  # type: ignore[arg-type]


def test_rows_are_points_with_intervals() -> None:
    """One row a point, axiom and method; a method that keeps an axiom has rate 0 at every point."""
    rows = curve()
    rates = {(r.axiom, r.method, r.value): r.rate for r in rows}

    assert len(rows) == 8
    assert all(r.rate.n == 60 and r.rate.seed == 2 and r.rate.interval for r in rows)
    assert rates["condorcet", "schulze", 1.0].value == 0.0
    near, far = rates["condorcet", "borda", 0.3].value, rates["condorcet", "borda", 1.0].value
    assert near is not None
    assert far is not None
    assert near < far
    assert all(r.exhaustive == 60 for r in rows)
    assert curve() == rows


def test_sizes_vary_too() -> None:
    """Over one of the sizes the other stays; other methods do not change the profiles."""
    by_voters = curve(over="voters", values=[3, 9], axioms=["condorcet"])
    by_size = curve(over="alternatives", values=[3, 5], axioms=["condorcet"], methods=["borda"])

    assert [(r.voters, r.alternatives) for r in by_voters][::2] == [(3, 4), (9, 4)]
    assert [(r.voters, r.alternatives) for r in by_size] == [(15, 3), (15, 5)]
    alone = curve(over="voters", values=[3, 9], axioms=["condorcet"], methods=["borda"])
    assert alone == by_voters[::2]


def test_a_search_that_cannot_try_everything_says_so() -> None:
    """Then the rate is a lower bound: profiles of which the answer is certain are counted."""
    (row,) = curve(axioms=["strategy-proofness"], methods=["schulze"], values=[0.1], limit=10)

    assert row.rate.n == 60
    assert row.exhaustive < 60


def test_progress_is_told() -> None:
    """A long curve says where it is."""
    told: list[tuple[int, int, str]] = []
    curve(profiles=2, progress=lambda done, total, what: told.append((done, total, what)))

    assert told == [(0, 2, "dispersion 0.3"), (1, 2, "dispersion 1"), (2, 2, "")]


def test_what_is_unknown_is_refused() -> None:
    """Parameters that the population does not have, and slugs that nobody registered."""
    with pytest.raises(InputError, match="dispersion"):
        curve(over="dispersal")
    with pytest.raises(InputError, match="spread"):
        curve(parameters={"spread": 1.0})
    for name in ({"axioms": ["condorset"]}, {"methods": ["brda"]}, {"population": "mallow"}):
        with pytest.raises(PluginError, match="Did you mean"):
            curve(**name)


def test_half_a_voter_is_a_fault() -> None:
    """What has to be a whole number is never cut off to one."""
    with pytest.raises(InputError, match="a whole number"):
        violation_curves(
            axioms=["condorcet"], methods=["borda"], population="impartial-culture",
            over="voters", values=[5.5], profiles=2, seed=0,
        )  # fmt: skip
