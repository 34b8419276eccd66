"""The journal: an append-only file of what happened to grants, calls, labels and orders to stop.

One line is one event, chained to the line before it and flushed to disk before anybody is told that
it happened. Several processes may write the same file: each takes its lock, reads what the others
wrote, and only then decides. A line that a crash left half-written was never acknowledged, and is
cut off by the next writer.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from normwright.records import IntegrityError, canonical_json, digest_json

if TYPE_CHECKING:
    from normwright.store import Entry


@dataclass(frozen=True)
class Event:
    """One thing that happened."""

    kind: str
    body: Mapping[str, Any]
    """JSON values only."""
    at: str
    """When, in UTC, ISO 8601."""


class Journal(Protocol):
    """Where events are kept."""

    def turn(self) -> AbstractContextManager[tuple[Event, ...]]:
        """Return a context in which nobody else writes; it gives what is new since the last one."""
        ...

    def append(self, event: Event) -> None:
        """Keep an event; it is on disk when this returns. Only inside a turn."""
        ...


class MemoryJournal:
    """Events of one process, gone with it."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    @contextmanager
    def turn(self) -> Iterator[tuple[Event, ...]]:
        """Return a context; nobody else writes here, so nothing is ever new."""
        yield ()

    def append(self, event: Event) -> None:
        """Keep an event."""
        self.events.append(event)


class FileJournal:
    """Events in a file, one JSON line each: a chain of entries with their bodies.

    Args:
        path: the file; it is made when the first event is written.

    What is cut off at the end in whole lines cannot be seen from the file alone: keep `head` where
    whoever might do that cannot write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last: Entry | None = None
        self._offset = 0
        self._held: int | None = None

    @property
    def head(self) -> str | None:
        """Digest of the last entry read or written; None: there is none."""
        return None if self._last is None else self._last.digest

    @contextmanager
    def turn(self) -> Iterator[tuple[Event, ...]]:
        """Return a context in which no other process writes, with the events that are new.

        Raises:
            IntegrityError: if a line is not what its digest says, or was taken out or put in.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._held = file
            yield tuple(self._read(file))
        finally:
            self._held = None
            os.close(file)

    def append(self, event: Event) -> None:
        """Write an event and wait until it is on disk.

        Raises:
            RuntimeError: outside a turn.
            OSError: if it cannot be written; then it did not happen.
        """
        from normwright.store import link

        file = self._held
        if file is None:
            raise RuntimeError("an event is written inside a turn")
        entry = link(self._last, kind=event.kind, payload=digest_json(event.body), at=event.at)
        line = canonical_json({**asdict(entry), "body": event.body}).encode() + b"\n"
        try:
            written = os.write(file, line)
            if written != len(line):
                raise OSError(f"{self.path}: {written} of {len(line)} bytes were written")
            os.fsync(file)
        except OSError:
            os.ftruncate(file, self._offset)
            raise
        self._offset += len(line)
        self._last = entry

    def _read(self, file: int) -> Iterator[Event]:
        size = os.fstat(file).st_size
        if size < self._offset:
            raise IntegrityError(f"{self.path} is shorter than it was")
        data = os.pread(file, size - self._offset, self._offset)
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.ftruncate(file, self._offset + whole)
        for line in data[:whole].splitlines():
            entry, body = self._entry(line)
            self._last = entry
            self._offset += len(line) + 1
            yield Event(entry.kind, body, entry.at)

    def _entry(self, line: bytes) -> tuple[Entry, Mapping[str, Any]]:
        from normwright.store import Entry, link

        where = f"{self.path}: entry {1 if self._last is None else self._last.seq + 1}"
        try:
            fields = json.loads(line)
            body = fields.pop("body")
            entry = Entry(**fields)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise IntegrityError(f"{where} is no entry of a journal") from None
        same = link(self._last, kind=entry.kind, payload=digest_json(body), at=entry.at)
        if entry != same:
            raise IntegrityError(f"{where} is not what its digest says, or does not follow")
        return entry, body


def verified(path: Path) -> int:
    """Return how many events a journal holds, after checking that all of them follow.

    Raises:
        IntegrityError: if one does not.
    """
    from normwright.store import Entry, first_break

    entries = []
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                break
            fields = json.loads(line)
            if digest_json(fields.pop("body")) != fields["payload"]:
                raise IntegrityError(f"{path}: the body of entry {number} was changed")
            entries.append(Entry(**fields))
    broken = first_break(entries)
    if broken is not None:
        raise IntegrityError(f"{path}: {broken.where}")
    return len(entries)
