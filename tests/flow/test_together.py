"""Several processes on one project: one writes, the others are told or read in peace."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.disks import ROOT
from tests.flow import crash, micro

from normwright.flow import locked, publish, run_steps, status_of, trace, verify
from normwright.flow.lock import alone
from normwright.records import InputError, PlaceError
from normwright.store import FOLDER


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that was never run."""
    return micro.write_project(tmp_path / "micro")


def slow_run(project: Path) -> subprocess.Popen[str]:
    """Start a run in a process of its own that takes its time between steps."""
    return subprocess.Popen(
        [sys.executable, crash.__file__, "slow", str(project)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


@pytest.fixture
def at_work(project: Path) -> Iterator[subprocess.Popen[str]]:
    """A run of the project that has begun and is not over."""
    process = slow_run(project)
    while not _held(project):
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    yield process
    process.kill()
    process.communicate()


def refusal_of(write: Callable[[], object]) -> list[str]:
    """Return what somebody who wants to write is told; nothing if the run has just ended."""
    try:
        write()
    except InputError as error:
        return [str(error)]
    return []


def _held(project: Path) -> bool:
    """Say whether somebody holds the project's lock."""
    try:
        handle = os.open(project / FOLDER / "lock", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def test_of_runs_started_together_one_works(project: Path) -> None:
    """Of several runs started at one moment each either finishes or is told who is at work."""
    processes = [slow_run(project) for _ in range(3)]
    ended = [(process, *process.communicate(timeout=120)) for process in processes]
    told = [err for process, _, err in ended if process.returncode]

    assert len(told) < len(processes)
    assert told, "all three ran one after the other; the pause between steps is too short"
    for err in told:
        assert "InputError" in err
        assert "no other run in this project, saw process" in err
    assert verify(project).faults == ()


def test_whoever_writes_is_told_and_whoever_reads_is_not_disturbed(
    project: Path, at_work: subprocess.Popen[str]
) -> None:
    """While a run is at work writing is refused with its number; reading finds no fault."""
    readings = 0
    told: list[str] = []
    steps = micro.steps(project)
    while at_work.poll() is None:
        if _held(project):
            for write in (
                lambda: publish(project, {"out/report.html": b"<html>"}),
                lambda: run_steps(project, steps, seed=micro.SEED),
            ):
                told += refusal_of(write)
        if (project / FOLDER / "store.db").is_file():
            # Files for people follow a moment after the commit that speaks of them.
            wrong = [f for f in verify(project).faults if not f.where.startswith("out/")]
            found = status_of(project, steps, seed=micro.SEED)
            done = [digest for stage in found.stages for digest in stage.made]
            if done:
                assert trace(project, done[-1]).tree
            assert wrong == []
            readings += 1

    assert readings > 3
    assert len(told) > 3
    assert {f"process {at_work.pid} at work" in one for one in told} == {True}
    assert verify(project).faults == ()


def test_a_file_system_without_locks_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system cannot lock, nothing is run: two runs could not know of each other."""

    def flock(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(PlaceError, match="a file system that can lock files"), locked(project):
        pytest.fail("the lock was given")


def test_one_run_at_a_time_makes_a_folder(tmp_path: Path) -> None:
    """A second is told who is at it; the lock, and what was made for it, go away by themselves."""
    out = tmp_path / "new" / "folder" / "out"
    with alone(out):
        with pytest.raises(InputError, match="no other run that makes this folder"), alone(out):
            pass
        assert not out.exists()
    with alone(out):
        out.mkdir()

    assert [path.name for path in out.parent.iterdir()] == ["out"]
    with alone(tmp_path / "other" / "out"):
        pass
    assert not (tmp_path / "other").exists()
