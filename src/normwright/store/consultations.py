"""The rows of a consultation: who took part, what was asked, what they said, each under a key."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from normwright.records import (
    NO_BALLOTS,
    Ballots,
    Comparison,
    Consultation,
    Digest,
    Fault,
    InputError,
    Participant,
    Process,
    ProcessKind,
    RankedTiers,
    Record,
    Statement,
    Vote,
    canonical,
    canonical_json,
    digest_json,
)
from normwright.store import merkle

ROW_ID: Mapping[str, tuple[str, ...]] = {
    "participants": ("id",),
    "statements": ("id",),
    "votes": ("participant", "statement"),
    "comparisons": ("participant", "scene", "norm", "authority"),
    "ballots": ("participant", "number"),
}
"""What names a row of each table within one import."""

ADDED = ("ballots",)
"""Tables that came after the first version: an import has a root of them only if it has rows, so
that an import without any keeps its name."""

_EXAMPLES = 5


@dataclass(frozen=True)
class Rows:
    """The rows of one import, read back. Erased rows are not among them."""

    process: Process
    participants: tuple[Participant, ...]
    statements: tuple[Statement, ...]
    votes: tuple[Vote, ...]
    comparisons: tuple[Comparison, ...]
    ballots: Ballots = NO_BALLOTS


@dataclass(frozen=True)
class PreparedImport:
    """Rows with their keys, leaves and Merkle roots, ready to be written in one transaction."""

    process: Process
    roots: dict[str, Digest]
    """Merkle root by table."""
    counts: dict[str, int]
    """Number of rows by table."""
    rows: dict[str, list[dict[str, Any]]] = field(repr=False)
    """Table -> rows as the database holds them, without the import's digest."""

    @property
    def digest(self) -> Digest:
        """The name of this import."""
        return import_digest(self.process.id, self.process.kind, self.roots)


def import_digest(process: str, kind: ProcessKind, roots: Mapping[str, Digest]) -> Digest:
    """Return the name of an import, which follows from the process and the Merkle roots alone."""
    return digest_json({"import": process, "kind": kind, "roots": dict(roots)})


def import_of(consultation: Consultation) -> Digest:
    """Return the name of the import a consultation is the receipt of."""
    return import_digest(consultation.process, consultation.kind, consultation.roots)


def prepare(
    process: Process,
    *,
    participants: Sequence[Participant],
    statements: Sequence[Statement],
    votes: Sequence[Vote],
    comparisons: Sequence[Comparison],
    ballots: Ballots = NO_BALLOTS,
) -> PreparedImport:
    """Give every row a key and a leaf, and every table its root.

    Rows are put in the order of their ids first, so that the roots do not depend on the order of
    the source. Keys are random in a human process and follow from the seed in a simulated one.

    Raises:
        InputError: with every fault: a row twice, a vote or ballot of an unknown participant or on
            an unknown statement, a participant of another process, a simulated process without
            seed.
    """
    tables: dict[str, Sequence[Record]] = {
        "participants": participants,
        "statements": statements,
        "votes": votes,
        "comparisons": comparisons,
    }
    bodies = {name: _bodies(name, rows) for name, rows in tables.items()}
    bodies["ballots"] = _ballot_bodies(ballots)
    faults = [
        *_process_faults(process, participants),
        *_row_faults(bodies),
        *_order_faults(ballots, statements),
    ]
    if faults:
        raise InputError(faults)

    keyed = {name: _keyed(process, name, rows) for name, rows in bodies.items()}
    return PreparedImport(
        process=process,
        roots={
            name: merkle.root([row["leaf"] for row in rows])
            for name, rows in keyed.items()
            if rows or name not in ADDED
        },
        counts={name: len(rows) for name, rows in keyed.items()},
        rows=keyed,
    )


def canonical_row(process: str, kind: str, table: str, columns: Mapping[str, Any]) -> str:
    """Return the canonical JSON a row's leaf is computed from, given the row's own columns.

    It is put together from what is canonical already, because there may be millions of rows.
    """
    before, after = _around(process, kind, table)
    if "json" in columns:
        return f"{before}{columns['json']}{after}"
    cells = [f'"{name}":{_canonical_cell(columns[name])}' for name in sorted(columns)]
    return f"{before}{{{','.join(cells)}}}{after}"


@lru_cache(maxsize=64)
def _around(process: str, kind: str, table: str) -> tuple[str, str]:
    """Return what stands before and after the columns of every row of a table."""
    named = [_canonical_cell(name) for name in (kind, process, table)]
    return f'{{"kind":{named[0]},"process":{named[1]},"row":', f',"table":{named[2]}}}'


def _canonical_cell(value: object) -> str:
    """Return the canonical JSON of one column: a text or a whole number."""
    if isinstance(value, str):
        return encode_basestring(value if value.isascii() else canonical(value))
    return canonical_json(value)


def _bodies(table: str, rows: Sequence[Record]) -> list[dict[str, Any]]:
    """Return the columns of each row, in the order of the row ids."""
    if table in ("participants", "statements"):
        bodies = [
            {"id": row["id"], "json": canonical_json(row)}
            for row in (record.model_dump(mode="json") for record in rows)
        ]
    else:
        bodies = [
            record.model_dump(mode="json", exclude={"derived_from", "made_by"}) for record in rows
        ]
    return sorted(bodies, key=lambda body: _row_id(table, body))


