"""`normwright release simulate` prints how often the gate errs, and fails where that is much."""

from __future__ import annotations

import pytest
from tests.cli.conftest import Call

from normwright import stats
from normwright.release import simulating


def test_rows_as_promised(call: Call) -> None:
    """One JSON value with a row a case: its rate, its interval and what it may be."""
    called = call("release", "simulate", "--rounds", 200, "--seed", 5, "--json")

    assert called.code == 0, called.err
    rows = called.value["rows"]
    assert [row["case"] for row in rows] == list(simulating.CASES)
    for row in rows:
        low, high = row["interval"]
        assert low <= row["rate"] <= high
        assert row["alpha"] == (0.003 if row["case"] == "rerun-flips" else 0.05)
        assert row["naive"]["rate"] > row["alpha"]


def test_an_error_over_its_limit_is_a_failure(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that takes the observed share for a bound ends with code 1 and is named as broken."""
    monkeypatch.setattr(stats, "upper_bound", lambda k, n, alpha=0.05: k / n)
    called = call("release", "simulate", "--rounds", 100, "--lang", "en")

    assert called.code == 1
    assert "BROKEN" in called.out
