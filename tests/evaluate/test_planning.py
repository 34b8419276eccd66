"""The n of a paired comparison has the power it promises."""

from __future__ import annotations

import pytest

from normwright.evaluate.planning import planned
from normwright.records import InputError


def test_the_n_has_the_power() -> None:
    """The exact power at the n is about what was asked, and above it with more."""
    found = planned(effect=0.05, discordant=0.2, n=None)
    n = found["n"]
    at = planned(effect=0.05, discordant=0.2, n=n)["exact"]["power"]

    assert at == pytest.approx(0.8, abs=0.03)
    assert planned(effect=0.05, discordant=0.2, n=2 * n)["exact"]["power"] > 0.95


def test_clusters_suites_and_margins() -> None:
    """Clusters multiply it, many suites need more, a truth at the margin needs infinitely many."""
    alone = planned(effect=0.05, discordant=0.2)["n"]

    assert planned(effect=0.05, discordant=0.2, size=5, alike=0.5)["n"] == pytest.approx(
        3 * alone, abs=3
    )
    assert planned(effect=0.05, discordant=0.2, suites=4)["n"] > alone
    assert planned(effect=0.0, discordant=0.1, margin=0.02)["n"] > 1000
    assert planned(effect=-0.02, discordant=0.1, margin=0.02)["n"] is None


def test_impossible_plans() -> None:
    """Every impossible number is a fault of one error."""
    with pytest.raises(InputError) as raised:
        planned(effect=0.5, discordant=0.2, margin=3, power=1, alpha=0.7, alike=2)

    assert [f.where for f in raised.value.faults] == [
        "--effect", "--margin", "--power", "--alpha", "--correlation"
    ]  # fmt: skip
