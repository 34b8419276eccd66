"""Verdicts of a running guard by their id, and what people say against them.

The audit chain is what counts; this is the index over it, which can be made again from it. So a
verdict waits in memory while the database is locked or the disk is full, and nobody who asks for
it is turned away.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from normwright.records import Fault
from normwright.store.chain import Line, last_line, read_lines
from normwright.store.trouble import plainly, say_plainly

VERDICT = "verdict"
"""Kind of the chain's entries that hold a verdict; the body has its `id`."""

PATIENCE = 2.0
"""Seconds to wait for another process that writes."""

_BATCH = 500
_TABLES = (
    "CREATE TABLE IF NOT EXISTS verdicts (id TEXT PRIMARY KEY, chain TEXT NOT NULL,"
    " seq INTEGER NOT NULL, digest TEXT NOT NULL, at TEXT NOT NULL, json TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS verdicts_by_place ON verdicts (chain, seq)",
    "CREATE TABLE IF NOT EXISTS contests (id TEXT PRIMARY KEY, verdict TEXT NOT NULL,"
    " at TEXT NOT NULL, json TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS contests_by_verdict ON contests (verdict)",
    "CREATE TABLE IF NOT EXISTS policies (digest TEXT PRIMARY KEY, json TEXT NOT NULL)",
)
_VERDICTS = sa.table(
    "verdicts", *(sa.column(name) for name in ("id", "chain", "seq", "digest", "at", "json"))
)
_CONTESTS = sa.table("contests", *(sa.column(name) for name in ("id", "verdict", "at", "json")))
_POLICIES = sa.table("policies", *(sa.column(name) for name in ("digest", "json")))


@dataclass(frozen=True)
class KeptVerdict:
    """One verdict as it stands in the chain."""

    id: str
    chain: str
    """The file it stands in."""
    seq: int
    digest: str
    """Of its entry in the chain."""
    at: str
    body: dict[str, Any]
    text: str | None = field(default=None, repr=False, compare=False)
    """The body as it was sealed; None: it is to be written anew."""

    @classmethod
    def of(cls, chain: str, line: Line, *, text: str | None = None) -> KeptVerdict:
        """Return the verdict of a line of the chain."""
        e = line.entry
        return cls(str(line.body["id"]), chain, e.seq, e.digest, e.at, line.body, text)

    def row(self) -> dict[str, Any]:
        """Return it as a row of its table."""
        text = json.dumps(self.body, sort_keys=True) if self.text is None else self.text
        return {"id": self.id, "chain": self.chain, "seq": self.seq, "digest": self.digest,
                "at": self.at, "json": text}  # fmt: skip


