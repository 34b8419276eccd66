"""Take somebody out of a consultation: out of what was read, and out of the files themselves."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from normwright.elicit.consulted import Consulted
from normwright.elicit.files import Faults, Folder, column_name, unpack
from normwright.elicit.importers import Nameless, PeopleColumn, polis
from normwright.elicit.integrity import check_enough
from normwright.elicit.read import importer_of
from normwright.elicit.sheets import BIGGEST_CELL, decoded_whole
from normwright.records import Digest, Fault, InputError, IntegrityFault, digest_bytes

Gone = Callable[[str], bool]
"""Says of a pseudonym whether it is somebody who is to be taken out."""

_PEOPLE = ("participant", "participant_id", "voter_id", "author", "author_id")
"""Columns that name a person; a row in which one of them is taken out goes as a whole."""
_AUTHORS = ("author", "author_id")
_STATEMENTS = ("comment_id", "id", "statement")
_TALLIES = ("agrees", "disagrees")
_NOT_PEOPLE = ("process.yaml", "mapping.yaml")


@dataclass(frozen=True)
class Taken:
    """The files of a consultation as they have to be once somebody is taken out."""

    files: Mapping[str, bytes]
    """New bytes of every file that changes, by path relative to the project."""
    before: Mapping[str, Digest]
    """Digests of these files as they lie there."""
    rows: Mapping[str, int]
    """How many rows go, by path."""
    authors: Mapping[str, str] = field(repr=False)
    """Statements that go -> who wrote them."""
    attributable: bool
    """Whether the files say who wrote a statement."""
    unread: tuple[str, ...]
    """Files of the folder that are not tables, in which nobody was looked for."""
    nameless: Fault | None = None
    """Why nobody who is in the consultation can be found in its file, if so."""


def without(consulted: Consulted, gone: Gone) -> Consulted:
    """Return a consultation without those who withdrew, and say so in its integrity report.

    What they wrote goes with all votes on it. Nothing in the report tells who it was.

    Raises:
        InputError: if too little is left to learn from.
    """
    gone = cache(gone)
    people = tuple(one for one in consulted.participants if not gone(one.id))
    count = len(consulted.participants) - len(people)
    written = {s for s, author in consulted.authors.items() if gone(author)}
    if not count and not written:
        return consulted
    votes = tuple(
        v for v in consulted.votes if not gone(v.participant) and v.statement not in written
    )
    faults = Faults()
    where = f"process {consulted.process.id}, without those who withdrew"
    ballots = consulted.ballots.without(gone, written)
    if not ballots:
        check_enough(votes, where, faults)
    if faults.found:
        raise InputError(faults.found)
    policy = "left out; they withdrew from this process"
    report = IntegrityFault(kind="suppressed", count=max(count, 1), policy=policy)
    return replace(
        consulted,
        participants=people,
        statements=tuple(s for s in consulted.statements if s.id not in written),
        votes=votes,
        comparisons=tuple(c for c in consulted.comparisons if not gone(c.participant)),
        ballots=ballots,
        faults=tuple(sorted((*consulted.faults, report), key=lambda one: one.kind)),
        authors={s: author for s, author in consulted.authors.items() if s not in written},
    )


def take_out(directory: Path, *, root: Path, gone: Gone) -> Taken:
    """Return the files of a consultation without somebody's rows; nothing is written.

    Every CSV table of the folder, gzipped or not, loses the rows in which a column names them; of a
    table in a form of its own that is the column its people are read from. What is left stays as it
    is byte for byte, but for the printed tallies of a Polis export, which are reckoned without
    them; a gzipped file is compressed anew.

    Args:
        directory: where the files are.
        root: the project directory; paths are relative to it.
        gone: says who is to be taken out.

    Raises:
        InputError: with every fault, if a table cannot be read.
    """
    folder = Folder(directory, root)
    gone = cache(gone)
    own = _own_form(folder)
    tallies = polis.tallies_without(folder, gone) if polis.sniff(folder) else {}
    tables, unread = _files(directory)
    edits: dict[Path, _Edit | None] = {
        path: _edited(folder, path, gone, tallies)
        for path in tables
        if own is None or path != own.file
    }
    if isinstance(own, PeopleColumn):
        edits[own.file] = _without_rows(folder, own, gone)
        unread = [path for path in unread if path != own.file]
    tables = list(edits)
    written = {s: who for edit in edits.values() if edit for s, who in edit.authors.items()}
    for path in tables:
        # Summaries repeat the wording of statements without saying whose it is.
        if written and edits[path] is None:
            edits[path] = _edited(folder, path, gone, tallies, written)
    if folder.faults.found:
        raise InputError(folder.faults.found)
    whole = {folder.label(path): edit for path, edit in edits.items() if edit is not None}
    changed = {label: edit for label, edit in whole.items() if edit.after != edit.before}
    return Taken(
        files={label: edit.after for label, edit in changed.items()},
        before={label: digest_bytes(edit.before) for label, edit in changed.items()},
        rows={label: edit.rows for label, edit in changed.items() if edit.rows},
        authors=written,
        attributable=any(edit.attributable for edit in whole.values()),
        unread=tuple(folder.label(path) for path in unread if path.name not in _NOT_PEOPLE),
        nameless=Fault(
            where=folder.label(own.file),
            expected="a table in which a column names each person",
            seen=own.seen,
            do=own.do,
        )
        if isinstance(own, Nameless)
        else None,
    )


def _own_form(folder: Folder) -> PeopleColumn | Nameless | None:
    """Return where people are named in a table of a form of its own, if it is one.

    Raises:
        InputError: with every fault, if it cannot be read.
    """
    importer = importer_of(folder) if folder.directory.is_dir() else None
    found = None if importer is None else importer.people(folder)
    if folder.faults.found:
        raise InputError(folder.faults.found)
    return found


def _without_rows(folder: Folder, own: PeopleColumn, gone: Gone) -> _Edit | None:
    """Return a table of a form of its own without the rows of those who are gone."""
    label, raw = folder.label(own.file), own.file.read_bytes()
    data = folder.unpacked(own.file)
    if data is None or (found := decoded_whole(data)) is None:
        folder.faults.add(label, "a table as text", "bytes that are no text")
        return None
    mark, text, encoding = found
    kept: list[str] = []
    edit = _Edit(raw, raw)
    headed = False
    lines = list(io.StringIO(text, newline=""))
    start = 0
    limit = csv.field_size_limit(BIGGEST_CELL)
    try:
        reader = csv.reader(lines, delimiter=own.delimiter)
        for fields in reader:
            record, start = "".join(lines[start : reader.line_num]), reader.line_num
            cells = [one.strip() for one in fields]
            if headed and len(cells) > own.column and gone(cells[own.column]):
                edit.rows += 1
            else:
                kept.append(record)
            headed = headed or any(cells)
    except csv.Error as error:
        folder.faults.add(f"{label}:{start + 1}", "a row of fields", error)
        return None
    finally:
        csv.field_size_limit(limit)
    if edit.rows:
        rest = mark + "".join(kept).encode(encoding)
        zipped = own.file.suffix.lower() == ".gz"
        edit.after = gzip.compress(rest, mtime=0) if zipped else rest
    return edit


def _files(directory: Path) -> tuple[list[Path], list[Path]]:
    """Return the tables of a folder, and its other files; hidden ones are nobody's."""
    tables: list[Path] = []
    others: list[Path] = []
    for path in sorted(directory.rglob("*")) if directory.is_dir() else ():
        hidden = any(part.startswith(".") for part in path.relative_to(directory).parts)
        if path.is_file() and not hidden:
            (tables if path.name.endswith((".csv", ".csv.gz")) else others).append(path)
    return tables, others


