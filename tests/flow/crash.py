"""Runs the micro project in processes of its own and kills them; used by `test_engine.py`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import sqlalchemy as sa  # noqa: E402
from tests.flow import micro  # noqa: E402

from normwright.flow import Event, StepSkipped, run_steps, verify  # noqa: E402
from normwright.flow.gc import collect_of  # noqa: E402


class Fuse:
    """Kills this process with SIGKILL at the nth durable act."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.acts = 0

    def act(self) -> None:
        self.acts += 1
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def lit(*args: Any, **kwargs: Any) -> Any:
            self.act()
            return call(*args, **kwargs)

        return lit


def run(
    project: Path, *, fuse: Fuse | None = None, pause: float = 0.0, **parameters: Any
) -> tuple[str, int]:
    """Run the project and return the digest of the verdict and how many steps were skipped."""
    if fuse is not None:
        for name in ("fsync", "replace", "open"):
            setattr(os, name, fuse.before(getattr(os, name)))
        shutil.rmtree = fuse.before(shutil.rmtree)  # type: ignore[assignment]
        sa.event.listen(sa.Engine, "commit", lambda _: fuse.act())
        sa.event.listen(sa.Engine, "before_cursor_execute", lambda *args: _at_writes(fuse, args[2]))
    skipped = 0

    def watch(event: Event) -> None:
        nonlocal skipped
        skipped += isinstance(event, StepSkipped)
        time.sleep(pause)

    steps = [replace(step) for step in micro.steps(project, **parameters)]
    report = run_steps(project, steps, seed=micro.SEED, watch=watch)
    return report.stages[-1].made[-1], skipped


def _at_writes(fuse: Fuse, statement: str) -> None:
    if statement.startswith(("INSERT INTO results", "INSERT INTO votes", "INSERT INTO ledger")):
        fuse.act()


def sweep(directory: Path) -> dict[str, Any]:
    """Kill the project at every durable act in turn, each time in a fresh copy, and finish it."""
    whole = micro.write_project(directory / "count")
    fuse = Fuse(0)
    acts = _in_child(lambda: run(whole, fuse=fuse) and fuse.acts)
    step = max(1, acts // 20)
    points = list(range(1, acts + 1, step))
    told: dict[str, Any] = {"points": len(points), "killed": 0, "faults_after_death": []}
    ends, resumed = set(), 0
    for point in points:
        project = micro.write_project(directory / f"at-{point}")
        child = os.fork()
        if child == 0:
            run(project, fuse=Fuse(point))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        told["killed"] += os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        told["faults_after_death"] += _faults(project)
        end, skipped = run(project)
        ends.add(end)
        resumed += skipped > 0
        told["faults_after_death"] += _faults(project)
    return {**told, "ends": sorted(ends), "resumed_later_than_the_start": resumed}


def collected(directory: Path) -> dict[str, Any]:
    """Kill the removal of what is not needed at every durable act in turn, and finish it."""
    full = micro.write_project(directory / "full")
    for rows in (5, 6, 7):
        run_steps(full, micro.steps(full, rows=rows), seed=micro.SEED)
    left = full / ".normwright/work/left"
    left.mkdir(parents=True)
    (left / "state").write_bytes(b"x")
    told: dict[str, Any] = {"killed": 0, "faults": [], "kept": set()}
    tries, died = 0, True
    while died:
        point = 1 + 3 * tries
        tries += 1
        project = Path(shutil.copytree(full, directory / f"at-{point}"))
        child = os.fork()
        if child == 0:
            _collect(project, fuse=Fuse(point))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        died = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        told["killed"] += died
        told["faults"] += [fault.where for fault in verify(project).faults]
        told["faults"] += [] if _collect(project) else ["nothing to do was left to say"]
        told["faults"] += [fault.where for fault in verify(project).faults]
        _, skipped = run(project, rows=7)
        told["faults"] += [] if skipped == len(micro.steps(project)) else ["a step was lost"]
        told["kept"].add("\n".join(_files(project)))
    return {**told, "kept": len(told["kept"])}


def _collect(project: Path, *, fuse: Fuse | None = None) -> bool:
    if fuse is not None:
        for name in ("unlink", "rmdir"):
            setattr(os, name, fuse.before(getattr(os, name)))
        sa.event.listen(sa.Engine, "commit", lambda _: fuse.act())
        sa.event.listen(sa.Engine, "before_cursor_execute", lambda *a: _at_deletes(fuse, a[2]))
    steps = micro.steps(project, rows=7)
    return collect_of(project, steps, seed=micro.SEED, remove=True).done


def _at_deletes(fuse: Fuse, statement: str) -> None:
    if statement.startswith(("DELETE FROM results", "DELETE FROM runs", "INSERT INTO ledger")):
        fuse.act()


def _files(project: Path) -> list[str]:
    objects = project / ".normwright/objects"
    return sorted(path.relative_to(objects).as_posix() for path in objects.rglob("*/*"))


def _faults(project: Path) -> list[str]:
    """Return what is wrong, but for exports: a run may die after its commit and before them."""
    file = project / ".normwright" / "store.db"
    if not file.is_file() or file.stat().st_size == 0 or not _has_tables(file):
        return []
    return [fault.where for fault in verify(project).faults if not fault.where.startswith("out/")]


def _has_tables(file: Path) -> bool:
    with sqlite3.connect(file) as connection:
        return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def _in_child(work: Callable[[], int]) -> int:
    """Return what `work` counts, in a process of its own, so that it leaves nothing behind."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, str(work()).encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with open(read) as answer:
        return int(answer.read())


def heavy() -> list[str]:
    return sorted({"torch", "sklearn", "scipy", "transformers"} & sys.modules.keys())


def main() -> None:
    what, where = sys.argv[1], Path(sys.argv[2])
    match what:
        case "sweep":
            told: dict[str, Any] = sweep(where)
        case "collect":
            told = collected(where)
        case "slow":
            sys.stdout.write("go\n")
            sys.stdout.flush()
            run(where, pause=0.03)
            told = {}
        case _:
            told = {"skipped": run(where)[1], "heavy": heavy()}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
