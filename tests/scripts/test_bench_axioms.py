"""The table of paradoxes is reproduced in little, and a wrong value would be caught."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from tests.loading import load_script

bench = load_script(Path(__file__).parents[2] / "scripts" / "bench_axioms.py")


def test_quick_table_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """A hundredth of the draws lies within four standard errors in every row."""
    code = bench.main(["--quick"])
    said = capsys.readouterr().out

    assert code == 0
    assert said.count("limit |") == 18
    assert "10 voters lift it" in said
    assert "passed" in said


def test_a_wrong_value_is_far_off() -> None:
    """One percent more cycles than there are is more than four standard errors at full draws."""
    row = bench.Row("P", "IAC", 1 / 16, "1/16", hits=int(2e6 * 0.0635), draws=2_000_000)
    certain = bench.Row("P", "IC", 1.0, "1", hits=1_999_999, draws=2_000_000)

    assert row.z > 4
    assert certain.z < -4
    assert bench.Row("P", "IC", 1.0, "1", hits=10, draws=10).z == 0.0


def test_printed_decimals_carry_their_error() -> None:
    """A formula has none; decimals have that of their draws and of the last digit."""
    assert bench.measured(0.3, "7/24", 100) == 0.0
    assert bench.measured(0.5, ".5", 10**12) == pytest.approx(0.05 / math.sqrt(3), rel=1e-6)


def test_summed_exactly_is_the_known_value() -> None:
    """Three voters: 1/18; one: never."""
    assert bench.no_winner_of_three(3) == pytest.approx(1 / 18)
    assert bench.no_winner_of_three(1) == 0.0
