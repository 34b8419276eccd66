"""The store of a project: a database, and the objects beside it."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

import sqlalchemy as sa

import normwright.records as records
from normwright.records import (
    Ballot,
    Comparison,
    Consultation,
    Digest,
    Fault,
    InputError,
    IntegrityError,
    Participant,
    Process,
    ProcessKind,
    Record,
    Statement,
    Vote,
    canonical_json,
    digest_json,
)
from normwright.store import merkle
from normwright.store.address import Address
from normwright.store.backend import Backend
from normwright.store.consultations import (
    PreparedImport,
    Rows,
    canonical_row,
    import_of,
    read_ballots,
)
from normwright.store.envelopes import SignedStatement, signature_payload
from normwright.store.ledger import Entry, clock_fault, clock_payload, link
from normwright.store.migrations import migrate, pending
from normwright.store.objects import ObjectStore
from normwright.store.postgresql import PostgreSQLSchema
from normwright.store.sealed import check_current
from normwright.store.sqlite import SQLiteFile
from normwright.store.tables import (
    EXPORTS,
    IMPORTS,
    LEDGER,
    PLANS,
    PROCESSES,
    RECORDS,
    RESULTS,
    ROWS,
    RUN_STEPS,
    RUNS,
    SIGNATURES,
)

FOLDER = ".normwright"
"""The folder of a project that the store lives in."""

_KEYED_ROWS = (Ballot, Comparison, Participant, Vote)
_BATCH = 500
_NO_ROWS = merkle.root([])
_HEXADECIMAL = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class StoredRecord:
    """A record as it is stored, unvalidated: for readers that must not trust it."""

    digest: Digest
    kind: str
    json: str
    stage: str


@dataclass(frozen=True)
class StageResult:
    """What one step made, under the key of everything that could have changed it."""

    key: Digest
    stage: str
    inputs: dict[str, Any]
    parameters: dict[str, Any]
    code: Digest
    seed: int
    made: tuple[Digest, ...]
    """Digests of records and objects, in the order they were made."""
    objects: tuple[Digest, ...]
    """Objects that were stored on the way, for example the files of a model."""
    exports: dict[str, Digest]
    """Files written for people: digest by path relative to the project."""
    seconds: float
    created: str


@dataclass(frozen=True)
class Run:
    """One run of a project."""

    seq: int
    """Its number, from 1."""
    started: str
    ended: str | None
    """None where it was stopped, or is at work."""


@dataclass(frozen=True)
class RunStep:
    """One step of one run: which result it rests on, and whether that was there already."""

    run: int
    stage: str
    key: Digest
    skipped: bool
    seconds: float


@dataclass(frozen=True)
class RunPlan:
    """The steps of a run that left none out: all that the project had then."""

    run: int
    stages: tuple[str, ...]


@dataclass(frozen=True)
class KeyedRow:
    """One row under a leaf, as verification sees it: its place, not what it says."""

    table: str
    place: int
    leaf: bytes
    seen: bytes | None
    """The leaf recomputed from the row and its key, or None where the row was erased."""


@dataclass(frozen=True)
class StoredImport:
    """One import and the Merkle roots it was stored with."""

    digest: Digest
    process: str
    kind: ProcessKind
    process_record: Digest
    """Digest of the Process record."""
    roots: dict[str, Digest]


class Store:
    """Records, results, runs, rows and ledger in a database; bytes in the object store.

    Writing methods join the transaction that is open, or make one of their own. Use
    `with store.transaction():` to make several of them one.
    """

    def __init__(
        self,
        backend: Backend,
        objects: ObjectStore,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.backend = backend
        self.objects = objects
        self._now = now
        self._open: sa.Connection | None = None

    @classmethod
    def open(
        cls,
        project: Path,
        *,
        address: Address | None = None,
        create: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Self:
        """Open the store of a project directory and bring its schema up to date.

        Args:
            project: The project directory; objects, and without an address the database, lie in
                its `.normwright` folder.
            address: A PostgreSQL database in place of the SQLite file.
            create: Make the store if there is none. If false and nothing can be written there, the
                store is opened for reading alone.
            now: The clock for ledger entries and results.

        Raises:
            InputError: if there is no store and `create` is false, if it was made by a newer
                version, or if it belongs to another project.
            PlaceError: if the disk is full, or the file may not be read.
            IntegrityError: if the file is not a readable database.
            MissingExtra: if the driver for PostgreSQL is not installed.
            StoreError: if the server cannot be reached or refuses us.
        """
        folder = project / FOLDER
        backend = _backend(project, address, create=create)
        if not create and not backend.known():
            raise InputError([_never_run(project, backend, "no such store")])
        if not backend.sealed:
            folder.mkdir(exist_ok=True)
        store = cls(backend, ObjectStore(folder / "objects"), now=now)
        try:
            with store._reading() as connection:
                there = backend.there(connection)
                missing = pending(connection) if there else ()
            if not there and not create:
                raise InputError([_never_run(project, backend, "no such store any more")])
            if backend.sealed:
                check_current([step.__name__ for step in missing], backend.name)
            # A store that is up to date is opened without waiting for a writer.
            elif missing or not there:
                with store.transaction() as connection:
                    backend.make(connection)
                    migrate(connection)
        except BaseException:
            store.close()
            raise
        return store

    @staticmethod
    def made(project: Path, *, address: Address | None = None) -> bool:
        """Say whether a project has a store there, as far as its directory tells."""
        return _backend(project, address).known()

    @property
    def engine(self) -> sa.Engine:
        """The engine of the database."""
        return self.backend.engine

    @property
    def name(self) -> str:
        """What the database is called in messages; never with a password."""
        return self.backend.name

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Join what is written inside into one transaction: all of it is stored, or none.

        Raises:
            StoreError: if the database cannot be reached or is lost on the way. Nothing is tried
                again: what was read inside may no longer hold.
        """
        if self._open is not None:
            yield self._open
            return
        try:
            with self.backend.connect() as connection:
                writing = connection.execution_options(writes=True)
                with writing.begin():
                    self._open = writing
                    try:
                        yield writing
                    finally:
                        self._open = None
        except self.backend.errors as error:
            if (said := self.backend.error(error)) is not None:
                raise said from error
            raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Have everything that is read inside come from one moment, whatever a run writes then."""
        if self._open is not None:
            yield
            return
        with self._reading() as connection:
            connection.begin()
            self._open = connection
            try:
                yield
            finally:
                self._open = None  # closing rolls back; there is nothing to commit

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        if self._open is not None:
            yield self._open
            return
        try:
            with self.backend.connect() as connection:
                yield connection
        except self.backend.errors as error:
            said = self.backend.error(error)
            cause = getattr(error, "orig", None) or error
            raise said or IntegrityError(f"{self.name} cannot be read: {cause}") from error

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """Read from one state of the database; inside a transaction, from its own."""
        return self._reading()

    # Records

    def put_records(self, stage: str, made: Iterable[Record]) -> tuple[Digest, ...]:
        """Store records and return their digests; one that is there already is left as it is.

        Raises:
            IntegrityError: for votes, comparisons, ballots and participants. The plain digest of
                one could be guessed, so they are stored as keyed rows by `save_consultation`.
        """
        rows: dict[Digest, dict[str, str]] = {}
        digests = []
        for record in made:
            if isinstance(record, _KEYED_ROWS):
                raise IntegrityError(
                    f"a {type(record).__name__} is stored as a keyed row, not as a record"
                )
            digest = record.digest
            digests.append(digest)
            rows[digest] = {
                "digest": digest,
                "kind": type(record).__name__,
                "json": canonical_json(record.model_dump(mode="json")),
                "stage": stage,
            }
        with self.transaction() as connection:
            new = [rows[digest] for digest in rows.keys() - self._present(connection, rows)]
            if new:
                connection.execute(sa.insert(RECORDS), sorted(new, key=lambda row: row["digest"]))
        return tuple(digests)

    def record(self, digest: Digest, kind: type[R]) -> R:
        """Return one record of the given type, checked against its digest.

        Raises:
            IntegrityError: if it is not there, is of another type, or has been changed.
        """
        stored = self.stored([digest]).get(digest)
        if stored is None or stored.kind != kind.__name__:
            seen = "nothing" if stored is None else f"a {stored.kind}"
            raise IntegrityError(f"expected a {kind.__name__} under {digest}, found {seen}")
        return _checked(stored, kind)

    def records(self, digests: Iterable[Digest], kind: type[R]) -> tuple[R, ...]:
        """Return the records of one kind among `digests`, in their order.

        Raises:
            IntegrityError: if one of them has been changed.
        """
        named = tuple(digests)
        stored = self.stored(named)
        return tuple(
            _checked(stored[digest], kind)
            for digest in named
            if digest in stored and stored[digest].kind == kind.__name__
        )

    def stored(self, digests: Iterable[Digest]) -> dict[Digest, StoredRecord]:
        """Return the stored records among `digests`, unvalidated."""
        wanted = list(dict.fromkeys(digests))
        found: dict[Digest, StoredRecord] = {}
        with self._reading() as connection:
            for start in range(0, len(wanted), _BATCH):
                batch = wanted[start : start + _BATCH]
                for row in connection.execute(
                    sa.select(RECORDS).where(RECORDS.c.digest.in_(batch))
                ):
                    found[row.digest] = StoredRecord(row.digest, row.kind, row.json, row.stage)
        return found

    def all_stored(self, kind: str | None = None) -> Iterator[StoredRecord]:
        """Yield every stored record (of one kind), unvalidated, by digest."""
        query = sa.select(RECORDS).order_by(RECORDS.c.digest)
        if kind is not None:
            query = query.where(RECORDS.c.kind == kind)
        with self._reading() as connection:
            for row in connection.execute(query):
                yield StoredRecord(row.digest, row.kind, row.json, row.stage)

    def starting_with(self, prefix: Digest) -> tuple[Digest, ...]:
        """Return the digests of records that begin with `prefix`."""
        begun = sa.func.substr(RECORDS.c.digest, 1, len(prefix)) == prefix
        query = sa.select(RECORDS.c.digest).where(begun)
        with self._reading() as connection:
            return tuple(connection.scalars(query.order_by(RECORDS.c.digest)))

    def naming(self, digest: Digest) -> tuple[StoredRecord, ...]:
        """Return the records whose content mentions `digest`."""
        query = sa.select(RECORDS).where(RECORDS.c.json.contains(digest))
        with self._reading() as connection:
            return tuple(
                StoredRecord(row.digest, row.kind, row.json, row.stage)
                for row in connection.execute(query.order_by(RECORDS.c.digest))
            )

    def _present(self, connection: sa.Connection, digests: Iterable[Digest]) -> set[Digest]:
        wanted, present = list(digests), set[Digest]()
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            query = sa.select(RECORDS.c.digest).where(RECORDS.c.digest.in_(batch))
            present.update(connection.scalars(query))
        return present

    # Results and runs

    def put_result(self, result: StageResult) -> None:
        """Store what a step made, with its ledger entry, in place of an earlier result."""
        row = {
            "key": result.key,
            "stage": result.stage,
            "inputs": canonical_json(result.inputs),
            "parameters": canonical_json(result.parameters),
            "code": result.code,
            "seed": result.seed,
            "made": canonical_json(result.made),
            "objects": canonical_json(result.objects),
            "exports": canonical_json(result.exports),
            "seconds": result.seconds,
            "created": result.created,
        }
        payload = result_payload(result)
        with self.transaction() as connection:
            # A result is made again, under the same key, only after what it made was lost.
            if (earlier := self.result(result.key)) is None:
                connection.execute(sa.insert(RESULTS).values(row))
            else:
                connection.execute(
                    sa.update(RESULTS).where(RESULTS.c.key == result.key).values(row)
                )
                if (old := result_payload(earlier)) != payload:
                    self.append("replaced", old)
            self.append("result", payload)

    def result(self, key: Digest) -> StageResult | None:
        """Return the result under `key`, if there is one."""
        with self._reading() as connection:
            row = connection.execute(sa.select(RESULTS).where(RESULTS.c.key == key)).first()
        return None if row is None else _result(row)

    def results(self) -> tuple[StageResult, ...]:
        """Return every result, in the order of their time and key."""
        query = sa.select(RESULTS).order_by(RESULTS.c.created, RESULTS.c.key)
        with self._reading() as connection:
            return tuple(_result(row) for row in connection.execute(query))

    def begin_run(self) -> int:
        """Open a new run and return its number."""
        with self.transaction() as connection:
            last = connection.scalar(sa.select(sa.func.max(RUNS.c.seq)))
            seq = (last or 0) + 1
            connection.execute(sa.insert(RUNS).values(seq=seq, started=self.timestamp()))
        return seq

    def end_run(self, run: int, *, plan: Sequence[str] | None = None) -> None:
        """Mark a run as ended; with `plan`, all the steps there are, as one that left none out."""
        with self.transaction() as connection:
            if plan is not None:
                connection.execute(
                    sa.insert(PLANS).values(run=run, stages=canonical_json(list(plan)))
                )
            connection.execute(
                sa.update(RUNS).where(RUNS.c.seq == run).values(ended=self.timestamp())
            )

    def put_run_step(self, step: RunStep) -> None:
        """Write down that a run made or skipped a step."""
        with self.transaction() as connection:
            place = connection.scalar(
                sa.select(sa.func.count()).select_from(RUN_STEPS).where(RUN_STEPS.c.run == step.run)
            )
            connection.execute(
                sa.insert(RUN_STEPS).values(
                    run=step.run,
                    place=place,
                    stage=step.stage,
                    key=step.key,
                    skipped=int(step.skipped),
                    seconds=step.seconds,
                )
            )

    def runs(self) -> tuple[Run, ...]:
        """Return every run the store tells of, the first one first."""
        with self._reading() as connection:
            rows = connection.execute(sa.select(RUNS).order_by(RUNS.c.seq))
            return tuple(Run(row.seq, row.started, row.ended) for row in rows)

    def run_steps(self) -> tuple[RunStep, ...]:
        """Return every step of every run, in the order they were made or skipped."""
        query = sa.select(RUN_STEPS).order_by(RUN_STEPS.c.run, RUN_STEPS.c.place)
        with self._reading() as connection:
            return tuple(
                RunStep(row.run, row.stage, row.key, bool(row.skipped), row.seconds)
                for row in connection.execute(query)
            )

    def current_steps(self, run: int | None = None) -> dict[str, RunStep]:
        """Return, for each step the project has, where it stood when last reached.

        A step that the last whole run did not have any more was dropped from the project, unless a
        later run reached it again.

        Args:
            run: Look back to the end of this run; None is now.
        """
        upto = [step for step in self.run_steps() if run is None or step.run <= run]
        plan = self.last_plan(run)
        return {
            step.stage: step
            for step in upto
            if plan is None or step.stage in plan.stages or step.run > plan.run
        }

    def last_plan(self, run: int | None = None) -> RunPlan | None:
        """Return what the last whole run (up to `run`) went through; None if none is known."""
        query = sa.select(PLANS).order_by(PLANS.c.run.desc()).limit(1)
        if run is not None:
            query = query.where(PLANS.c.run <= run)
        with self._reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else RunPlan(row.run, tuple(json.loads(row.stages)))

    def let_go(
        self, keys: Iterable[Digest], *, records: Iterable[Digest], runs: Iterable[int]
    ) -> None:
        """Remove results, records and runs from the books, with a ledger entry for each result."""
        with self.transaction() as connection:
            for run in runs:
                connection.execute(sa.delete(PLANS).where(PLANS.c.run == run))
                connection.execute(sa.delete(RUN_STEPS).where(RUN_STEPS.c.run == run))
                connection.execute(sa.delete(RUNS).where(RUNS.c.seq == run))
            for key in keys:
                if (result := self.result(key)) is not None:
                    connection.execute(sa.delete(RESULTS).where(RESULTS.c.key == key))
                    self.append("gc", result_payload(result))
            for digest in records:
                connection.execute(sa.delete(RECORDS).where(RECORDS.c.digest == digest))

    def shrink(self) -> None:
        """Give the room of removed rows back to the disk, where that takes an act of its own."""
        if self.engine.dialect.name != "sqlite":
            return
        connection = self.engine.raw_connection()
        try:
            connection.driver_connection.execute("VACUUM")  # type: ignore[union-attr]
            connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
        except sqlite3.OperationalError as error:
            # It needs as much room again for a moment. Without it the rows to come fill the gaps.
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY):
                raise
        finally:
            connection.close()

    def digests_elsewhere(self) -> set[Digest]:
        """Return every digest in the tables beside records, results, runs and people's rows.

        Whatever keeps a table of its own, of signatures for example, thereby keeps what it names;
        also where it writes a digest as 64 hexadecimal digits alone.
        """
        aside = {"records", "results", "runs", "run_steps", "plans", "migrations", *ROWS}
        found: set[Digest] = set()
        with self._reading() as connection:
            for name in sa.inspect(connection).get_table_names():
                if name in aside:
                    continue
                for row in connection.execute(sa.select(sa.text("*")).select_from(sa.table(name))):
                    for value in row:
                        if isinstance(value, str):
                            found.update(f"sha256:{one}" for one in _HEXADECIMAL.findall(value))
        return found

    # Exports

    def put_exports(self, files: Mapping[str, Digest]) -> None:
        """Write down which bytes the files made for people should hold, by relative path."""
        with self.transaction() as connection:
            for path, digest in files.items():
                connection.execute(sa.delete(EXPORTS).where(EXPORTS.c.path == path))
                connection.execute(sa.insert(EXPORTS).values(path=path, digest=digest))

    def drop_export(self, path: str) -> None:
        """Forget a file made for people, because what it was about no longer stands."""
        with self.transaction() as connection:
            connection.execute(sa.delete(EXPORTS).where(EXPORTS.c.path == path))

    def exports(self) -> dict[str, Digest]:
        """Return the digests that the files made for people should have, by relative path."""
        with self._reading() as connection:
            rows = connection.execute(sa.select(EXPORTS).order_by(EXPORTS.c.path))
            return {row.path: row.digest for row in rows}

    # Signatures

    def put_signature(self, one: SignedStatement) -> None:
        """Store a signature with its ledger entry.

        Raises:
            IntegrityError: if that key has signed that statement; nothing is signed twice.
        """
        with self.transaction() as connection:
            try:
                connection.execute(sa.insert(SIGNATURES).values(vars(one)))
            except sa.exc.IntegrityError as error:
                raise IntegrityError(f"{one.keyid} has signed {one.payload} already") from error
            self.append("signature", signature_payload(one))

    def signatures(self) -> tuple[SignedStatement, ...]:
        """Return every signature, by statement and key, unchecked."""
        query = sa.select(SIGNATURES).order_by(SIGNATURES.c.payload, SIGNATURES.c.keyid)
        with self._reading() as connection:
            # As text, whatever was put there: what it is worth is for the reader to find out.
            return tuple(
                SignedStatement(*(str(value) for value in row)) for row in connection.execute(query)
            )

    # Ledger

    def append(self, kind: str, payload: Digest) -> Entry:
        """Add an entry to the ledger. `payload` is a digest, never content.

        Raises:
            InputError: if the clock stands before the last entry.
        """
        with self.transaction() as connection:
            last, now = self.last_entry(), self._now()
            if kind != "clock" and (fault := clock_fault(last, now)) is not None:
                raise InputError([fault])
            entry = link(last, kind=kind, payload=payload, at=_timestamp(now))
            connection.execute(sa.insert(LEDGER).values(vars(entry)))
        return entry

    def check_clock(self, *, accept: bool = False) -> None:
        """Check that the clock does not stand before the last entry of the ledger.

        Args:
            accept: Have the ledger say that its clock was ahead before, and go on from now.

        Raises:
            InputError: naming both times.
        """
        with self.transaction():
            last, now = self.last_entry(), self._now()
            fault = clock_fault(last, now)
            if fault is not None and accept and clock_fault(None, now) is None:
                assert last is not None  # without an entry there is nothing to stand before
                self.append("clock", clock_payload(last.at, _timestamp(now)))
            elif fault is not None:
                raise InputError([fault])

    def last_entry(self) -> Entry | None:
        """Return the last entry of the ledger, if there is one."""
        query = sa.select(LEDGER).order_by(LEDGER.c.seq.desc()).limit(1)
        with self._reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else _entry(row)

    def ledger(self) -> tuple[Entry, ...]:
        """Return the entries of the ledger in order."""
        with self._reading() as connection:
            return tuple(
                _entry(row) for row in connection.execute(sa.select(LEDGER).order_by(LEDGER.c.seq))
            )

    # Consultations

    def save_consultation(self, prepared: PreparedImport) -> dict[str, Digest]:
        """Store the rows of an import in one transaction and return the Merkle root by table.

        An import that is there already is left as it is.

        Raises:
            InputError: if the process is known as one of the other kind. A human process never
                takes in simulated participants, nor the other way round.
        """
        process = prepared.process
        with self.transaction() as connection:
            seen = connection.scalar(
                sa.select(PROCESSES.c.kind).where(PROCESSES.c.id == process.id)
            )
            if seen not in (None, process.kind):
                raise InputError(
                    [
                        Fault(
                            where=f"process {process.id}: kind",
                            expected=f"{seen}, as this project already holds it",
                            seen=process.kind,
                            do="Human and simulated rows never mix; give the process another id.",
                        )
                    ]
                )
            if seen is None:
                connection.execute(sa.insert(PROCESSES).values(id=process.id, kind=process.kind))
            known = sa.select(IMPORTS.c.digest).where(IMPORTS.c.digest == prepared.digest)
            if connection.scalar(known) is None:
                self._insert_import(connection, prepared)
        return dict(prepared.roots)

    def _insert_import(self, connection: sa.Connection, prepared: PreparedImport) -> None:
        process = prepared.process
        (record,) = self.put_records("elicit", [process])
        digest = prepared.digest
        connection.execute(
            sa.insert(IMPORTS).values(
                {
                    "digest": digest,
                    "process": process.id,
                    "kind": process.kind,
                    "process_record": record,
                    "roots": canonical_json(prepared.roots),
                }
            )
        )
        for name, table in ROWS.items():
            if rows := prepared.rows[name]:
                connection.execute(sa.insert(table), [{"import": digest, **row} for row in rows])
        self.append("import", import_payload(digest, record))

    def imports(self) -> tuple[StoredImport, ...]:
        """Return every import with the roots it was stored with."""
        with self._reading() as connection:
            rows = connection.execute(sa.select(IMPORTS).order_by(IMPORTS.c.digest))
            return tuple(
                StoredImport(
                    row.digest, row.process, row.kind, row.process_record, json.loads(row.roots)
                )
                for row in rows
            )

    def rows(self, consultation: Consultation) -> Rows:
        """Return the rows a consultation is the receipt of, without those that were erased.

        Raises:
            IntegrityError: if the store holds no such import, or a row no longer fits its leaf,
                or the leaves no longer fit the roots of the receipt.
        """
        digest = import_of(consultation)
        imported = next((one for one in self.imports() if one.digest == digest), None)
        if imported is None:
            raise IntegrityError(
                f"the rows of consultation {consultation.digest} are not in the store"
            )
        kept = {table: self._checked(imported, table) for table in ROWS}
        return Rows(
            process=self.record(imported.process_record, Process),
            participants=tuple(
                Participant.model_validate_json(row["json"]) for row in kept["participants"]
            ),
            statements=tuple(
                Statement.model_validate_json(row["json"]) for row in kept["statements"]
            ),
            votes=tuple(Vote.model_validate(row) for row in kept["votes"]),
            comparisons=tuple(Comparison.model_validate(row) for row in kept["comparisons"]),
            ballots=read_ballots(kept["ballots"]),
        )

    def _checked(self, imported: StoredImport, table: str) -> list[dict[str, Any]]:
        """Return the columns of the rows of one table that are not erased, proved by the root."""
        rows = list(self._raw(imported, table))
        for row in rows:
            if _recomputed(imported, table, row) not in (row["leaf"], None):
                place = f"row {row['place']} of {table} in process {imported.process}"
                raise IntegrityError(f"{place} is not what was imported")
        if merkle.root([row["leaf"] for row in rows]) != imported.roots.get(table, _NO_ROWS):
            raise IntegrityError(f"the {table} of process {imported.process} do not fit their root")
        return [_content(row) for row in rows if row["key"] is not None]

    def keyed_rows(self, imported: StoredImport) -> Iterator[KeyedRow]:
        """Yield every row of an import with its leaf as stored and as recomputed."""
        for table in ROWS:
            for row in self._raw(imported, table):
                seen = _recomputed(imported, table, row)
                yield KeyedRow(table, row["place"], row["leaf"], seen)

    def _raw(self, imported: StoredImport, table: str) -> Iterator[dict[str, Any]]:
        rows = ROWS[table]
        query = sa.select(rows).where(rows.c["import"] == imported.digest).order_by(rows.c.place)
        with self._reading() as connection:
            found = connection.execute(query)
            names = tuple(found.keys())
            for row in found:
                yield dict(zip(names, row, strict=True))

    def row_counts(self, imported: Digest) -> dict[str, tuple[int, int]]:
        """Return how many rows an import has in each table, and how many of them are erased."""
        counts = {}
        with self._reading() as connection:
            for name, table in ROWS.items():
                query = sa.select(sa.func.count(), sa.func.count(table.c.key))
                total, kept = connection.execute(query.where(table.c["import"] == imported)).one()
                counts[name] = (total, total - kept)
        return counts

    def check_undisturbed(self) -> None:
        """Check that nobody wrote to a store that is read without any protection against it.

        To be asked before something is said to be wrong with it.

        Raises:
            PlaceError: if somebody did.
        """
        if (said := self.backend.disturbance()) is not None:
            raise said

    def damage(self) -> tuple[str, ...]:
        """Return what the database engine itself finds wrong with itself, in its words."""
        with self._reading() as connection:
            return tuple(self.backend.damage(connection))

    def timestamp(self) -> str:
        """Return the store's present time in UTC, ISO 8601."""
        return _timestamp(self._now())


