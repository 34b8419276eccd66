"""The schema as numbered steps. A step that has been released is never edited; append another.

The names of the applied steps are kept in the table `migrations`. Each step carries its own frozen
picture of the tables it makes, so that later code cannot change what an old step did.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from normwright.records import Fault, InputError


def m0001_initial(connection: sa.Connection) -> None:
    """Records, stage results, runs, exports, the ledger, and the rows of imports."""
    meta = sa.MetaData()
    # PostgreSQL has to be told to compare text byte by byte and to hold integers of 64 bits, as
    # SQLite does without being told; what SQLite is told has not changed.
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    integer = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
    blob = sa.LargeBinary()

    sa.Table(
        "records",
        meta,
        sa.Column("digest", text, primary_key=True),
        sa.Column("kind", text, nullable=False, index=True),
        sa.Column("json", text, nullable=False),
        sa.Column("stage", text, nullable=False),
    )
    sa.Table(
        "results",
        meta,
        sa.Column("key", text, primary_key=True),
        sa.Column("stage", text, nullable=False),
        sa.Column("inputs", text, nullable=False),
        sa.Column("parameters", text, nullable=False),
        sa.Column("code", text, nullable=False),
        sa.Column("seed", integer, nullable=False),
        sa.Column("made", text, nullable=False),
        sa.Column("objects", text, nullable=False),
        sa.Column("exports", text, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("created", text, nullable=False),
    )
    sa.Table(
        "runs",
        meta,
        sa.Column("seq", integer, primary_key=True),
        sa.Column("started", text, nullable=False),
        sa.Column("ended", text),
    )
    sa.Table(
        "run_steps",
        meta,
        sa.Column("run", integer, sa.ForeignKey("runs.seq"), primary_key=True),
        sa.Column("place", integer, primary_key=True),
        sa.Column("stage", text, nullable=False),
        sa.Column("key", text, sa.ForeignKey("results.key"), nullable=False),
        sa.Column("skipped", integer, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
    )
    sa.Table(
        "exports",
        meta,
        sa.Column("path", text, primary_key=True),
        sa.Column("digest", text, nullable=False),
    )
    sa.Table(
        "ledger",
        meta,
        sa.Column("seq", integer, primary_key=True, autoincrement=False),
        sa.Column("previous", text, nullable=False, unique=True),
        sa.Column("kind", text, nullable=False),
        sa.Column("payload", text, nullable=False),
        sa.Column("at", text, nullable=False),
        sa.Column("digest", text, nullable=False, unique=True),
    )

    # A process is human or simulated once and for all, and every row below repeats which. The
    # foreign keys carry the kind along, so the database itself refuses a simulated participant,
    # or any vote of one, in an import of a human process.
    sa.Table(
        "processes",
        meta,
        sa.Column("id", text, primary_key=True),
        sa.Column("kind", text, nullable=False),
        sa.CheckConstraint("kind IN ('human', 'simulated')", name="process_kind"),
        sa.UniqueConstraint("id", "kind"),
    )
    sa.Table(
        "imports",
        meta,
        sa.Column("digest", text, primary_key=True),
        sa.Column("process", text, nullable=False),
        sa.Column("kind", text, nullable=False),
        sa.Column("process_record", text, sa.ForeignKey("records.digest"), nullable=False),
        sa.Column("roots", text, nullable=False),
        sa.UniqueConstraint("digest", "kind"),
        sa.ForeignKeyConstraint(["process", "kind"], ["processes.id", "processes.kind"]),
    )

    def keyed(columns: str) -> list[sa.Column[object] | sa.schema.SchemaItem]:
        """Return the columns of a keyed row; an erased one keeps only its place and leaf."""
        names = columns.split()
        whole = " AND ".join(f"{name} IS NOT NULL" for name in names)
        erased = " AND ".join(f"{name} IS NULL" for name in names)
        return [
            sa.Column("import", text, primary_key=True),
            sa.Column("place", integer, primary_key=True, autoincrement=False),
            sa.Column("kind", text, nullable=False),
            sa.Column("leaf", blob, nullable=False),
            sa.Column("key", blob),
            sa.CheckConstraint("length(leaf) = 32"),
            sa.CheckConstraint(
                f"(key IS NOT NULL AND length(key) = 32 AND {whole}) OR (key IS NULL AND {erased})"
            ),
            sa.ForeignKeyConstraint(["import", "kind"], ["imports.digest", "imports.kind"]),
        ]

    sa.Table(
        "participants",
        meta,
        *keyed("id json"),
        sa.Column("id", text),
        sa.Column("json", text),
        sa.UniqueConstraint("import", "id", "kind"),
    )
    sa.Table(
        "statements",
        meta,
        *keyed("id json"),
        sa.Column("id", text),
        sa.Column("json", text),
        sa.UniqueConstraint("import", "id"),
    )
    by_participant = (
        ["import", "participant", "kind"],
        ["participants.import", "participants.id", "participants.kind"],
    )
    sa.Table(
        "votes",
        meta,
        *keyed("participant statement value at"),
        sa.Column("participant", text),
        sa.Column("statement", text),
        sa.Column("value", text),
        sa.Column("at", sa.BigInteger),
        sa.CheckConstraint("value IN ('agree', 'disagree', 'pass')"),
        sa.UniqueConstraint("import", "participant", "statement"),
        sa.ForeignKeyConstraint(*by_participant),
        sa.ForeignKeyConstraint(["import", "statement"], ["statements.import", "statements.id"]),
    )
    sa.Table(
        "comparisons",
        meta,
        *keyed("participant scene norm authority choice at"),
        sa.Column("participant", text),
        sa.Column("scene", text),
        sa.Column("norm", text),
        sa.Column("authority", text),
        sa.Column("choice", text),
        sa.Column("at", sa.BigInteger),
        sa.CheckConstraint("choice IN ('perform', 'decline', 'tie')"),
        sa.UniqueConstraint("import", "participant", "scene", "norm", "authority"),
        sa.ForeignKeyConstraint(*by_participant),
    )
    meta.create_all(connection)


def m0002_signatures(connection: sa.Connection) -> None:
    """Signatures over statements about records; they stand outside records and results."""
    meta = sa.MetaData()
    sa.Table(
        "signatures",
        meta,
        sa.Column("payload", sa.Text, primary_key=True),
        sa.Column("keyid", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("statement", sa.Text, nullable=False),
        sa.Column("sig", sa.Text, nullable=False),
    )
    meta.create_all(connection)


def m0003_ballots(connection: sa.Connection) -> None:
    """Rankings, as keyed rows beside the votes and comparisons."""
    meta = sa.MetaData()
    text, integer, blob = sa.Text, sa.Integer, sa.LargeBinary
    # Only what the foreign keys below name; both tables are there already.
    sa.Table("imports", meta, sa.Column("digest", text), sa.Column("kind", text))
    sa.Table(
        "participants", meta,
        sa.Column("import", text), sa.Column("id", text), sa.Column("kind", text),
    )  # fmt: skip
    ballots = sa.Table(
        "ballots",
        meta,
        sa.Column("import", text, primary_key=True),
        sa.Column("place", integer, primary_key=True, autoincrement=False),
        sa.Column("kind", text, nullable=False),
        sa.Column("leaf", blob, nullable=False),
        sa.Column("key", blob),
        sa.Column("participant", text),
        sa.Column("number", integer),
        sa.Column("tiers", text),
        sa.CheckConstraint("length(leaf) = 32"),
        sa.CheckConstraint(
            "(key IS NOT NULL AND length(key) = 32 AND participant IS NOT NULL"
            " AND number IS NOT NULL AND tiers IS NOT NULL)"
            " OR (key IS NULL AND participant IS NULL AND number IS NULL AND tiers IS NULL)"
        ),
        sa.UniqueConstraint("import", "participant", "number"),
        sa.ForeignKeyConstraint(["import", "kind"], ["imports.digest", "imports.kind"]),
        sa.ForeignKeyConstraint(
            ["import", "participant", "kind"],
            ["participants.import", "participants.id", "participants.kind"],
        ),
    )
    ballots.create(connection)


def m0004_plans(connection: sa.Connection) -> None:
    """The steps of each whole run, so that a step the project no longer has can be told."""
    meta = sa.MetaData()
    sa.Table("runs", meta, sa.Column("seq", sa.Integer, primary_key=True))
    integer = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
    plans = sa.Table(
        "plans",
        meta,
        sa.Column("run", integer, sa.ForeignKey("runs.seq"), primary_key=True, autoincrement=False),
        sa.Column("stages", sa.Text, nullable=False),
    )
    plans.create(connection)


MIGRATIONS: tuple[Callable[[sa.Connection], None], ...] = (
    m0001_initial,
    m0002_signatures,
    m0003_ballots,
    m0004_plans,
)
"""Every step in order. Only ever appended to."""


_APPLIED = sa.table("migrations", sa.column("seq"), sa.column("name"))


def pending(connection: sa.Connection) -> Sequence[Callable[[sa.Connection], None]]:
    """Return the steps that are missing, in order; nothing is changed.

    Raises:
        InputError: if the database has steps this version does not know.
    """
    if not connection.dialect.has_table(connection, _APPLIED.name):
        return MIGRATIONS
    seen = tuple(connection.scalars(sa.select(_APPLIED.c.name).order_by(_APPLIED.c.seq)))
    known = tuple(step.__name__ for step in MIGRATIONS)
    if seen != known[: len(seen)]:
        raise InputError(
            [
                Fault(
                    where="the project's store",
                    expected=f"the migrations {', '.join(known)}",
                    seen=", ".join(seen),
                    do="It was made by another version of normwright; use that one or a newer one.",
                )
            ]
        )
    return MIGRATIONS[len(seen) :]


def migrate(connection: sa.Connection) -> tuple[str, ...]:
    """Apply the steps that are missing and return their names.

    The transaction is to be the only one that writes, so that of two openers one finds the work
    done.

    Raises:
        InputError: if the database has steps this version does not know.
    """
    missing = pending(connection)
    connection.execute(
        sa.text("CREATE TABLE IF NOT EXISTS migrations (seq INTEGER PRIMARY KEY, name TEXT)")
    )
    for seq, step in enumerate(missing, start=len(MIGRATIONS) - len(missing) + 1):
        step(connection)
        connection.execute(sa.insert(_APPLIED).values(seq=seq, name=step.__name__))
    return tuple(step.__name__ for step in missing)
