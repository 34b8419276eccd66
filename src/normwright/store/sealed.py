"""Reading a store where nothing can be written: a project on a read-only disk, or another user's.

SQLite in write-ahead mode makes files beside the database even to read it. Where that is not
possible there are three ways. With the memory that readers and writers share beside it, it is read
as ever. Without that, but with a journal a killed run has left, both are copied to a temporary
folder and read there. With neither the database is opened as one that nobody changes, and whoever
finds something wrong with it has to see that nobody did.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

import sqlalchemy as sa

from normwright.records import Fault, PlaceError
from normwright.store.backend import PATIENCE
from normwright.store.trouble import plainly

_Seen: TypeAlias = tuple[tuple[int, int, int] | None, ...]


def is_sealed(file: Path) -> bool:
    """Say whether a database is there and may be read but not written by this process."""
    return file.is_file() and not (os.access(file.parent, os.W_OK) and os.access(file, os.W_OK))


class SealedFile:
    """A SQLite file that is only read, and beside which no file is made.

    Args:
        file: The database.
        name: What it is called in messages.

    Raises:
        PlaceError: if there is no room for a copy where one is needed, or if the owner writes
            while it is made.
    """

    def __init__(self, file: Path, name: str) -> None:
        self.file = file
        self.name = name
        self._seen = _look(file)
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        journal, shared = _beside(file)
        beside = journal.is_file() and shared.is_file()
        self._alone = not beside and not _holds(journal)
        if not beside and not self._alone:
            self._copy = self._copied(journal)
        read = file if self._copy is None else Path(self._copy.name) / file.name
        still = "&immutable=1" if self._alone else ""
        url = f"sqlite:///file:{quote(str(read))}?mode=ro{still}&uri=true"
        # What a failing statement was given may be a person's vote: it is in no message.
        self.engine = sa.create_engine(url, hide_parameters=True)
        sa.event.listen(self.engine, "connect", _prepare)
        sa.event.listen(self.engine, "begin", _begin)
        sa.event.listen(self.engine, "engine_disposed", self._clear)

    def disturbance(self) -> PlaceError | None:
        """Return that the owner writes to what is read here as if nobody did, if so."""
        return self._disturbed() if self._alone and _look(self.file) != self._seen else None

    def _copied(self, journal: Path) -> tempfile.TemporaryDirectory[str]:
        """Copy the database with its journal to where SQLite can make what it needs to read it."""
        for one in (self.file, journal):
            with plainly(one), one.open("rb"):
                pass  # what may not be read is no trouble of the temporary folder's
        with plainly(Path(tempfile.gettempdir()), as_one=True):
            copy = tempfile.TemporaryDirectory(prefix="normwright-")
            try:
                for one in (self.file, journal):
                    shutil.copyfile(one, Path(copy.name) / one.name)
                if _look(self.file) != self._seen:
                    raise self._disturbed()
            except BaseException:
                copy.cleanup()
                raise
        return copy

    def _disturbed(self) -> PlaceError:
        return PlaceError(
            [
                Fault(
                    where=self.name,
                    expected="a database that nobody writes to while it is read, as it can only "
                    "be read here",
                    seen="one that is being written to",
                    do="Give the same command again; wait for a run that is at work.",
                )
            ]
        )

    def _clear(self, _: sa.Engine) -> None:
        if self._copy is not None:
            self._copy.cleanup()


def _beside(file: Path) -> tuple[Path, Path]:
    """Return where SQLite keeps a database's journal and the memory that is shared over it."""
    return file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")


def _holds(journal: Path) -> bool:
    return journal.is_file() and journal.stat().st_size > 0


def _look(file: Path) -> _Seen:
    """Return what tells whether a database or its journal was written to in between."""
    seen: list[tuple[int, int, int] | None] = []
    for one in (file, _beside(file)[0]):
        try:
            stat = one.stat()
        except FileNotFoundError:
            seen.append(None)
        else:
            seen.append((stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return tuple(seen)


def _prepare(connection: Any, _: object) -> None:
    # The driver would begin no transaction to read in, and each statement see another moment.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {int(PATIENCE * 1000)}").close()


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def check_current(missing: Sequence[str], name: str) -> None:
    """Check that a store which cannot be brought up to date is so already.

    Args:
        missing: Names of the migrations it lacks.
        name: What the store is called in messages.

    Raises:
        PlaceError: if it lacks any.
    """
    if missing:
        raise PlaceError(
            [
                Fault(
                    where=name,
                    expected="a store of this version, as it cannot be written to here",
                    seen=f"one without {', '.join(missing)}",
                    do="Open it once where it can be written: normwright status DIR.",
                )
            ]
        )