@dataclass
class _Edit:
    """One table before and after."""

    before: bytes
    after: bytes
    rows: int = 0
    authors: dict[str, str] = field(default_factory=dict)
    attributable: bool = False


@dataclass(frozen=True)
class _Columns:
    """Where a table says what counts here."""

    people: tuple[int, ...]
    writers: tuple[int, ...]
    statement: int | None
    tallies: tuple[int, ...]

    @classmethod
    def of(cls, header: Sequence[str]) -> _Columns:
        names = [column_name(one.removeprefix("\ufeff")) for one in header]
        return cls(
            people=tuple(i for i, name in enumerate(names) if name in _PEOPLE),
            writers=tuple(i for i, name in enumerate(names) if name in _AUTHORS),
            statement=next((names.index(c) for c in _STATEMENTS if c in names), None),
            tallies=tuple(names.index(c) for c in _TALLIES if c in names),
        )


def _edited(
    folder: Folder,
    path: Path,
    gone: Gone,
    tallies: Mapping[str, tuple[int, int]],
    written: Collection[str] = (),
) -> _Edit | None:
    """Return a table without the rows of those who are gone; None if it names nobody.

    With `written`, a table that names nobody loses the rows about these statements.
    """
    label, raw = folder.label(path), path.read_bytes()
    zipped = path.suffix == ".gz"
    try:
        text = (unpack(raw) if zipped else raw).decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        folder.faults.add(label, "a whole table in UTF-8", error)
        return None
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines)
    edit = _Edit(raw, raw)
    kept: list[str] = []
    try:
        columns = _Columns.of(next(reader, []))
        if not columns.people and not (written and columns.statement is not None):
            return None
        edit.attributable = bool(columns.writers) and columns.statement is not None
        start = reader.line_num
        kept += lines[:start]
        for fields in reader:
            record = "".join(lines[start : reader.line_num])
            start = reader.line_num
            cell = dict(enumerate(one.strip() for one in fields))
            about = cell.get(columns.statement, "") if columns.statement is not None else ""
            named = [cell[i] for i in columns.people if cell.get(i)]
            if any(map(gone, named)) or (not columns.people and about in written):
                edit.rows += bool(columns.people)
                wrote = [cell[i] for i in columns.writers if gone(cell.get(i, ""))]
                if wrote:
                    edit.authors[about] = wrote[0]
            elif len(columns.tallies) == len(_TALLIES) and about in tallies:
                told = map(str, tallies[about])
                kept.append(_with_fields(record, dict(zip(columns.tallies, told, strict=True))))
            else:
                kept.append(record)
    except csv.Error as error:
        folder.faults.add(f"{label}:{reader.line_num}", "a CSV row", error)
        return None
    data = "".join(kept)
    if data != text:
        # Without a time in its header the same content is compressed to the same bytes.
        edit.after = gzip.compress(data.encode(), mtime=0) if zipped else data.encode()
    return edit


def _with_fields(record: str, fields: Mapping[int, str]) -> str:
    """Return a CSV record with some of its fields replaced and all else as it was written."""
    spans = _spans(record)
    for place in sorted(fields, reverse=True):
        begin, end = spans[place]
        record = record[:begin] + fields[place] + record[end:]
    return record


def _spans(record: str) -> list[tuple[int, int]]:
    """Return where each field of a record begins and ends, its quotes included."""
    spans: list[tuple[int, int]] = []
    end, i = len(record.rstrip("\r\n")), 0
    while True:
        begin = i
        if record[i : i + 1] == '"':
            i += 1
            while i < end and record[i : i + 2] != '",' and not (record[i] == '"' and i + 1 == end):
                i += 2 if record[i : i + 2] == '""' else 1
            i += 1
        while i < end and record[i] != ",":
            i += 1
        spans.append((begin, i))
        if i >= end:
            return spans
        i += 1
