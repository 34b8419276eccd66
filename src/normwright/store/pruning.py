"""Old files of an audit chain let go, so that what is left still verifies and says what went.

A file whose last line is older than a day is let go whole. Before that, a line of a new file names
it with its last entry and its number of entries, and with every entry that other files name; so a
file that is merely gone is still missed, and one that was let go is not. A verdict that somebody
contested stays: its file keeps its lines, without the bodies of the others. The seal of a line is
over the digest of its body, so that the line holds without it.

Who can write to the folder can also let files go; that was so before, and `follows` tells only of
those that did not come this way.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from normwright.records import Digest, canonical_json
from normwright.store.chain import (
    PRUNED,
    AuditChain,
    Line,
    chain_faults,
    pruned_in,
    read_lines,
)
from normwright.store.objects import write_whole
from normwright.store.verdicts import VERDICT, VerdictBook

_HEAD: Final = ("head", "entries", "last", "kept", "named")


@dataclass(frozen=True)
class Pruned:
    """What was let go."""

    before: datetime
    segments: tuple[str, ...] = ()
    """Files that are gone, or hold contested verdicts alone."""
    entries: int = 0
    """Entries whose bodies are gone."""
    contested: int = 0
    """Verdicts that stay because somebody contested them."""
    faulty: tuple[str, ...] = ()
    """Old files that stay because they do not hold: they are evidence."""


@dataclass
class _Segment:
    """One old file."""

    path: Path
    lines: list[Line]
    kept: list[int] = field(default_factory=list)
    """Places of the lines whose bodies stay."""

    @property
    def gone(self) -> int:
        return sum(not line.erased for line in self.lines) - len(self.kept)


def prune(
    state: Path,
    *,
    before: datetime,
    name: str,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Pruned:
    """Let go of what is older than a day, and return what that was.

    Files that a process still writes are left alone. The line that tells of it is on the disk
    before anything goes, so that a crash leaves a folder that verifies and can be pruned again.

    Args:
        state: the folder of a served guard: `audit` and `verdicts.db`.
        before: what is older than this goes.
        name: of the new file; what no other is called.
        now: the clock.

    Raises:
        PlaceError: if the folder or the database cannot be written.
    """
    folder = state / "audit"
    book = VerdictBook(state / "verdicts.db")
    try:
        contested = {str(c["verdict"]) for c in book.contests()}
        old, faulty = _old(folder, before, contested)
        if not old:
            return Pruned(before, faulty=faulty)
        chain = AuditChain.create(folder, name, now=now)
        try:
            chain.append(PRUNED, _told(folder, old, before))
            chain.sync()
        finally:
            chain.close()
        for one in old:
            book.forget(one.path.name, keep=contested)
            _let_go(one)
        return Pruned(
            before,
            tuple(one.path.name for one in old),
            sum(one.gone for one in old),
            sum(len(one.kept) for one in old),
            faulty,
        )
    finally:
        book.close()


def _old(
    folder: Path, before: datetime, contested: Set[str]
) -> tuple[list[_Segment], tuple[str, ...]]:
    """The files to let go of, and those that stay because they do not hold."""
    found, faulty, told = [], [], pruned_in(folder)
    for path in sorted(folder.glob("*.jsonl")):
        if _written(path):
            continue
        try:
            lines = list(read_lines(path))
        except ValueError:
            faulty.append(path.name)
            continue
        if not lines or datetime.fromisoformat(lines[-1].entry.at) >= before:
            continue
        if chain_faults(path.name, lines, erased=path.name in told):
            faulty.append(path.name)
            continue
        kept = [
            i
            for i, line in enumerate(lines)
            if line.entry.kind == VERDICT and str(line.body.get("id")) in contested
        ]
        one = _Segment(path, lines, kept)
        # One that holds contested verdicts alone already has nothing more to let go of.
        if not kept or one.gone:
            found.append(one)
    return found, tuple(faulty)


def _written(path: Path) -> bool:
    """Say whether a process writes this file: it holds a lock on it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _told(folder: Path, old: list[_Segment], before: datetime) -> dict[str, Any]:
    """The body of the line that tells of it, with what earlier ones told that still counts."""
    named, told = _named(folder), pruned_in(folder)
    going = {one.path.name for one in old}
    segments: dict[str, Any] = {
        name: {k: v for k, v in about.items() if k in _HEAD}
        for name, about in told.items()
        if name in named or (folder / name).exists()
    }
    for one in old:
        entries = {line.entry.digest for line in one.lines}
        segments[one.path.name] = {
            "head": one.lines[-1].entry.digest,
            "entries": len(one.lines),
            "last": one.lines[-1].entry.at,
            "kept": len(one.kept),
            "named": sorted(entries & named.get(one.path.name, set())),
        }
    return {"before": before.isoformat(), "segments": segments, "now": sorted(going)}


def _named(folder: Path) -> Mapping[str, set[Digest]]:
    """Which entries of each file are named by others."""
    found: dict[str, set[Digest]] = {}
    for path in folder.glob("*.jsonl"):
        try:
            first = next(read_lines(path), None)
        except ValueError:
            continue
        for name, digest in ({} if first is None else first.body.get("follows", {})).items():
            found.setdefault(name, set()).add(digest)
    return found


def _let_go(one: _Segment) -> None:
    if not one.kept:
        one.path.unlink()
        return
    rows = [
        {**line.entry.__dict__, **({"body": line.body} if i in one.kept else {"erased": True})}
        for i, line in enumerate(one.lines)
    ]
    write_whole(one.path, "".join(f"{canonical_json(row)}\n" for row in rows).encode(), mode=0o600)


def pruned_before(folder: Path) -> str | None:
    """Return the day before which something was let go, the latest; None if nothing was."""
    days = [
        str(line.body["before"])[:10]
        for path in folder.glob("*.jsonl")
        for line in _pruned_lines(path)
    ]
    return max(days, default=None)


def _pruned_lines(path: Path) -> list[Line]:
    try:
        return [line for line in read_lines(path) if line.entry.kind == PRUNED and line.body]
    except ValueError:
        return []
