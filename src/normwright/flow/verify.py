"""Recompute a project from what is on disk, offline, and name everything that does not fit."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from normwright.flow.engine import result_key
from normwright.flow.history import settled
from normwright.flow.marks import marked_now
from normwright.flow.permits import GIVEN, Permitting, signature_faults
from normwright.flow.project import load_project
from normwright.flow.receipts import body_of, held_objects, title_of
from normwright.flow.signed import Books, Signatures, weigh
from normwright.flow.signing import kinds_made
from normwright.flow.statements import KINDS, Kind
from normwright.flow.stores import open_store
from normwright.flow.withdrawal import unfinished, unfinished_in
from normwright.records import (
    Consultation,
    Dataset,
    Digest,
    Fault,
    InputError,
    IntegrityError,
    Permit,
    Withdrawal,
)
from normwright.store import (
    FOLDER,
    WITHDRAWAL,
    Entry,
    KeyHome,
    StageResult,
    Store,
    StoredImport,
    file_digest,
    first_break,
    import_digest,
    import_of,
    import_payload,
    record_digest,
    result_payload,
    root,
    set_back,
    signature_payload,
    withdrawals,
)

_FILE = f"{FOLDER}/store.db"
"""Where the database lies that could not even be opened; a server says itself what is wrong."""
_WITHDRAWN = "a withdrawal that tells of the erased row"


@dataclass(frozen=True)
class Verification:
    """What was checked and what did not fit."""

    checked: int
    """Records, rows, objects, files, links and keys that were recomputed or looked for."""
    erased: int
    """Rows whose content and key were destroyed; their leaves still carry the root."""
    faults: tuple[Fault, ...]
    signatures: Signatures = field(default_factory=Signatures)
    """Who has signed what stands, by the keys that count on this machine."""
    marked: int = 0
    """Things among the present results that rest on rows somebody withdrew."""

    def as_json(self) -> dict[str, Any]:
        """Return the verification as one JSON value."""
        return {
            "checked": self.checked,
            "erased": self.erased,
            "marked": self.marked,
            "faults": [
                {
                    "digest": fault.digest,
                    "where": fault.where,
                    "expected": fault.expected,
                    "seen": fault.seen,
                    "do": fault.do,
                }
                for fault in self.faults
            ],
            **self.signatures.as_json(),
        }


def verify(
    project: Path,
    *,
    directories: Sequence[Path] = (),
    home: KeyHome | None = None,
    require_signed: bool = False,
) -> Verification:
    """Recompute every digest, root, key, link and signature of a project and compare.

    Nothing is trusted but the arithmetic and the keys of this machine's key home: records are
    hashed from their JSON, objects and exported files from their bytes, Merkle roots from the rows,
    keys from what they stand for, the sources on disk are compared with those the present results
    were made from, and what was signed is computed again and compared with what is stored.

    What it cannot show: whoever rewrites everything, consistently, ends with another digest at the
    top, which only a signature ties to a person. A whole project put back to an earlier state that
    its signers did sign verifies, because it was once true: compare the end of the ledger with one
    you were told. Nor can it show when something was signed, only that it was signed after what its
    statement names and, by the ledger of whoever ran the project, before what follows.

    Args:
        project: The project directory.
        directories: Where model files may lie that are not in the project's own store.
        home: Whose keys count; None is this machine's key home.
        require_signed: Whatever a project with these parts makes of criteria, policy and verdict
            must be signed by a key that counts.

    Raises:
        InputError: if the project was never run, or the keys of this machine cannot be used.
        PlaceError: if something does not fit, but the store can only be read here, and whoever can
            write to it did so meanwhile.
    """
    home = KeyHome.here() if home is None else home
    home.outside(project)
    try:
        with open_store(project, create=False) as store, store.snapshot():
            found = _Verifier(project, store, directories, home, require_signed).all()
            if found.faults:
                store.check_undisturbed()
            return found
    except IntegrityError as error:
        fault = Fault(where=_FILE, expected="a readable database", seen=str(error))
        return Verification(checked=1, erased=0, faults=(fault,))


class _Verifier:
    """One verification: the counts and faults so far."""

    def __init__(
        self,
        project: Path,
        store: Store,
        directories: Sequence[Path],
        home: KeyHome,
        require_signed: bool,
    ) -> None:
        self.project = project
        self.store = store
        self.directories = directories
        self.home = home
        self.require_signed = require_signed
        self.signed = Signatures()
        self.checked = 0
        self.erased = 0
        self.marked = 0
        self.faults: list[Fault] = []
        self.bodies: dict[Digest, tuple[str, dict[str, Any]]] = {}
        self.sources: set[tuple[str, Digest]] = set()
        self.imports: dict[Digest, StoredImport] = {}
        self.results: dict[Digest, StageResult] = {}
        self.withdrawn: list[tuple[int, Withdrawal]] = []
        self.removed: set[Digest] = set()

    def all(self) -> Verification:
        """Check everything. What cannot even be read is a fault, and the rest is still checked."""
        for check in (
            self.database,
            self.withdrawals,
            self.records,
            self.objects,
            self.given,
            self.origins,
            self.rows,
            self.made,
            self.ledger,
            self.present,
            self.exports,
            self.signatures,
        ):
            try:
                check()
            except OSError as error:
                self.unreadable(error)
            except (InputError, IntegrityError, KeyError, TypeError, ValueError) as error:
                expected = f"{check.__name__} that can be read"
                seen = str(error) or type(error).__name__
                self.look(self.store.name, expected=expected, seen=seen)
        return Verification(self.checked, self.erased, tuple(self.faults), self.signed, self.marked)

    def unreadable(self, error: OSError) -> None:
        """Note that a file could not even be read."""
        where = os.path.relpath(error.filename or self.project, self.project)
        seen = error.strerror or type(error).__name__
        self.look(where, expected="a file that can be read", seen=seen)

    def look(
        self, where: str, *, expected: str, seen: str | None, digest: Digest | None = None
    ) -> bool:
        """Count one check; note a fault where the two differ."""
        self.checked += 1
        if expected == seen:
            return True
        self.faults.append(
            Fault(where=where, expected=expected, seen=seen or "nothing", digest=digest)
        )
        return False

    def database(self) -> None:
        """Ask the database engine whether its file is sound."""
        self.checked += 1
        self.faults += [
            Fault(where=self.store.name, expected="a sound database", seen=damage)
            for damage in self.store.damage()
        ]

    def withdrawals(self) -> None:
        """Read who withdrew, and what therefore rests on rows that are gone."""
        self.withdrawn = list(withdrawals(self.store))
        self.removed = {digest for _, one in self.withdrawn for digest in one.removed}
        self.marked = len(marked_now(self.store))
        if unfinished_in(self.project, self.store):
            self.checked += 1
            self.faults.append(unfinished())

    def records(self) -> None:
        """Hash every record from its JSON."""
        for stored in self.store.all_stored():
            where = f"{self.store.name}: records: {stored.kind}"
            try:
                body, seen = body_of(stored), record_digest(stored)
            except ValueError as error:
                self.look(where, expected="a record", seen=str(error), digest=stored.digest)
                continue
            where = f"{self.store.name}: records: {title_of(stored.kind, body)}"
            self.look(where, expected=stored.digest, seen=seen, digest=stored.digest)
            self.bodies[stored.digest] = (stored.kind, body)

    def objects(self) -> None:
        """Hash every object from its bytes, and look for those that records cannot do without."""
        users: dict[Digest, str] = {}
        for digest, (kind, body) in self.bodies.items():
            for name, held in held_objects(kind, body).items():
                if held in self.removed:
                    continue
                where = f"{title_of(kind, body)}: {name}"
                users.setdefault(held, f": {where}")
                self.look(where, expected=held, seen=self._found(name, held), digest=held)
            if kind == Dataset.__name__:
                self.dataset(digest, body)
        for digest in self.store.objects:
            place = self.store.objects.path(digest).relative_to(self.project).as_posix()
            seen = self.store.objects.rehash(digest)
            where = f"{place}{users.get(digest, '')}"
            self.look(where, expected=digest, seen=seen, digest=digest)

    def dataset(self, digest: Digest, body: Mapping[str, Any]) -> None:
        """Count the rows of a dataset."""
        content = str(body["content"])
        if self.store.objects.exists(content):
            with self.store.objects.open(content) as lines:
                rows = sum(1 for line in lines if line.strip())
            where = f"{title_of(Dataset.__name__, body)}: rows"
            self.look(where, expected=str(body["rows"]), seen=str(rows), digest=digest)

    def _found(self, name: str, digest: Digest) -> Digest | None:
        """Return the digest if its bytes are in the store, else that of the file of that name."""
        if self.store.objects.exists(digest) or digest in self.bodies:
            return digest  # hashed with all other objects and records
        seen = [file_digest(directory / name) for directory in self.directories]
        return digest if digest in seen else next(filter(None, seen), None)

    def given(self) -> None:
        """Check the signatures on a permit from outside that the present results rest on."""
        for result in settled(self.store).values():
            if GIVEN not in result.exports:
                continue
            data = self.store.objects.read(result.exports[GIVEN])
            self.checked += 1
            self.faults += signature_faults(data, GIVEN, self.home.known())
            permit = Permitting(envelope=data).permit().digest
            self.look(GIVEN, expected=permit, seen=permit if permit in result.made else None)

    def origins(self) -> None:
        """Look for everything that records say they were made from.

        A permit from outside rests on records that lie where it was given.
        """
        given = {d for one in self.store.results() if GIVEN in one.exports for d in one.made}
        imports = self.store.imports()
        known = {*self.bodies, *self.store.objects, *(one.digest for one in imports)}
        known.update(head for one in imports for head in one.roots.values())
        for kind, body in self.bodies.values():
            if kind == Consultation.__name__:
                known.update(body["sources"].values())
        for digest, (kind, body) in self.bodies.items():
            if digest in given and kind == Permit.__name__:
                continue
            for name in ("derived_from", "evidence"):
                for origin in body.get(name) or ():
                    seen = origin if origin in known else None
                    where = f"{title_of(kind, body)}: {name}"
                    self.look(where, expected=origin, seen=seen, digest=digest)

    def rows(self) -> None:
        """Recompute the leaf of every row, every root from the leaves, every import's name."""
        self.imports = {one.digest: one for one in self.store.imports()}
        for imported in self.imports.values():
            lawful = {
                (table, leaf)
                for _, one in self.withdrawn
                for table, theirs in one.leaves.get(imported.digest, {}).items()
                for leaf in theirs
            }
            of = f"process {imported.process}"
            leaves: dict[str, list[bytes]] = {table: [] for table in imported.roots}
            for row in self.store.keyed_rows(imported):
                leaves.setdefault(row.table, []).append(row.leaf)
                where = f"{self.store.name}: {row.table}: row {row.place} of {of}"
                withdrawn = (row.table, row.leaf.hex()) in lawful
                if row.seen is None:
                    self.erased += 1
                    self.look(where, expected=_WITHDRAWN, seen=_WITHDRAWN if withdrawn else None)
                    continue
                stored, seen = f"sha256:{row.leaf.hex()}", f"sha256:{row.seen.hex()}"
                if withdrawn:
                    seen = "a row that was withdrawn, back again"
                self.look(where, expected=stored, seen=seen, digest=stored)
            for table in leaves:
                head = imported.roots.get(table, root([]))
                where = f"{self.store.name}: {table}: root of {of}"
                self.look(where, expected=head, seen=root(leaves[table]), digest=head)
            name = import_digest(imported.process, imported.kind, imported.roots)
            where = f"{self.store.name}: imports: {of}"
            self.look(where, expected=imported.digest, seen=name, digest=imported.digest)

    def made(self) -> None:
        """Recompute the key of every result, and look for what was made under it."""
        self.results = {one.key: one for one in self.store.results()}
        for result in self.results.values():
            key = result_key(
                result.stage,
                inputs=result.inputs,
                parameters=result.parameters,
                code=result.code,
                seed=result.seed,
            )
            where = f"{self.store.name}: results: {result.stage}"
            self.look(where, expected=result.key, seen=key, digest=result.key)
            for digest in (*result.made, *result.objects, *result.exports.values()):
                there = (
                    digest in self.bodies
                    or digest in self.removed
                    or self.store.objects.exists(digest)
                )
                where = f"{result.stage}: made"
                self.look(where, expected=digest, seen=digest if there else None, digest=digest)

    def ledger(self) -> None:
        """Follow the chain, and see that it tells of exactly what is stored."""
        entries = self.store.ledger()
        self.checked += len(entries)
        if (fault := first_break(entries)) is not None:
            self.faults.append(fault)
        self.faults += set_back(entries)
        told = {(entry.kind, entry.payload) for entry in entries}
        stored = {
            ("import", import_payload(one.digest, one.process_record)): one.digest
            for one in self.imports.values()
        }
        stored |= {("result", result_payload(one)): one.key for one in self.results.values()}
        stored |= {
            ("signature", signature_payload(one)): one.payload for one in self.store.signatures()
        }
        stored |= {
            (WITHDRAWAL, digest): digest
            for digest, (kind, _) in self.bodies.items()
            if kind == Withdrawal.__name__
        }
        for (kind, payload), digest in stored.items():
            seen = payload if (kind, payload) in told else None
            self.look(f"ledger: {kind}", expected=payload, seen=seen, digest=digest)
        gone = _gone(entries)
        for entry in entries:
            if entry.kind == "result" and entry.payload in gone:
                continue
            if (
                entry.kind in ("import", "result", "signature", WITHDRAWAL)
                and (entry.kind, entry.payload) not in stored
            ):
                self.look(
                    f"ledger entry {entry.seq}: {entry.kind}",
                    expected=entry.payload,
                    seen=None,
                    digest=entry.digest,
                )

    def present(self) -> None:
        """Compare the sources on disk with those the present results were made from.

        A file that was written again because somebody withdrew is what that withdrawal says.
        """
        told = {e.payload: e.seq for e in self.store.ledger() if e.kind == "result"}
        for step in self.store.current_steps().values():
            if (result := self.results.get(step.key)) is None:
                continue  # named already, by the ledger
            since = told.get(result_payload(result), 0)
            for name, digest in result.inputs["files"].items():
                self.source(name, self.lawful(name, digest, since))
            for made in result.made:
                kind, body = self.bodies.get(made, ("", {}))
                if kind == Consultation.__name__:
                    self.consultation(made, body, since)

    def lawful(self, name: str, digest: Digest, since: int) -> Digest:
        """Return what a file has to be now that people withdrew after it was read."""
        for seq, one in self.withdrawn:
            change = one.sources.get(name)
            if seq > since and change is not None and change.before == digest:
                digest = change.after
        return digest

    def source(self, name: str, digest: Digest) -> None:
        """Compare one file of the project with what it was; one that two speak of, only once."""
        if (name, digest) not in self.sources:
            self.sources.add((name, digest))
            self.look(name, expected=digest, seen=file_digest(self.project / name), digest=digest)

    def consultation(self, digest: Digest, body: Mapping[str, Any], since: int) -> None:
        """Compare a receipt with its sources on disk and its rows in the store."""
        for name, source in body.get("sources", {}).items():
            self.source(name, self.lawful(name, source, since))
        try:
            consultation = Consultation.model_validate_json(json.dumps(body))
        except ValueError:
            return  # a receipt that was changed has been named with the records
        imported = import_of(consultation)
        where = f"Consultation {consultation.process}: rows"
        there = imported if imported in self.imports else None
        if not self.look(where, expected=imported, seen=there, digest=digest):
            return
        counts = self.store.row_counts(imported)
        for table in ("participants", "statements", "votes", "comparisons", "ballots"):
            self.look(
                f"Consultation {consultation.process}: {table}",
                expected=str(getattr(consultation, table)),
                seen=str(counts[table][0]),
                digest=digest,
            )

    def exports(self) -> None:
        """Hash the files that were written for people."""
        for name, digest in self.store.exports().items():
            seen = file_digest(self.project / name)
            if seen != digest and self.rewritten(name, digest):
                seen = digest
            self.look(name, expected=digest, seen=seen, digest=digest)

    def rewritten(self, name: str, digest: Digest) -> bool:
        """Say whether a run has written a file anew since this verification began to read.

        The store is read from one moment and files are not, so the store as it is by now is asked,
        before and after the file is read once more.
        """
        with open_store(self.project, create=False) as live:
            before = live.exports().get(name)
            seen = file_digest(self.project / name)
            after = live.exports().get(name)
        return seen in (digest, before, after)

    def signatures(self) -> None:
        """Weigh every signature by the keys of this machine, and compute again what it is over."""
        books = Books(
            signatures=self.store.signatures(),
            bodies=self.bodies,
            objects=self.store.objects.exists,
            results=tuple(self.results.values()),
            current=tuple(settled(self.store).values()),
            ledger=self.store.ledger(),
            exports=self.store.exports(),
        )
        required = self.to_sign() if self.require_signed else None
        weighed = weigh(self.project, books, known=self.home.known, required=required)
        self.checked += weighed.checked
        self.faults += weighed.faults
        self.signed = weighed.signatures

    def to_sign(self) -> Sequence[Kind]:
        """Return what a project with these parts makes that is signed; all, if nobody can say."""
        try:
            return kinds_made(load_project(self.project))
        except InputError:
            return KINDS


def _gone(entries: Sequence[Entry]) -> set[Digest]:
    """Return the results that were replaced or let go, and not made again since."""
    gone: set[Digest] = set()
    for entry in entries:
        if entry.kind in ("replaced", "gc"):
            gone.add(entry.payload)
        elif entry.kind == "result":
            gone.discard(entry.payload)
    return gone
