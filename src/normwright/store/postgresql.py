"""A store in PostgreSQL: a schema of its own in a database named by URL.

One writer at a time, by an advisory lock that the server lets go of with the transaction, however
that ends: the ledger stays one chain and runs stay numbered, as under SQLite's write lock. Readers
wait for nobody and see one state of the store.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from normwright.records import Fault, InputError, MissingExtra, NormwrightError, StoreError
from normwright.store.address import Address, without_secrets
from normwright.store.backend import PATIENCE

_WAITS = (0.2, 0.8, 2.0)
"""Seconds before each further try to reach a server that may be coming up."""

_NO_RIGHT = "42501"
"""SQLSTATE of a statement that this role may not give."""

_DEFAULTS = {"connect_timeout": "10", "application_name": "normwright"}
"""Connection parameters, unless the URL says otherwise."""


class PostgreSQLSchema:
    """A `Backend`: one schema of one database, bound to one project directory.

    A random name in the file `binding` beside the objects, and the same in the table `bound` of
    the schema, say that the two belong together.
    """

    sealed = False

    def __init__(self, address: Address, binding: Path) -> None:
        try:
            import psycopg
        except ImportError as error:
            raise MissingExtra("a store in PostgreSQL", "postgres") from error
        self.errors: tuple[type[Exception], ...] = (sa.exc.DBAPIError, psycopg.Error)
        self.address = address
        self.binding = binding
        self.name = _name(address)
        defaults = {k: v for k, v in _DEFAULTS.items() if k not in address.url.query}
        self.engine = sa.create_engine(
            address.url,
            connect_args={**defaults, "prepare_threshold": None},
            hide_parameters=True,  # what a failing statement was given may be a person's vote
            pool_pre_ping=True,
        )
        sa.event.listen(self.engine, "begin", self._begin)

    def known(self) -> bool:
        return self.binding.is_file()

    def connect(self) -> sa.Connection:
        waits = iter(_WAITS)
        while True:
            try:
                return self.engine.connect()
            except self.errors as error:
                wait = next(waits, None)
                if wait is None or not _trouble(error).passes:
                    raise self._said(error) from error
            time.sleep(wait)

    def there(self, connection: sa.Connection) -> bool:
        # Asked of the catalogue itself: `to_regclass` may still answer from before a lock was won.
        look = sa.text(
            "SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
            " WHERE nspname = :schema AND relname = 'bound'"
        )
        if connection.scalar(look, {"schema": self.address.schema}) is None:
            return False
        if connection.scalar(sa.text(f"SELECT id FROM {self._schema}.bound")) != self._own():
            raise InputError(
                [
                    Fault(
                        where=self.name,
                        expected=f"a schema of the project in {self.binding.parent.parent}",
                        seen="the store of another project directory",
                        do="Give this project an id of its own or name another database. If the"
                        " project was moved, bring its .normwright folder along.",
                    )
                ]
            )
        return True

    def make(self, connection: sa.Connection) -> None:
        if self.there(connection):
            return
        _bind(self.binding)
        # Asked for first: `IF NOT EXISTS` would want the right to create schemas even so.
        named = sa.text("SELECT 1 FROM pg_namespace WHERE nspname = :name")
        if connection.scalar(named, {"name": self.address.schema}) is None:
            connection.exec_driver_sql(f"CREATE SCHEMA {self._schema}")
        connection.exec_driver_sql("CREATE TABLE bound (id TEXT NOT NULL)")
        connection.execute(sa.text("INSERT INTO bound VALUES (:id)"), {"id": self._own()})

    def error(self, error: Exception) -> NormwrightError | None:
        refused = isinstance(error, sa.exc.DBAPIError) and not isinstance(
            error, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.InternalError
        )
        if refused and _state(error) != _NO_RIGHT:
            return None  # a statement that the schema refuses
        return self._said(error)

    def _said(self, error: Exception) -> StoreError:
        """Return a failure in words, with every secret of the address struck out."""
        trouble = _trouble(error)
        cause = str(getattr(error, "orig", None) or error)
        return StoreError(
            Fault(
                where=self.name,
                expected=trouble.expected,
                seen=without_secrets(_one_line(cause), self.address.url),
                do=trouble.do,
            )
        )

    def disturbance(self) -> None:
        """Return None: every transaction sees one state."""

    def damage(self, connection: sa.Connection) -> Sequence[str]:
        """Return constraints that are switched off or unproved, and rows that refer to nothing.

        Whether the server's files are sound is not for a client to see: that is what its data
        checksums and `pg_amcheck` are for.
        """
        return [*_unproved(connection), *_dangling(connection)]

    @property
    def _schema(self) -> str:
        return f'"{self.address.schema}"'

    def _own(self) -> str | None:
        return self.binding.read_text("ascii").strip() if self.binding.is_file() else None

    def _begin(self, connection: sa.Connection) -> None:
        # For this transaction alone, so that it holds behind a pooler too.
        path = f"SET LOCAL search_path = {self._schema}"
        if connection.get_execution_options().get("writes"):
            wait = f"SET LOCAL lock_timeout = '{PATIENCE}s'"
            lock = f"SELECT pg_advisory_xact_lock({_lock_of(self.address.schema)})"
            connection.exec_driver_sql(f"{path}; {wait}; {lock}")
        else:
            mode = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
            connection.exec_driver_sql(f"{mode}; {path}")


def _bind(binding: Path) -> None:
    """Give a project directory its name, whole and once, whoever else does the same just now."""
    if binding.is_file():
        return
    with tempfile.NamedTemporaryFile(dir=binding.parent, prefix=".binding-") as incoming:
        incoming.write(secrets.token_hex(16).encode() + b"\n")
        incoming.flush()
        os.fsync(incoming.fileno())
        os.fchmod(incoming.fileno(), 0o644)
        try:
            os.link(incoming.name, binding)
        except FileExistsError:
            return


def _lock_of(schema: str) -> int:
    """Return the number of the lock that the writers of one schema take in turn."""
    digest = hashlib.sha256(f"normwright writer {schema}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _name(address: Address) -> str:
    """Return server, database and schema, as libpq will find them; never a secret."""
    from psycopg import pq

    found = {
        option.keyword.decode(): option.val.decode()
        for option in pq.Conninfo.get_defaults()
        if option.keyword in (b"host", b"port", b"dbname") and option.val
    }
    found |= {
        name: value
        for name, value in address.url.query.items()
        if name in ("host", "port", "dbname", "service") and isinstance(value, str)
    }
    host = address.url.host or found.get("host") or "localhost"
    port = address.url.port or found.get("port", "")
    database = address.url.database or found.get("dbname", "")
    where = f"service {found['service']}" if "service" in found else f"{host}:{port}/{database}"
    return f"postgresql://{where}, schema {address.schema}"


# What can go wrong with a server


@dataclass(frozen=True)
class _Trouble:
    """One kind of failure: how to know it, what was expected, what a person can do."""

    states: tuple[str, ...]
    """Beginnings of SQLSTATE codes."""
    words: str
    """What the message says where there is no code: libpq gives none for a failed connection."""
    expected: str
    do: str
    passes: bool = False
    """It may be over in a moment."""


_AGAIN = "then run the same command again."
_TROUBLES = (
    _Trouble(
        ("28",),
        r"authentication|no password supplied|pg_hba\.conf|role .* does not exist",
        "to be let in",
        "Correct the user in the address, or give that user's password by PGPASSWORD or ~/.pgpass;"
        f" {_AGAIN}",
    ),
    _Trouble(
        ("3D",),
        r"database .* does not exist",
        "a database of that name",
        f"Make it with createdb, or correct the address; {_AGAIN}",
    ),
    _Trouble(
        (_NO_RIGHT,),
        r"permission denied",
        "the right to use the database and to make a schema in it",
        f"Have its owner say: GRANT CONNECT, CREATE ON DATABASE ... TO ...; {_AGAIN}",
    ),
    _Trouble(
        ("25006",),
        r"read-only transaction",
        "a server that takes writes",
        f"Name the primary server, not a standby; {_AGAIN}",
    ),
    _Trouble(
        ("55P03",),
        r"lock timeout",
        f"the other writer to finish within {PATIENCE} seconds",
        f"Find out what holds the store (pg_stat_activity, pg_locks); {_AGAIN}",
    ),
    _Trouble(
        ("53100",),
        r"No space left",
        "room on the server's disk",
        f"Make room there; {_AGAIN}",
    ),
    _Trouble(
        ("53300",),
        r"too many (clients|connections)|remaining connection slots",
        "a free connection",
        f"Raise max_connections or close other clients; {_AGAIN}",
        passes=True,
    ),
    _Trouble(
        ("08", "57P"),
        r"refused|resolve host|No such file|starting up|shutting down|recovery mode"
        r"|not yet accepting|closed the connection|connection is closed|connection is lost"
        r"|terminat|timeout|reset",
        "a PostgreSQL server that answers",
        f"Start the server, or correct the address; {_AGAIN}",
        passes=True,
    ),
)
_UNNAMED = _Trouble(
    (),
    "",
    "a PostgreSQL server that does what it is asked",
    f"See the server's log, and whether host, port, database and user are right; {_AGAIN}",
)


def _trouble(error: Exception) -> _Trouble:
    """Return what kind of failure it is: by its code, else by its words."""
    state, text = _state(error), str(getattr(error, "orig", None) or error)
    for trouble in _TROUBLES:
        if state.startswith(trouble.states) if state else re.search(trouble.words, text):
            return trouble
    return _UNNAMED


def _state(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return getattr(cause, "sqlstate", None) or ""


def _one_line(text: str) -> str:
    """Return what the server said last; a client that tried several ways says each."""
    line = " ".join(text.split())
    *_, last = re.split(r"(?=connection to server )", line)
    return last.partition(" Is the server running ")[0][:300]


# What a client can see of a damaged database


def _unproved(connection: sa.Connection) -> Iterator[str]:
    """Yield what of the schema's constraints the server does not hold at present."""
    queries = {
        "SELECT conrelid::regclass::text AS place, conname AS name FROM pg_constraint"
        " WHERE connamespace = current_schema()::regnamespace AND NOT convalidated"
        " ORDER BY 1, 2": "the constraint {name} of {place} was never checked",
        "SELECT indrelid::regclass::text AS place, relname AS name FROM pg_index"
        " JOIN pg_class ON pg_class.oid = indexrelid"
        " WHERE relnamespace = current_schema()::regnamespace AND NOT (indisvalid AND indisready)"
        " ORDER BY 1, 2": "the index {name} of {place} is not valid",
        "SELECT tgrelid::regclass::text AS place, tgname AS name FROM pg_trigger"
        " JOIN pg_class ON pg_class.oid = tgrelid"
        " WHERE relnamespace = current_schema()::regnamespace AND tgisinternal"
        " AND tgenabled <> 'O' ORDER BY 1, 2": "a foreign key of {place} is switched off",
    }
    told = set()
    for query, words in queries.items():
        for row in connection.execute(sa.text(query)):
            told.add(words.format(place=row.place, name=row.name))
    yield from sorted(told)


def _dangling(connection: sa.Connection) -> Iterator[str]:
    """Yield how many rows of each table refer to a row that is not there."""
    look = sa.inspect(connection)
    for table in sorted(look.get_table_names(schema=_here(connection))):
        for key in look.get_foreign_keys(table, schema=_here(connection)):
            count = connection.scalar(_orphans(table, key))
            if count:
                yield f"{count} rows of {table} refer to no row of {key['referred_table']}"


def _here(connection: sa.Connection) -> str:
    return str(connection.scalar(sa.text("SELECT current_schema()")))


def _orphans(table: str, key: Any) -> sa.Select[Any]:
    """Return the query that counts rows whose foreign key is whole and leads nowhere."""
    columns, referred = key["constrained_columns"], key["referred_columns"]
    child = sa.table(table, *(sa.column(name) for name in columns)).alias("child")
    parent = sa.table(key["referred_table"], *(sa.column(name) for name in referred)).alias("up")
    same = (child.c[a] == parent.c[b] for a, b in zip(columns, referred, strict=True))
    found = sa.select(sa.literal(1)).select_from(parent).where(*same).exists()
    whole = (child.c[name].is_not(None) for name in columns)
    return sa.select(sa.func.count()).select_from(child).where(*whole, ~found)
