"""What is remembered of conversations that name themselves, shared by the processes of one server.

What is kept is bytes whose meaning is the caller's, under names that say nothing. It is no record:
whoever deletes the file makes a guard forget how suspicious conversations were, and nothing else.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from normwright.records import Fault, PlaceError
from normwright.store.trouble import plainly

_PATIENCE = 0.1
"""Seconds to wait for another process. Requests wait for it, and a change takes far less."""


class MemoryBook:
    """A file of memories by name; safe to use from several threads and processes of one machine."""

    def __init__(self, file: Path, *, patience: float = _PATIENCE) -> None:
        """Open the file, or make it.

        Raises:
            PlaceError: if it cannot be written, or is something else.
        """
        self.file = file
        self._lock = threading.Lock()
        with _ours(file), plainly(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                file, timeout=patience, isolation_level=None, check_same_thread=False
            )
            for statement in (
                "PRAGMA journal_mode = WAL",
                # What a crash takes is forgotten; no request waits for the disk.
                "PRAGMA synchronous = OFF",
                "CREATE TABLE IF NOT EXISTS memories (name TEXT PRIMARY KEY, used REAL NOT NULL,"
                " kept BLOB NOT NULL) WITHOUT ROWID",
            ):
                self._db.execute(statement)

    def change(self, name: str, at: float, with_: Callable[[bytes | None], bytes]) -> None:
        """Replace what is kept under a name, with no other process in between.

        Args:
            name: of the conversation.
            at: when, on a clock that all processes of the machine share.
            with_: makes what is to be kept of what was; None: nothing was.

        Raises:
            PlaceError: if the file is locked or the disk is full; nothing is changed then.
        """
        with self._lock, plainly(self.file):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                row = self._db.execute(
                    "SELECT kept FROM memories WHERE name = ?", (name,)
                ).fetchone()
                self._db.execute(
                    "INSERT OR REPLACE INTO memories VALUES (?, ?, ?)",
                    (name, at, with_(None if row is None else row[0])),
                )
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def forget(self, *, now: float, seconds: float, most: int) -> None:
        """Drop what was not used for so long, and the oldest of more than so many.

        What was used after `now` is from before the machine was started again, and goes too.

        Raises:
            PlaceError: if the file cannot be written.
        """
        with self._lock, plainly(self.file):
            self._db.execute(
                "DELETE FROM memories WHERE used < ? OR used > ?", (now - seconds, now + 60.0)
            )
            if self._count() > most:
                self._db.execute(
                    "DELETE FROM memories WHERE name NOT IN"
                    " (SELECT name FROM memories ORDER BY used DESC LIMIT ?)",
                    (most,),
                )

    def __len__(self) -> int:
        """How many there are.

        Raises:
            PlaceError: if the file cannot be read.
        """
        with self._lock, plainly(self.file):
            return self._count()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM memories").fetchone()[0])


@contextmanager
def _ours(file: Path) -> Iterator[None]:
    """Say in a sentence that a file is something else."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise
        told = Fault(
            where=str(file),
            expected="what a guard remembers of conversations",
            seen="another kind of file, or a broken one",
            do="Delete it: there is no record in it.",
        )
        raise PlaceError([told]) from error
