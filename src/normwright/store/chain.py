"""An append-only file of lines, each sealed into a chain; what a running guard leaves behind.

A line is an entry of the ledger with the body it seals, in the clear. Each process writes a file of
its own, which begins by naming the last entry of every other file in the folder: a file that is
dropped, or cut at its end, is missed by the next one.

A line is handed to the system before `append` returns, so that a process that dies loses none; it
is on the disk when `sync` returns, so that a machine that dies loses none before that. A line that
could not be written whole is taken back, and the file stays a chain.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from normwright.records import Digest, Fault, canonical_json, digest_bytes, digest_json, plain_json
from normwright.store.ledger import (
    BACKWARDS,
    Entry,
    clock_payload,
    first_break,
    link,
    set_back,
)
from normwright.store.trouble import plainly

PRUNED = "pruned"
"""Kind of an entry that tells which other files were let go; see `pruning`."""
OPENED = "opened"
"""Kind of the first entry of every file: which entries of other files were there before it."""

_FIELDS = ("seq", "previous", "kind", "payload", "at", "digest")


@dataclass(frozen=True)
class Line:
    """One line: the entry and what it seals."""

    entry: Entry
    body: dict[str, Any]
    """Empty where it was erased."""
    erased: bool = False
    """Whether the body was let go; the seal is over its digest and holds without it."""


class AuditChain:
    """One file of one process. Appending is thread-safe."""

    def __init__(self, path: Path, handle: int, now: Callable[[], datetime]) -> None:
        self.path = path
        self._handle = handle
        self._now = now
        self._last: Entry | None = None
        self._length = 0
        self._synced = 0
        self._writing = threading.Lock()
        self._syncing = threading.Lock()

    @classmethod
    def create(
        cls,
        folder: Path,
        name: str,
        *,
        body: Mapping[str, Any] = {},
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Self:
        """Begin the file `<name>.jsonl` in a folder, where there must be none yet.

        Args:
            folder: made if it is not there.
            name: what no other process of any time calls its file.
            body: further values of the first line, for example the policy in force.
            now: the clock.

        Raises:
            PlaceError: if the disk is full, forbidden or read-only.
        """
        with plainly(folder):
            folder.mkdir(parents=True, exist_ok=True)
            follows = heads(folder)
            path = folder / f"{name}.jsonl"
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            # Held as long as the file is written: nobody lets go of it meanwhile.
            with suppress(OSError):  # where there are no locks, nothing is let go of either
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            chain = cls(path, handle, now)
            chain.append(OPENED, {**body, "follows": follows})
            chain.sync()
        return chain

    @property
    def last(self) -> Entry | None:
        """The last entry that was written."""
        return self._last

    def append(self, kind: str, body: Mapping[str, Any], *, text: str | None = None) -> Entry:
        """Write one line and return its entry; a clock that was set back is said first.

        Args:
            kind: what happened.
            body: JSON values.
            text: their canonical JSON, where the caller has it already.

        Raises:
            OSError: if it could not be written whole; then it was not written at all.
        """
        with self._writing:
            at = self._now().astimezone(UTC)
            before = self._last
            if before is not None and at < datetime.fromisoformat(before.at) - BACKWARDS:
                self._put("clock", {"clock": {"before": before.at, "now": at.isoformat()}}, at)
            return self._put(kind, body, at, text)

    def sync(self) -> None:
        """Have everything that was appended so far on the disk; callers at once share the wait.

        Raises:
            OSError: if the disk says it is not.
        """
        wanted = self._last.seq if self._last else 0
        with self._syncing:
            if self._synced < wanted:
                upto = self._last.seq if self._last else 0
                os.fsync(self._handle)
                self._synced = upto

    def close(self) -> None:
        """Sync and close the file."""
        try:
            self.sync()
        finally:
            os.close(self._handle)

    def _put(
        self, kind: str, body: Mapping[str, Any], at: datetime, text: str | None = None
    ) -> Entry:
        text = canonical_json(dict(body)) if text is None else text
        if kind == "clock":
            payload = clock_payload(body["clock"]["before"], body["clock"]["now"])
        else:
            payload = digest_bytes(text.encode())
        entry = link(self._last, kind=kind, payload=payload, at=at.isoformat())
        # The body is put in as it was sealed, rather than made once more.
        line = f'{plain_json(entry.__dict__)[:-1]},"body":{text}}}\n'.encode()
        try:
            written = os.write(self._handle, line)
            if written != len(line):
                raise OSError(28, os.strerror(28), str(self.path))
        except OSError:
            os.ftruncate(self._handle, self._length)
            raise
        self._length += len(line)
        self._last = entry
        return entry


def read_lines(path: Path) -> Iterator[Line]:
    """Yield the lines of one file; a last one that a crash cut off is left out.

    Raises:
        ValueError: naming the line, for one that is none.
    """
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if not raw.endswith(b"\n"):
                return
            try:
                value = json.loads(raw)
                entry = Entry(**{name: value[name] for name in _FIELDS})
                erased = value.get("erased") is True and "body" not in value
                body = {} if erased else value["body"]
                if not isinstance(body, dict) or not isinstance(entry.seq, int):
                    raise TypeError("not a line of a chain")
                datetime.fromisoformat(entry.at)
            except (ValueError, TypeError, KeyError) as error:
                raise ValueError(f"{path.name}:{number}") from error
            yield Line(entry, body, erased)


def heads(folder: Path) -> dict[str, Digest]:
    """Return the digest of the last whole line of every file in a folder, by the file's name."""
    found = {}
    for path in sorted(folder.glob("*.jsonl")):
        raw = last_line(path)
        if raw is not None:
            try:
                found[path.name] = str(json.loads(raw)["digest"])
            except (ValueError, TypeError, KeyError):
                found[path.name] = "unreadable"
    return found