class VerdictBook:
    """The database of verdicts and contests in one file; safe to use from several threads."""

    def __init__(self, file: Path, *, patience: float = PATIENCE) -> None:
        self.file = file
        self._waiting: dict[str, KeptVerdict] = {}
        self._lock = threading.Lock()
        with plainly(file):
            file.parent.mkdir(parents=True, exist_ok=True)
        url = sa.URL.create("sqlite", database=str(file))
        self._engine = sa.create_engine(
            url, hide_parameters=True, connect_args={"timeout": patience}
        )
        sa.event.listen(self._engine, "connect", _prepare)
        sa.event.listen(self._engine, "handle_error", say_plainly)
        with self._engine.begin() as connection:
            for statement in _TABLES:
                connection.execute(sa.text(statement))

    @property
    def waiting(self) -> int:
        """Verdicts that are not in the database yet."""
        return len(self._waiting)

    def add(self, verdict: KeptVerdict) -> None:
        """Take a verdict; it can be read at once, and `flush` writes it."""
        with self._lock:
            self._waiting[verdict.id] = verdict

    def flush(self) -> int:
        """Write what waits, and return how many that were.

        Raises:
            PlaceError: if the database is locked or the disk is full; everything goes on waiting.
        """
        done = 0
        while batch := self._batch():
            self._insert(batch)
            with self._lock:
                for verdict in batch:
                    self._waiting.pop(verdict.id, None)
            done += len(batch)
        return done

    def get(self, verdict_id: str) -> KeptVerdict | None:
        """Return a verdict, or None where there is none of that id.

        Raises:
            PlaceError: if it does not wait in memory and the database cannot be read.
        """
        with self._lock:
            if verdict_id in self._waiting:
                return self._waiting[verdict_id]
        with self._read() as connection:
            row = connection.execute(
                sa.select(*_VERDICTS.c).where(_VERDICTS.c.id == verdict_id)
            ).one_or_none()
        if row is None:
            return None
        return KeptVerdict(row.id, row.chain, row.seq, row.digest, row.at, json.loads(row.json))

    def catch_up(self, folder: Path) -> int:
        """Take in the verdicts of every chain in a folder that are not here, and return how many.

        Raises:
            ValueError: for a line that is none of a chain.
            PlaceError: if the database cannot be written.
        """
        taken = 0
        for path in sorted(folder.glob("*.jsonl")):
            with self._read() as connection:
                known = connection.scalar(
                    sa.select(sa.func.max(_VERDICTS.c.seq)).where(_VERDICTS.c.chain == path.name)
                )
            if known is not None and known >= _last_seq(path):
                continue
            for batch in _batches(read_lines(path), path.name, after=known or 0):
                self._insert(batch)
                taken += len(batch)
        return taken

    def check(self, folder: Path) -> tuple[Fault, ...]:
        """Return a fault for every verdict here that its chain no longer has.

        So a chain that was cut at its end is found, although what is left of it holds.
        """
        faults = []
        with self._read() as connection:
            names = list(connection.scalars(sa.select(_VERDICTS.c.chain).distinct()))
            for name in sorted(names):
                there = _digests(folder / name)
                rows = connection.execute(
                    sa.select(_VERDICTS.c.seq, _VERDICTS.c.digest)
                    .where(_VERDICTS.c.chain == name)
                    .order_by(_VERDICTS.c.seq)
                )
                for row in rows:
                    if there.get(row.seq) != row.digest:
                        seen = there.get(row.seq, "none")
                        where = f"{name}: entry {row.seq}"
                        faults.append(Fault(where=where, expected=row.digest, seen=seen))
        return tuple(faults)

    def forget(self, chain: str, *, keep: Set[str] = frozenset()) -> int:
        """Take out the verdicts of one file but some, and return how many that were.

        Args:
            chain: name of the file.
            keep: ids of verdicts that stay.

        Raises:
            PlaceError: if the database cannot be written.
        """
        with self._engine.begin() as connection:
            asked = sa.select(_VERDICTS.c.id).where(_VERDICTS.c.chain == chain)
            going = [i for i in connection.scalars(asked) if i not in keep]
            for start in range(0, len(going), _BATCH):
                some = going[start : start + _BATCH]
                connection.execute(sa.delete(_VERDICTS).where(_VERDICTS.c.id.in_(some)))
        return len(going)

    def add_contest(
        self, contest_id: str, verdict_id: str, at: str, body: Mapping[str, Any]
    ) -> None:
        """Keep what somebody says against a verdict.

        Raises:
            PlaceError: if it could not be kept.
        """
        row = {"id": contest_id, "verdict": verdict_id, "at": at, "json": json.dumps(dict(body))}
        with self._engine.begin() as connection:
            connection.execute(sa.insert(_CONTESTS), row)

    def contests(self, verdict_id: str | None = None) -> list[dict[str, Any]]:
        """Return the contests of one verdict, or all of them, the oldest first."""
        asked = sa.select(_CONTESTS.c.json).order_by(_CONTESTS.c.at, _CONTESTS.c.id)
        if verdict_id is not None:
            asked = asked.where(_CONTESTS.c.verdict == verdict_id)
        with self._read() as connection:
            return [json.loads(text) for text in connection.scalars(asked)]

    def add_policy(self, digest: str, body: Mapping[str, Any]) -> None:
        """Keep what a policy said, so that a verdict under it can be explained when it is gone."""
        row = {"digest": digest, "json": json.dumps(dict(body))}
        with self._engine.begin() as connection:
            connection.execute(sa.insert(_POLICIES).prefix_with("OR IGNORE"), row)

    def policy(self, digest: str) -> dict[str, Any] | None:
        """Return what a policy said, or None where it is not known here."""
        with self._read() as connection:
            text = connection.scalar(
                sa.select(_POLICIES.c.json).where(_POLICIES.c.digest == digest)
            )
        return None if text is None else json.loads(text)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _batch(self) -> list[KeptVerdict]:
        with self._lock:
            return [v for v, _ in zip(self._waiting.values(), range(_BATCH), strict=False)]

    def _insert(self, batch: Sequence[KeptVerdict]) -> None:
        with self._engine.begin() as connection:
            statement = sa.insert(_VERDICTS).prefix_with("OR IGNORE")
            connection.execute(statement, [v.row() for v in batch])

    @contextmanager
    def _read(self) -> Iterator[sa.Connection]:
        with self._engine.connect() as connection:
            yield connection


def _last_seq(path: Path) -> int:
    """Return the number of the last entry of a chain, without reading all of it."""
    line = last_line(path)
    try:
        return 0 if line is None else int(json.loads(line)["seq"])
    except (ValueError, TypeError, KeyError):
        return 0


def _digests(path: Path) -> dict[int, str]:
    if not path.is_file():
        return {}
    try:
        return {line.entry.seq: line.entry.digest for line in read_lines(path)}
    except ValueError:
        return {}


def _batches(lines: Iterable[Line], chain: str, *, after: int) -> Iterator[list[KeptVerdict]]:
    batch: list[KeptVerdict] = []
    for line in lines:
        if line.entry.seq > after and line.entry.kind == VERDICT and not line.erased:
            batch.append(KeptVerdict.of(chain, line))
            if len(batch) == _BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def _prepare(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    # What a crash takes from here is still in the chain, so that no wait for the disk is needed.
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
