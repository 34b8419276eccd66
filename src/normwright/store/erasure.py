"""Erase one person's rows: content and key go, the leaf stays, and the root still holds.

Afterwards the bytes must be gone too, not only unreachable: a database keeps deleted rows in free
pages and in its log until it is told otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from normwright.records import Digest, Fault, InputError, Statement, Withdrawal
from normwright.store.database import Store
from normwright.store.tables import EXPORTS, IMPORTS, ROWS

WITHDRAWAL = "withdrawal"
"""Kind of the ledger entry; its payload is the digest of the `Withdrawal` record."""


@dataclass(frozen=True)
class Found:
    """The rows of one person in all imports of a process: which, not what they say."""

    process: str
    rows: Mapping[Digest, Mapping[str, Mapping[int, bytes]]] = field(default_factory=dict)
    """Import -> table -> place -> leaf."""

    @property
    def imports(self) -> tuple[Digest, ...]:
        """The imports that hold any of them."""
        return tuple(self.rows)

    @property
    def leaves(self) -> dict[Digest, dict[str, tuple[str, ...]]]:
        """Import -> table -> leaves in hexadecimal, in the order of their places."""
        return {
            imported: {
                table: tuple(leaf.hex() for _, leaf in sorted(places.items()))
                for table, places in tables.items()
                if places
            }
            for imported, tables in self.rows.items()
        }

    @property
    def counts(self) -> dict[str, int]:
        """Rows by table, over all imports."""
        return {
            table: sum(len(tables.get(table, {})) for tables in self.rows.values())
            for table in ROWS
        }


def processes_of(store: Store, participant: str) -> tuple[str, ...]:
    """Return the processes in which a participant has a row that is not erased."""
    people = ROWS["participants"]
    query = (
        sa.select(IMPORTS.c.process)
        .select_from(people.join(IMPORTS, people.c["import"] == IMPORTS.c.digest))
        .where(people.c.id == participant)
        .distinct()
        .order_by(IMPORTS.c.process)
    )
    with store.reading() as connection:
        return tuple(connection.scalars(query))


def rows_of_person(
    store: Store, process: str, participant: str, *, authored: Collection[str] = ()
) -> Found:
    """Return where a person's rows stand in every import of a process.

    Args:
        store: The store.
        process: The process they took part in.
        participant: Their pseudonym.
        authored: Statements they wrote; those go with all votes on them, because a vote on a text
            that nobody can read any more says nothing.
    """
    rows: dict[Digest, dict[str, dict[int, bytes]]] = {}
    with store.reading() as connection:
        chosen = sa.select(IMPORTS.c.digest).where(IMPORTS.c.process == process)
        for imported in sorted(connection.scalars(chosen)):
            tables = {
                table: {
                    row.place: row.leaf
                    for row in connection.execute(
                        sa.select(ROWS[table].c.place, ROWS[table].c.leaf).where(
                            ROWS[table].c["import"] == imported, which
                        )
                    )
                }
                for table, which in _conditions(participant, authored).items()
            }
            if any(tables.values()):
                rows[imported] = tables
    return Found(process, rows)


def texts_of(store: Store, process: str, statements: Collection[str]) -> frozenset[str]:
    """Return the texts of statements, in every language and import, to look for them elsewhere."""
    table = ROWS["statements"]
    chosen = sa.select(IMPORTS.c.digest).where(IMPORTS.c.process == process)
    query = sa.select(table.c.json).where(
        table.c["import"].in_(chosen), table.c.id.in_(sorted(statements))
    )
    with store.reading() as connection:
        kept = [Statement.model_validate_json(json) for json in connection.scalars(query)]
    return frozenset(text for one in kept for text in one.text.values())


def _conditions(participant: str, authored: Collection[str]) -> dict[str, sa.ColumnElement[bool]]:
    """Return which rows of each table are the person's, those that others refer to last."""
    written = sorted(authored)
    theirs: dict[str, sa.ColumnElement[bool]] = {}
    for name, table in ROWS.items():
        if "participant" in table.c:
            theirs[name] = table.c.participant == participant
            if "statement" in table.c:
                theirs[name] = sa.or_(theirs[name], table.c.statement.in_(written))
    theirs["participants"] = ROWS["participants"].c.id == participant
    theirs["statements"] = ROWS["statements"].c.id.in_(written)
    return theirs


def erase(
    store: Store,
    found: Found,
    withdrawal: Withdrawal,
    *,
    participant: str,
    authored: Collection[str] = (),
    exports: Iterable[str] = (),
) -> Digest:
    """Destroy the content and keys of a person's rows, and write the withdrawal into the ledger.

    All of it happens in one transaction. Returns the digest of the record.

    Args:
        store: The store.
        found: Their rows, from `rows_of_person`.
        withdrawal: The record to store; the ledger entry names its digest.
        participant: Their pseudonym.
        authored: Statements they wrote.
        exports: Files for people that quote them, which are no longer to be kept as they are.

    Raises:
        InputError: if the rows are no longer those that were found.
    """
    with store.transaction() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
        again = rows_of_person(store, found.process, participant, authored=authored)
        if again != found:
            raise InputError(
                [
                    Fault(
                        where="the store",
                        expected="the rows that were counted a moment ago",
                        seen="others; something else wrote to the store",
                        do="Run the command again.",
                    )
                ]
            )
        for table, which in _conditions(participant, authored).items():
            columns = [column.name for column in ROWS[table].c if column.name not in _KEPT]
            connection.execute(
                sa.update(ROWS[table])
                .where(ROWS[table].c["import"].in_(found.imports), which)
                .values(dict.fromkeys(columns))
            )
        for path in exports:
            connection.execute(sa.delete(EXPORTS).where(EXPORTS.c.path == path))
        (digest,) = store.put_records("elicit", [withdrawal])
        store.append(WITHDRAWAL, digest)
    return digest


_PATIENCE = 3000
"""Milliseconds to wait for readers to let go of the log."""

_KEPT = ("import", "place", "kind", "leaf")
"""What is left of an erased row."""


def scrub(store: Store) -> None:
    """Make sure that what was erased is in no free page and in no log of the database.

    On PostgreSQL the tables are written anew; its write-ahead log and backups are in the hands of
    whoever runs the server.

    Raises:
        InputError: if another process holds the database, so that its log cannot be emptied.
    """
    if store.engine.dialect.name != "sqlite":
        with store.reading() as connection:
            schema = connection.scalar(sa.text("SELECT current_schema()"))
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in ROWS:
                connection.exec_driver_sql(f'VACUUM (FULL) "{schema}"."{table}"')
        return
    raw = store.engine.raw_connection()
    try:
        cursor = raw.cursor()
        patience = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.execute("VACUUM")
        cursor.execute(f"PRAGMA busy_timeout = {_PATIENCE}")
        busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {patience}")
        cursor.close()
    finally:
        raw.close()
    if busy:
        raise InputError(
            [
                Fault(
                    where="the store",
                    expected="no other process reading it, so that its log can be emptied",
                    seen="one that is",
                    do="Close it (a chat, a page that is served), then run the command again.",
                )
            ]
        )


def withdrawals(store: Store) -> tuple[tuple[int, Withdrawal], ...]:
    """Return the withdrawals that stand in the ledger, each with the place of its entry.

    Raises:
        IntegrityError: if one of them is gone or was changed.
    """
    return tuple(
        (entry.seq, store.record(entry.payload, Withdrawal))
        for entry in store.ledger()
        if entry.kind == WITHDRAWAL
    )