def record_digest(stored: StoredRecord) -> Digest:
    """Recompute the digest of a stored record from its JSON alone.

    Raises:
        ValueError: if the JSON does not parse or the kind is not a record.
    """
    kind = getattr(records, stored.kind, None)
    if not (isinstance(kind, type) and issubclass(kind, Record)):
        raise ValueError(f"{stored.kind} is not a record")
    body = json.loads(stored.json)
    if not isinstance(body, dict):
        raise ValueError("the JSON of a record is an object")
    counted = {name: value for name, value in body.items() if name not in kind.outside_digest}
    return digest_json({"record": stored.kind, **counted})


def _checked(stored: StoredRecord, kind: type[R]) -> R:
    """Return a stored record, proved by the JSON it was stored as.

    A kind may gain a field with a default: the record then has one more than its JSON, and is
    still the one that was stored.
    """
    try:
        seen = record_digest(stored)
    except ValueError as error:
        raise IntegrityError(f"{kind.__name__} {stored.digest}: {error}") from error
    if seen != stored.digest:
        raise IntegrityError(f"{kind.__name__} {stored.digest} now has digest {seen}")
    return kind.model_validate_json(stored.json)


def result_payload(result: StageResult) -> Digest:
    """Return the digest under which a result stands in the ledger: its key and what it made."""
    return digest_json(
        {
            "key": result.key,
            "made": result.made,
            "objects": result.objects,
            "exports": result.exports,
        }
    )