def _ballot_bodies(ballots: Ballots) -> list[dict[str, Any]]:
    """Return the columns of each ballot; those of one voter are numbered in a fixed order."""
    texts = [canonical_json(order) for order in ballots.orders]
    given = sorted((v, texts[k]) for v, k in zip(ballots.voters, ballots.chosen, strict=True))
    bodies: list[dict[str, Any]] = []
    before, number = "", 0
    for voter, text in given:
        number = number + 1 if voter == before else 0
        before = voter
        bodies.append({"participant": voter, "number": number, "tiers": text})
    return bodies


def read_ballots(rows: Sequence[Mapping[str, Any]]) -> Ballots:
    """Return the ballots whose columns these are, each order as one object."""
    orders: dict[str, RankedTiers] = {}
    for row in rows:
        if row["tiers"] not in orders:
            orders[row["tiers"]] = tuple(tuple(tier) for tier in json.loads(row["tiers"]))
    ballots = Ballots.of((row["participant"], orders[row["tiers"]]) for row in rows)
    if any(not tier for order in ballots.orders for tier in order):
        # Only categories may be empty. Rows hold their numbers; the source has their names.
        most = max(map(len, ballots.orders))
        return replace(ballots, categories=tuple(str(n) for n in range(1, most + 1)))
    return ballots


def _row_id(table: str, body: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(body[name]) for name in ROW_ID[table])


def _keyed(process: Process, table: str, bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for place, body in enumerate(bodies):
        key = _key(process, table, _row_id(table, body))
        leaf = merkle.leaf_of_text(key, canonical_row(process.id, process.kind, table, body))
        rows.append({"place": place, "kind": process.kind, "leaf": leaf, "key": key, **body})
    return rows


def _key(process: Process, table: str, row: tuple[str, ...]) -> bytes:
    if process.kind == "human":
        return merkle.random_key()
    assert process.seed is not None  # `_process_faults` has refused a simulated one without
    return merkle.seeded_key(process.seed, process=process.id, table=table, row=row)


def _process_faults(process: Process, participants: Sequence[Participant]) -> list[Fault]:
    faults = []
    if process.kind == "simulated" and process.seed is None:
        faults.append(
            Fault(
                where=f"process {process.id}: seed",
                expected="a seed, because the process is simulated",
                seen="none",
                do="Name the seed its participants came from.",
            )
        )
    strangers = [one.id for one in participants if one.process != process.id]
    if strangers:
        faults.append(
            Fault(
                where="participants: process",
                expected=f"{process.id} for every participant",
                seen=f"another process for {_some(strangers)}",
            )
        )
    return faults


def _row_faults(bodies: Mapping[str, list[dict[str, Any]]]) -> list[Fault]:
    faults = []
    for table, rows in bodies.items():
        counted = Counter(_row_id(table, row) for row in rows)
        if twice := [" / ".join(row) for row, count in counted.items() if count > 1]:
            faults.append(
                Fault(
                    where=table,
                    expected=f"each {' and '.join(ROW_ID[table])} once",
                    seen=f"several rows for {_some(twice)}",
                )
            )
        # PostgreSQL keeps no text with the character NUL, and what one database takes both take.
        if broken := sorted(repr(part) for row in counted for part in row if "\0" in part):
            faults.append(
                Fault(
                    where=table,
                    expected="ids without the character NUL",
                    seen=_some(broken),
                    do="Write the file anew; it may have been saved as UTF-16.",
                )
            )
    for table, column, owner in (
        ("votes", "participant", "participants"),
        ("votes", "statement", "statements"),
        ("comparisons", "participant", "participants"),
        ("ballots", "participant", "participants"),
    ):
        known = {row["id"] for row in bodies[owner]}
        if unknown := sorted({row[column] for row in bodies[table]} - known):
            faults.append(
                Fault(
                    where=f"{table}: {column}",
                    expected=f"an id among the {len(known)} {owner}",
                    seen=_some(unknown),
                    do=f"Add the {owner} or remove the rows.",
                )
            )
    return faults


def _order_faults(ballots: Ballots, statements: Sequence[Statement]) -> list[Fault]:
    """Note ballots that rank what is no statement, rank something twice, or have empty tiers."""
    known = {statement.id for statement in statements}
    unknown: set[str] = set()
    twice: set[str] = set()
    hollow = 0
    for order in ballots.orders:
        names = [name for tier in order for name in tier]
        unknown.update(name for name in names if name not in known)
        if len(set(names)) < len(names):
            twice.update(name for name, count in Counter(names).items() if count > 1)
        hollow += not any(order) or not (ballots.categories or all(order))
    faults = []
    if unknown:
        faults.append(
            Fault(
                where="ballots: tiers",
                expected=f"ids among the {len(known)} statements",
                seen=_some(sorted(unknown)),
                do="Add the statements or remove the ballots.",
            )
        )
    if twice:
        faults.append(
            Fault(
                where="ballots: tiers",
                expected="each alternative once in a ballot",
                seen=f"several times {_some(sorted(twice))}",
            )
        )
    if hollow:
        faults.append(
            Fault(
                where="ballots: tiers",
                expected="tiers that each hold an alternative",
                seen=f"empty ones in {hollow} orders",
            )
        )
    return faults


def _some(names: Sequence[str]) -> str:
    """Return a few of many names, and how many there are in all."""
    shown = ", ".join(names[:_EXAMPLES])
    return shown if len(names) <= _EXAMPLES else f"{shown} and {len(names) - _EXAMPLES} more"