def check_chains(folder: Path) -> tuple[Fault, ...]:
    """Return everything that is wrong with the files of a folder; nothing if all of them hold."""
    faults: list[Fault] = []
    told = pruned_in(folder)
    digests: dict[str, set[Digest]] = {}
    follows: list[tuple[str, str, Digest]] = []
    for path in sorted(folder.glob("*.jsonl")):
        try:
            lines = list(read_lines(path))
        except ValueError as error:
            faults.append(
                Fault(where=str(error), expected="a line of a chain", seen="something else")
            )
            continue
        digests[path.name] = {line.entry.digest for line in lines}
        faults += chain_faults(path.name, lines, erased=path.name in told)
        for line in lines[:1]:
            follows += [(path.name, name, d) for name, d in line.body.get("follows", {}).items()]
    for later, earlier, digest in follows:
        known = digests.get(earlier)
        if known is None and earlier in told:
            known = {told[earlier]["head"], *told[earlier]["named"]}
        if digest not in (known or ()):
            faults.append(
                Fault(
                    where=earlier,
                    expected=f"the entry {digest}, which {later} names",
                    seen="none" if earlier in digests else "no such file",
                )
            )
    return tuple(faults)


def pruned_in(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what the files of a folder tell of those that were let go, by the file's name."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.jsonl")):
        try:
            lines = [line for line in read_lines(path) if line.entry.kind == PRUNED]
        except ValueError:
            continue
        for line in lines:
            for name, about in line.body.get("segments", {}).items():
                if isinstance(about, dict) and isinstance(about.get("named"), list):
                    found[name] = {"head": "", **about}
    return found


def chain_faults(name: str, lines: list[Line], *, erased: bool) -> list[Fault]:
    """Return everything that is wrong with the lines of one file.

    Args:
        name: of the file.
        lines: in their order.
        erased: whether bodies of it may have been let go.
    """
    entries = [line.entry for line in lines]
    broken = first_break(entries)
    faults = [] if broken is None else [broken]
    faults += set_back(entries)
    for line in lines:
        if line.erased:
            if not erased:
                faults.append(
                    Fault(
                        where=f"entry {line.entry.seq}: body",
                        expected="its body, or an entry of another file that tells it was let go",
                        seen="neither",
                        digest=line.entry.digest,
                    )
                )
            continue
        if line.entry.kind == "clock":
            told = line.body.get("clock", {})
            payload = clock_payload(str(told.get("before")), str(told.get("now")))
        else:
            payload = digest_json(line.body)
        if payload != line.entry.payload:
            faults.append(
                Fault(
                    where=f"entry {line.entry.seq}: body",
                    expected=line.entry.payload,
                    seen=payload,
                    digest=line.entry.digest,
                )
            )
    return [f.model_copy(update={"where": f"{name}: {f.where}"}) for f in faults]


def last_line(path: Path) -> bytes | None:
    """Return the last line of a file that has its end, without reading all of it."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        step = 1 << 16
        tail = b""
        while end > 0:
            start = max(0, end - step)
            file.seek(start)
            tail = file.read(end - start) + tail
            whole = tail[: tail.rfind(b"\n") + 1]
            if whole.count(b"\n") > 1 or (whole and start == 0):
                return whole.splitlines()[-1]
            end = start
    return None