def import_payload(imported: Digest, process_record: Digest) -> Digest:
    """Return the digest under which an import stands in the ledger."""
    return digest_json({"import": imported, "process": process_record})


def _recomputed(imported: StoredImport, table: str, row: Mapping[str, Any]) -> bytes | None:
    """Return the leaf a row has now: None if it is erased, empty if it has none at all."""
    if row["key"] is None:
        return None
    try:
        content = canonical_row(imported.process, row["kind"], table, _content(row))
        return merkle.leaf_of_text(row["key"], content)
    except (TypeError, ValueError):  # a key or a text that is no longer one
        return b""


def _content(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row's own columns, without those of the store."""
    aside = ("import", "place", "kind", "leaf", "key")
    return {name: value for name, value in row.items() if name not in aside}


def _result(row: sa.Row[Any]) -> StageResult:
    return StageResult(
        key=row.key,
        stage=row.stage,
        inputs=json.loads(row.inputs),
        parameters=json.loads(row.parameters),
        code=row.code,
        seed=row.seed,
        made=tuple(json.loads(row.made)),
        objects=tuple(json.loads(row.objects)),
        exports=json.loads(row.exports),
        seconds=row.seconds,
        created=row.created,
    )


def _timestamp(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="seconds")


def _entry(row: sa.Row[Any]) -> Entry:
    return Entry(row.seq, row.previous, row.kind, row.payload, row.at, row.digest)


def _backend(project: Path, address: Address | None, *, create: bool = True) -> Backend:
    folder = project / FOLDER
    if address is None:
        return SQLiteFile(folder / "store.db", writes=create)
    return PostgreSQLSchema(address, folder / "store.id")


def _never_run(project: Path, backend: Backend, seen: str) -> Fault:
    return Fault(
        where=f"{project}: {backend.name}",
        expected="the store of a project that has been run",
        seen=seen,
        do=f"Run the project first: normwright run {project}",
    )
