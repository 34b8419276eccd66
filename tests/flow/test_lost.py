"""A server that goes away is one clear error, and the project goes on from where it was."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.flow import micro
from tests.postgres import PASSWORD, Server

from normwright.flow import (
    Context,
    Event,
    Step,
    StepDone,
    has_store,
    open_store,
    run_steps,
    status_of,
    verify,
)
from normwright.records import InputError, Record, StoreError
from normwright.store import Address, postgresql, read_address

NAMES = ["elicit", "aggregate", "learn.data", "learn.sft", "evaluate", "release"]


@pytest.fixture
def fragile(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The server, to be killed; it is up again for whoever comes next."""
    monkeypatch.setattr(postgresql, "_WAITS", (0.05,))
    yield server
    if server.process is None:
        server.start()


@pytest.fixture
def place(fragile: Server) -> Address:
    """A database of the test's own."""
    return read_address(fragile.url(fragile.database()), project="micro", where="the test")


@pytest.fixture
def project(tmp_path: Path, place: Address) -> Path:
    return micro.write_project(tmp_path / "micro", place)


def in_the_middle(project: Path, name: str, server: Server, *, back: bool) -> list[Step]:
    """Return the steps, of which one has the server killed while it works, for good or not."""

    def struck(step: Step) -> Step:
        def work(ctx: Context) -> Iterator[Record]:
            made = list(step.run(ctx))
            server.kill()
            if back:
                server.start()
            yield from made  # type: ignore[misc]

        return replace(step, run=work)

    return [struck(step) if step.name == name else step for step in micro.steps(project)]


@pytest.mark.parametrize("name", ["elicit", "learn.sft", "release"])
def test_a_server_killed_in_a_step_is_one_error_and_the_run_resumes(
    project: Path, fragile: Server, tmp_path: Path, name: str
) -> None:
    """What was finished is kept and named; with the server up again it goes on at the lost step."""
    with pytest.raises(StoreError) as caught:
        run_steps(project, in_the_middle(project, name, fragile, back=False), seed=micro.SEED)
    fault = caught.value.fault
    before = NAMES[: NAMES.index(name)]
    fragile.start()
    with open_store(project, create=False) as store:
        kept = [result.stage for result in store.results()]
    faults_then = verify(project).faults
    report = run_steps(project, micro.steps(project), seed=micro.SEED)
    whole = run_steps(
        micro.write_project(tmp_path / "whole"), micro.steps(project), seed=micro.SEED
    )

    assert fault.where.startswith(f"postgresql://127.0.0.1:{fragile.port}/")
    assert fault.expected == "a PostgreSQL server that answers"
    assert not before or f"Kept of this run: {', '.join(before)}. It goes on" in fault.do
    assert "run the same command again" in fault.do
    assert sorted(kept) == sorted(before)
    assert faults_then == ()
    assert [line.name for line in report.stages if line.skipped] == before
    assert [line.made for line in report.stages] == [line.made for line in whole.stages]
    assert verify(project).faults == ()
    assert PASSWORD not in str(caught.value)


def test_a_server_that_is_back_when_it_is_needed_was_never_gone(
    project: Path, fragile: Server
) -> None:
    """Where the server comes back while a step works, the run does not notice."""
    steps = in_the_middle(project, "learn.sft", fragile, back=True)
    report = run_steps(project, steps, seed=micro.SEED)

    assert report.verdicts == {"internal": "HOLD"}
    assert verify(project).faults == ()


def test_a_server_that_is_coming_up_is_waited_for(
    project: Path, fragile: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that finds no server tries again for a little while, before it has begun."""
    monkeypatch.setattr(postgresql, "_WAITS", (0.1,) * 100)

    def later() -> None:
        time.sleep(0.3)
        fragile.start()

    with open_store(project) as store:
        fragile.kill()
        starting = threading.Thread(target=later)
        starting.start()
        seq = store.append("result", "sha256:kept").seq
        starting.join()

    assert seq == 1


def test_a_server_that_mends_itself_is_waited_for(
    project: Path, fragile: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server process killed on the server makes it start over; the next step waits for that."""
    monkeypatch.setattr(postgresql, "_WAITS", (0.1,) * 100)
    with open_store(project) as store:
        store.append("result", "sha256:kept")
        ((victim,),) = fragile.sql(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'normwright'"
        )
        os.kill(victim, signal.SIGKILL)
        seq = store.append("result", "sha256:next").seq

    assert seq == 2


def test_a_transaction_is_never_tried_again(project: Path, fragile: Server) -> None:
    """A connection lost inside a transaction undoes all of it, though the server is back."""
    with open_store(project) as store:

        def lost() -> None:
            with store.transaction():
                store.append("result", "sha256:lost")
                fragile.kill()
                fragile.start()
                store.append("result", "sha256:never")

        store.append("result", "sha256:kept")
        with pytest.raises(StoreError, match="a PostgreSQL server that answers"):
            lost()

        assert [entry.payload for entry in store.ledger()] == ["sha256:kept"]
        assert store.append("result", "sha256:next").seq == 2


def test_one_connection_ended_by_an_operator_is_one_error(project: Path, fragile: Server) -> None:
    """A connection ended on the server in the middle of a transaction is said as such."""
    with open_store(project) as store:

        def ended() -> None:
            with store.transaction():
                store.append("result", "sha256:lost")
                fragile.sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'normwright'"
                )
                store.append("result", "sha256:never")

        with pytest.raises(StoreError, match="terminating connection"):
            ended()

        assert store.ledger() == ()


