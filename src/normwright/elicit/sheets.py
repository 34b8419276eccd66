"""Tables as strangers have them: CSV of any delimiter and encoding, spreadsheets, JSON lines.

What has to be found out about a file - its encoding, its delimiter, the sheet that counts - is
found out from the file, said in the result, and can be overruled by the caller.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any, Final

from normwright.elicit.files import MOST, Folder, is_packed, lines_of, opened, unpack

TABLE_ENDINGS: Final = (".csv", ".tsv", ".tab", ".txt", ".xlsx")
JSON_ENDINGS: Final = (".jsonl", ".ndjson", ".json")
_DELIMITERS: Final = (",", ";", "\t", "|")
_SAMPLE: Final = 200
"""Rows a delimiter is judged by."""
_HEAD: Final = 1 << 20
"""Bytes of a table by which it is recognised."""
BIGGEST_CELL: Final = 1 << 24
"""Characters in one field, above which a quote was most likely never closed."""


@dataclass(frozen=True)
class SheetRow:
    """One row: the line (or row of the sheet) it starts on, and its cells without outer spaces."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """One table with its header as written."""

    label: str
    """The file as people know it, with the sheet where there are several."""
    columns: tuple[str, ...]
    rows: tuple[SheetRow, ...]
    encoding: str = ""
    """How the bytes were read; empty for a spreadsheet."""
    delimiter: str = ""
    """What separates fields; empty for a spreadsheet."""

    def where(self, row: SheetRow) -> str:
        """Return the place of a row, for messages."""
        return f"{self.label}:{row.line}"

    def column(self, name: str) -> int:
        """Return the number of a column, from 0."""
        return self.columns.index(name)


def ending(path: Path) -> str:
    """Return the ending of a file in lower case, below `.gz`: `votes.CSV.gz` has `.csv`."""
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def decoded(data: bytes) -> tuple[str, str] | None:
    """Return text and encoding: by its byte order mark, UTF-8, or what Windows writes; or None.

    Windows-1252 is only tried on bytes that are no UTF-8, and refused where a byte means nothing
    in it.
    """
    found = decoded_whole(data)
    if found is None:
        return None
    mark, text, encoding = found
    return text, {b"": encoding, codecs.BOM_UTF8: "utf-8-sig"}.get(mark, "utf-16")


def decoded_whole(data: bytes) -> tuple[bytes, str, str] | None:
    """Return the byte order mark, the text and its encoding, from which the same bytes come again.

    None where it is no text.
    """
    marks = {
        codecs.BOM_UTF8: "utf-8",
        codecs.BOM_UTF16_LE: "utf-16-le",
        codecs.BOM_UTF16_BE: "utf-16-be",
    }
    mark = next((mark for mark in marks if data.startswith(mark)), b"")
    for encoding in (marks[mark],) if mark else ("utf-8", "cp1252"):
        try:
            return mark, data.removeprefix(mark).decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return None


def read_sheet(
    path: Path, folder: Folder, *, delimiter: str | None = None, sheet: str | None = None
) -> Sheet | None:
    """Return the table in a file, or None after noting every fault.

    Args:
        path: a text table or an Excel workbook, gzipped or not.
        folder: notes faults and digests.
        delimiter: what separates fields; None: found out.
        sheet: which sheet of a workbook; None: the one that has cells.
    """
    data = folder.unpacked(path)
    if data is None:
        return None
    if ending(path) == ".xlsx":
        return _workbook(data, folder.label(path), folder, sheet)
    return _text_table(data, folder.label(path), folder, delimiter)


def sheet_names(path: Path) -> tuple[str, ...]:
    """Return the names of the sheets of a workbook that have cells; none if it is no workbook."""
    try:
        raw = path.read_bytes()
        data = unpack(raw) if is_packed(path) else raw
        return tuple(name for name, rows in _grids(data).items() if rows)
    except (OSError, EOFError, zlib.error, ValueError):
        return ()


def sniff_delimiter(text: str) -> str:
    """Return the delimiter under which most rows are as wide as the header, and widest.

    A text that none of them splits is taken as one column, under a comma.
    """
    best, chosen = (0.0, 0), ","
    for delimiter in _DELIMITERS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        widths: list[int] = []
        try:
            for fields in reader:
                if any(f.strip() for f in fields):
                    widths.append(len(fields))
                if len(widths) >= _SAMPLE:
                    break
        except csv.Error:
            continue
        if not widths or widths[0] < 2:
            continue
        alike = Counter(widths)[widths[0]] / len(widths)
        if (round(alike, 2), widths[0]) > best:
            best, chosen = (round(alike, 2), widths[0]), delimiter
    return chosen


def _text_table(data: bytes, label: str, folder: Folder, delimiter: str | None) -> Sheet | None:
    found = decoded(data)
    if found is None or "\x00" in found[0]:
        folder.faults.add(label, "a table as text", "bytes that are no text", "Save it as UTF-8.")
        return None
    text, encoding = found
    mark = delimiter or sniff_delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    before = len(folder.faults.found)
    rows: list[SheetRow] = []
    odd: dict[int, int] = {}
    columns: tuple[str, ...] = ()
    limit = csv.field_size_limit(BIGGEST_CELL)
    try:
        start = 1
        for fields in reader:
            line, start = start, reader.line_num + 1
            cells = tuple(f.strip() for f in fields)
            if not any(cells):
                continue
            if not columns:
                columns = cells
            elif len(cells) != len(columns):
                odd[line] = len(cells)
            else:
                rows.append(SheetRow(line, cells))
    except csv.Error as error:
        folder.faults.add(f"{label}:{reader.line_num}", "a row of fields", error)
    finally:
        csv.field_size_limit(limit)
    if len(odd) > max(3, len(rows)):
        # Not rows that are wrong one by one, but a table that was split at the wrong places.
        folder.faults.add(
            label,
            f"{len(columns)} fields in every row, as in its first, split at {mark!r}",
            f"another number in {len(odd)} of {len(odd) + len(rows)} rows, first in row {min(odd)}",
            "Say what stands between fields: --answer 'delimiter=;', or mend the table.",
        )
    else:
        for line, fields_there in odd.items():
            folder.faults.add(f"{label}:{line}", f"{len(columns)} fields", fields_there)
    return _checked(Sheet(label, columns, tuple(rows), encoding, mark), folder, before)


def _workbook(data: bytes, label: str, folder: Folder, wanted: str | None) -> Sheet | None:
    before = len(folder.faults.found)
    try:
        grids = _grids(data)
    except ValueError as error:
        folder.faults.add(label, "an Excel workbook (.xlsx)", error)
        return None
    full = {name: rows for name, rows in grids.items() if rows}
    if wanted is not None:
        if not folder.faults.one_of(f"{label}: sheet", wanted, list(full), "a sheet with cells"):
            return None
        chosen = wanted
    elif len(full) == 1:
        chosen = next(iter(full))
    else:
        seen = ", ".join(full) or "none"
        folder.faults.add(label, "one sheet with cells, or a sheet named", seen)
        return None
    first, *rest = full[chosen]
    width = max(i for i, cell in enumerate(first.cells, 1) if cell)
    rows = []
    for row in rest:
        if any(row.cells[width:]):
            folder.faults.add(f"{label}:{row.line}", f"{width} columns, as in the header", "more")
        padded = (*row.cells, *[""] * width)[:width]
        rows.append(SheetRow(row.line, padded))
    name = label if len(full) == 1 else f"{label}[{chosen}]"
    return _checked(Sheet(name, first.cells[:width], tuple(rows)), folder, before)


def _grids(data: bytes) -> dict[str, list[SheetRow]]:
    """The rows that are not blank of each sheet of a workbook. ValueError if it is none."""
    import openpyxl

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            # No more than this is unpacked of a part, whatever it turns out to hold.
            size = sum(part.file_size for part in archive.infolist())
        if size > MOST:
            raise ValueError(f"{size >> 20} MiB unpacked, more than {MOST >> 20}")
        with warnings.catch_warnings():
            # It warns of styles and extensions it leaves aside; values are all that is read here.
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            found = {sheet.title: _rows_of(sheet) for sheet in book.worksheets}
            book.close()
    except Exception as error:
        # A workbook is many files inside each other: what a broken one raises has no end.
        raise ValueError(f"{type(error).__name__}: {error}") from error
    return found


def _rows_of(sheet: Any) -> list[SheetRow]:
    # What a sheet says of its own size may be far more than it has.
    sheet.reset_dimensions()
    rows = (
        SheetRow(number, tuple(_cell(value) for value in values))
        for number, values in enumerate(sheet.iter_rows(values_only=True), 1)
    )
    return [row for row in rows if any(row.cells)]


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value).strip()


def _checked(sheet: Sheet, folder: Folder, before: int) -> Sheet | None:
    label, faults = sheet.label, folder.faults
    if not sheet.columns:
        faults.add(f"{label}:1", "a header", "an empty file")
    elif not sheet.rows and len(faults.found) == before:
        faults.add(label, "rows below the header", "none")
    for number, name in enumerate(sheet.columns, 1):
        if not name:
            faults.add(f"{label}:1", f"a name for column {number}", "nothing")
    for twice, count in Counter(sheet.columns).items():
        if twice and count > 1:
            faults.add(f"{label}:1", "each column once", f"{shortened(twice)} {count} times")
    return sheet if len(faults.found) == before else None


def read_objects(path: Path, folder: Folder) -> list[tuple[str, Mapping[str, Any]]] | None:
    """Return (place, object) for every row of a file of JSON lines, a JSON list, or a table.

    None after noting faults, all of them.
    """
    if ending(path) not in JSON_ENDINGS:
        sheet = read_sheet(path, folder)
        if sheet is None:
            return None
        return [
            (sheet.where(row), dict(zip(sheet.columns, row.cells, strict=True)))
            for row in sheet.rows
        ]
    data = folder.unpacked(path)
    if data is None:
        return None
    label, faults = folder.label(path), folder.faults
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        faults.add(f"{label}:{line}", "UTF-8 text", f"byte 0x{data[error.start]:02x}")
        return None
    before = len(faults.found)
    made: list[tuple[str, Mapping[str, Any]]] = []
    for where, value in _values(text, label, folder):
        if isinstance(value, dict):
            made.append((where, value))
        else:
            faults.add(where, "a JSON object", f"a {type(value).__name__}")
    if not made and len(faults.found) == before:
        faults.add(label, "rows", "none")
    return made if len(faults.found) == before else None


def _values(text: str, label: str, folder: Folder) -> list[tuple[str, Any]]:
    if text.lstrip().startswith("["):
        try:
            return [(f"{label}[{i}]", value) for i, value in enumerate(_loaded(text))]
        except (ValueError, RecursionError) as error:
            folder.faults.add(label, "one JSON list", error)
            return []
    found = []
    # Not splitlines: JSON may hold line separators of Unicode as they are.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            found.append((f"{label}:{number}", _loaded(line)))
        except UnicodeEncodeError:
            folder.faults.add(f"{label}:{number}", "whole characters", "half of one (\\ud...)")
        except (ValueError, RecursionError):
            folder.faults.add(f"{label}:{number}", "a JSON object", "no JSON")
    return found


def _loaded(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        UnicodeEncodeError: if it escapes half of a character, which no file can hold.
        ValueError, RecursionError: if it is no JSON.
    """
    value = json.loads(text)
    if "\\ud" in text.lower():
        json.dumps(value, ensure_ascii=False).encode()
    return value


