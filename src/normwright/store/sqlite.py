"""A store in one SQLite file, which lies in the project."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from normwright.records import IntegrityError, NormwrightError, PlaceError
from normwright.store.backend import PATIENCE
from normwright.store.sealed import SealedFile, is_sealed
from normwright.store.trouble import say_plainly


class SQLiteFile:
    """A `Backend`: the file `store.db`, with its log beside it."""

    errors: tuple[type[Exception], ...] = (sa.exc.DBAPIError,)

    def __init__(self, file: Path, *, writes: bool = True) -> None:
        self.file = file
        self.name = f"{file.parent.name}/{file.name}"
        self.sealed = not writes and is_sealed(file)
        self._sealed = SealedFile(file, self.name) if self.sealed else None
        if self._sealed is not None:
            self.engine = self._sealed.engine
        else:
            # What a failing statement was given may be a person's vote: it is in no message.
            url = sa.URL.create("sqlite", database=str(file))
            self.engine = sa.create_engine(url, hide_parameters=True)
            sa.event.listen(self.engine, "connect", _prepare)
            sa.event.listen(self.engine, "begin", _begin)
        sa.event.listen(self.engine, "handle_error", say_plainly)

    def known(self) -> bool:
        return self.file.is_file()

    def connect(self) -> sa.Connection:
        return self.engine.connect()

    def there(self, connection: sa.Connection) -> bool:
        return True

    def make(self, connection: sa.Connection) -> None:
        """Do nothing: the file is there as soon as it is opened."""

    def error(self, error: Exception) -> NormwrightError | None:
        cause = getattr(error, "orig", None)
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return self.disturbance() or IntegrityError(
                f"{self.file} is not a readable database: {cause}"
            )
        return None

    def disturbance(self) -> PlaceError | None:
        return None if self._sealed is None else self._sealed.disturbance()

    def damage(self, connection: sa.Connection) -> Sequence[str]:
        found = [
            str(line) for line in connection.scalars(sa.text("PRAGMA quick_check")) if line != "ok"
        ]
        return found + [
            f"row {row.rowid} of {row.table} refers to no row of {row.parent}"
            for row in connection.execute(sa.text("PRAGMA foreign_key_check"))
        ]


def _prepare(connection: Any, _: object) -> None:
    # The driver would otherwise open transactions by its own lights and leave the schema out.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {int(PATIENCE * 1000)}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    # A writer takes its lock at once: one that reads first and writes later could be refused.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
