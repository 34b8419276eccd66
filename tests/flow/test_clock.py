"""A clock that stands in the past: times in the ledger do not run backwards in silence."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.flow import micro

from normwright.flow import RunReport, run_steps, verify
from normwright.records import InputError
from normwright.store import BACKWARDS, FOLDER, Store

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that was run at noon."""
    made = micro.write_project(tmp_path / "micro")
    run(made, NOW)
    return made


def run(project: Path, now: datetime, *, rows: int = 5, accept: bool = False) -> RunReport:
    """Run the micro project at a time of day."""
    steps = micro.steps(project, rows=rows)
    return run_steps(project, steps, seed=micro.SEED, now=lambda: now, accept_clock=accept)


def times(project: Path) -> list[str]:
    with Store.open(project) as store:
        return [entry.at for entry in store.ledger()]


@pytest.mark.parametrize("back", [timedelta(minutes=6), timedelta(days=400)])
def test_a_clock_before_the_ledger_stops_a_run(project: Path, back: timedelta) -> None:
    """A run before the last entry is refused before any work, naming both times."""
    before = times(project)

    with pytest.raises(InputError) as caught:
        run(project, NOW - back, rows=6)
    (fault,) = caught.value.faults
    assert "2026-11-01T12:00:00+00:00" in fault.expected
    assert fault.seen == (NOW - back).isoformat(timespec="seconds")
    assert "--accept-clock" in fault.do
    assert times(project) == before
    with Store.open(project) as store:
        assert store.begin_run() == 2  # not even a run was opened
    assert verify(project).faults == ()


def test_a_correction_by_seconds_is_no_matter(project: Path) -> None:
    """Clocks are set back by moments all the time; a run goes on, and the ledger holds."""
    run(project, NOW - BACKWARDS, rows=6)

    assert verify(project).faults == ()


@pytest.mark.parametrize("year", [1, 1969, 1970, 1980, 2024])
def test_a_clock_that_was_lost_stops_a_first_run(tmp_path: Path, year: int) -> None:
    """A machine that says it is 1970 has no time of day to give."""
    project = micro.write_project(tmp_path / "micro")

    with pytest.raises(InputError, match="expected the time of day, saw"):
        run(project, datetime(year, 1, 2, tzinfo=UTC))
    with pytest.raises(InputError, match="expected the time of day, saw"):
        run(project, datetime(year, 1, 2, tzinfo=UTC), accept=True)
    assert times(project) == []


def test_a_clock_that_was_ahead_can_be_owned_up_to(project: Path) -> None:
    """With the ledger saying that its clock was ahead, work goes on from now, and it verifies."""
    now = NOW - timedelta(days=30)
    run(project, now, rows=6, accept=True)
    run(project, now + timedelta(hours=1), rows=7)
    with Store.open(project) as store:
        entries = store.ledger()

    assert [entry.kind for entry in entries].count("clock") == 1
    assert entries[-1].at == (now + timedelta(hours=1)).isoformat(timespec="seconds")
    assert verify(project).faults == ()
    with pytest.raises(InputError, match="no time before"):
        run(project, now, rows=8)


def test_accepting_a_clock_that_is_right_changes_nothing(project: Path) -> None:
    """The option says nothing where there is nothing to say."""
    before = times(project)
    run(project, NOW + timedelta(minutes=1), accept=True)

    assert times(project) == before


def test_a_clock_set_back_in_the_middle_stops_the_step(project: Path) -> None:
    """A step whose result would be dated before the one above it is not stored; the next run is."""
    ticks = iter([NOW + timedelta(hours=1)] * 4)
    steps = micro.steps(project, rows=6)

    with pytest.raises(InputError, match="no time before"):
        run_steps(
            project, steps, seed=micro.SEED, now=lambda: next(ticks, NOW - timedelta(hours=1))
        )
    assert verify(project).faults == ()
    run(project, NOW + timedelta(hours=2), rows=6)
    assert verify(project).faults == ()


def test_times_rewritten_to_run_backwards_are_found(project: Path) -> None:
    """Whoever relinks the ledger with an earlier time is found by the times themselves."""
    from normwright.store import link

    with Store.open(project) as store:
        entries = store.ledger()
    last, one = entries[-2], entries[-1]
    early = (NOW - timedelta(days=1)).isoformat(timespec="seconds")
    for kind in (one.kind, "clock"):
        forged = link(last, kind=kind, payload=one.payload, at=early)
        with sqlite3.connect(project / FOLDER / "store.db") as connection:
            connection.execute(
                "UPDATE ledger SET kind = ?, at = ?, digest = ? WHERE seq = ?",
                (forged.kind, forged.at, forged.digest, one.seq),
            )
        connection.close()
        assert f"ledger entry {one.seq}: at" in [fault.where for fault in verify(project).faults]