def test_status_and_verify_of_a_lost_server_are_one_error_each(
    project: Path, fragile: Server
) -> None:
    """Nobody is told that a project was never run because its server is down."""
    steps = micro.steps(project)
    before = status_of(project, steps, seed=micro.SEED)
    run_steps(project, steps, seed=micro.SEED, until="elicit")
    fragile.kill()

    assert [stage.state for stage in before.stages] == ["waiting"] * 6
    assert has_store(project)
    with pytest.raises(StoreError, match="Start the server"):
        status_of(project, steps, seed=micro.SEED)
    with pytest.raises(StoreError, match="Start the server"):
        verify(project)


def test_a_database_that_lost_the_store_says_so(project: Path, fragile: Server) -> None:
    """Where the schema is gone, reading says so, and a run makes all of it anew."""
    steps = micro.steps(project)
    first = run_steps(project, steps, seed=micro.SEED)
    with open_store(project) as store:
        database = str(store.engine.url.database)
    fragile.sql('DROP SCHEMA "normwright_micro" CASCADE', database=database)

    with pytest.raises(InputError, match="no such store any more"):
        verify(project)
    again = run_steps(project, steps, seed=micro.SEED)
    assert [line.made for line in again.stages] == [line.made for line in first.stages]


def test_a_backup_brings_all_of_it_back(project: Path, fragile: Server, tmp_path: Path) -> None:
    """Schema and folder, saved as the manual says and put elsewhere, verify and skip every step."""
    run_steps(project, micro.steps(project), seed=micro.SEED)
    with open_store(project) as store:
        database = str(store.engine.url.database)
    server = ["-h", "127.0.0.1", "-p", str(fragile.port), "-U", "owner"]
    saved = subprocess.run(
        [fragile.programs / "pg_dump", *server, "-n", '"normwright_micro"', database],
        check=True,
        capture_output=True,
    )
    moved = Path(shutil.copytree(project, tmp_path / "restored"))
    elsewhere = fragile.database()
    subprocess.run(
        [fragile.programs / "psql", *server, "-q", "-v", "ON_ERROR_STOP=1", elsewhere],
        check=True,
        input=saved.stdout,
        capture_output=True,
    )
    file = moved / "normwright.yaml"
    file.write_text(file.read_text().replace(f"/{database}", f"/{elsewhere}"))
    fragile.sql(f"DROP DATABASE {database} WITH (FORCE)")
    again = run_steps(moved, micro.steps(moved), seed=micro.SEED)

    assert all(line.skipped for line in again.stages)
    assert verify(moved).faults == ()


def test_two_directories_never_share_a_schema(
    project: Path, place: Address, tmp_path: Path
) -> None:
    """Another project of the same id in the same database is refused before anything is written."""
    run_steps(project, micro.steps(project), seed=micro.SEED, until="elicit")
    other = micro.write_project(tmp_path / "other", place)
    with pytest.raises(InputError, match="the store of another project directory"):
        run_steps(other, micro.steps(other), seed=micro.SEED)
    project.rename(tmp_path / "moved")

    assert verify(tmp_path / "moved").faults == ()
    assert not has_store(other)
    file = other / "normwright.yaml"
    file.write_text(file.read_text().replace("id: micro", "id: other"))
    assert run_steps(other, micro.steps(other), seed=micro.SEED).verdicts == {"internal": "HOLD"}
    assert verify(tmp_path / "moved").faults == ()


def test_events_end_where_the_server_did(project: Path, fragile: Server) -> None:
    """Whoever watches hears of every step that was finished, and of none that was lost."""
    events: list[Event] = []
    with pytest.raises(StoreError):
        run_steps(
            project,
            in_the_middle(project, "learn.data", fragile, back=False),
            seed=micro.SEED,
            watch=events.append,
        )

    assert [e.name for e in events if isinstance(e, StepDone)] == ["elicit", "aggregate"]
