"""Kills a withdrawal at its durable acts, in processes of its own; used by `test_withdrawal.py`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import sqlalchemy as sa  # noqa: E402
from tests.flow import consulted  # noqa: E402
from tests.flow.crash import Fuse  # noqa: E402

from normwright import flow  # noqa: E402
from normwright.flow.withdrawal import JOURNAL  # noqa: E402
from normwright.records import InputError  # noqa: E402
from normwright.store import Store, withdrawals  # noqa: E402


def lit(fuse: Fuse) -> None:
    """Have every durable act of this process burn the fuse."""
    for name in ("fsync", "replace", "open", "unlink"):
        setattr(os, name, fuse.before(getattr(os, name)))
    shutil.rmtree = fuse.before(shutil.rmtree)  # type: ignore[assignment]
    sa.event.listen(sa.Engine, "commit", lambda _: fuse.act())
    sa.event.listen(sa.Engine, "before_cursor_execute", lambda *a: _at_writes(fuse, a[2]))


def _at_writes(fuse: Fuse, statement: str) -> None:
    if statement.startswith(("UPDATE", "INSERT", "DELETE", "PRAGMA secure_delete")):
        fuse.act()


def in_child(work: Callable[[], int]) -> tuple[bool, int]:
    """Do something in a process of its own; return whether it was killed, and what it counted."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, str(work()).encode())
        os._exit(0)
    os.close(write)
    _, status = os.waitpid(child, 0)
    with open(read) as answer:
        said = answer.read()
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, int(said or 0)


def withdraw(project: Path, fuse: Fuse) -> int:
    """Withdraw with a fuse; return how many acts there were."""
    lit(fuse)
    flow.withdraw(project, consulted.WHO, then="rebuild")
    return fuse.acts


def look(project: Path, told: dict[str, Any]) -> None:
    """Note what a killed withdrawal left, complete it, and note what is left then."""
    with Store.open(project) as store:
        committed = bool(withdrawals(store))
    wheres = {fault.where for fault in flow.verify(project).faults}
    if not committed and wheres:
        told["wrong"].append(f"faults before the commit: {sorted(wheres)}")
    finished = not (project / JOURNAL).exists()
    if committed and not finished:
        told["interrupted"] += 1
        if JOURNAL not in wheres:
            told["wrong"].append("an interrupted withdrawal that verify does not name")
        try:
            flow.run(project, until="charter")
            told["wrong"].append("a run on an interrupted withdrawal")
        except InputError as error:
            if JOURNAL not in str(error):
                told["wrong"].append(f"refused for another reason: {error}")
    again = flow.withdraw(project, consulted.WHO, then="rebuild")
    told["states"].append(again.state)
    found = flow.verify(project)
    with Store.open(project) as store:
        entries = len(withdrawals(store))
    left = consulted.mentions(project)
    if left or found.faults or entries != 1 or (project / JOURNAL).exists():
        told["wrong"].append(f"{again.state}: {left}, {found.faults}, {entries} entries")


def sweep(directory: Path, most: int) -> dict[str, Any]:
    """Kill a withdrawal at up to `most` acts, each in a fresh copy, and complete it."""
    whole = consulted.finished(directory / "whole")
    counted = Path(shutil.copytree(whole, directory / "counted"))
    fuse = Fuse(0)
    _, acts = in_child(lambda: withdraw(counted, fuse))
    told: dict[str, Any] = {"acts": acts, "killed": 0, "interrupted": 0, "states": [], "wrong": []}
    points = sorted({1 + round(i * (acts - 1) / (most - 1)) for i in range(most)})
    for point in points:
        project = Path(shutil.copytree(whole, directory / f"at-{point}"))
        killed, _ = in_child(lambda: withdraw(project, Fuse(point)))  # noqa: B023
        told["killed"] += killed
        look(project, told)
        shutil.rmtree(project)
    return {**told, "points": len(points)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(sweep(Path(sys.argv[1]), int(sys.argv[2]))))