def first_object(path: Path) -> Mapping[str, Any]:
    """Return the first row of such a file without judging it, for sniffing; empty if none."""
    try:
        if ending(path) in JSON_ENDINGS:
            return _first_of_json(path)
        if ending(path) == ".xlsx":
            rows = read_objects(path, Folder(path.parent, path.parent))
            return rows[0][1] if rows else {}
        return _first_of_text(path) if ending(path) in TABLE_ENDINGS else {}
    except (OSError, EOFError, ValueError, zlib.error, RecursionError, csv.Error):
        return {}


def _first_of_json(path: Path) -> Mapping[str, Any]:
    with opened(path) as file:
        line = next((line for line in lines_of(file) if line.strip()), "")
    if line.lstrip().startswith("["):
        rows = read_objects(path, Folder(path.parent, path.parent))
        return rows[0][1] if rows else {}
    value = json.loads(line)
    return value if isinstance(value, dict) else {}


def _first_of_text(path: Path) -> Mapping[str, Any]:
    """The first row under the header, from the head of the file alone."""
    with gzip.open(path, "rb") if is_packed(path) else path.open("rb") as file:
        head = file.read(_HEAD)
    found = decoded(head) or (head.decode("utf-8", errors="replace"), "")
    reader = csv.reader(io.StringIO(found[0], newline=""), delimiter=sniff_delimiter(found[0]))
    rows = [cells for cells in islice(reader, 40) if any(c.strip() for c in cells)][:2]
    if len(rows) < 2:
        return {}
    return dict(zip((c.strip() for c in rows[0]), (c.strip() for c in rows[1]), strict=False))


def shortened(text: str) -> str:
    """Return a cell as messages quote it."""
    return repr(text if len(text) <= 60 else text[:57] + "...")
