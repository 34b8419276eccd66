"""A folder of CSV tables: found, decoded and split into rows, with every fault noted by line."""

from __future__ import annotations

import csv
import difflib
import gzip
import io
import re
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TextIO

from normwright.records import Digest, Fault, digest_bytes

MOST: Final = 1 << 30
"""Bytes that one file may unpack to. What is packed tighter than that is no table of votes."""
_LONGEST: Final = 1 << 22
"""Characters of a first line that are looked at to recognise a file."""
PROCESS: Final = "process.yaml"
"""The file that says who was asked."""


class TooLarge(ValueError):
    """A packed file that unpacks to more than it may."""


def stem_of(path: Path) -> str:
    """Return the name of a file without its ending, packed or not."""
    return path.name.removesuffix(".gz").rsplit(".", 1)[0]


def printable(name: str) -> str:
    """Return a file's name as text that can be written; bytes that are no UTF-8 as `?`."""
    return name.encode("utf-8", "replace").decode("utf-8")


def slug_of(text: str, *, default: str) -> str:
    """Return a text as an id: small letters, digits and hyphens; the default if nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or default


@dataclass
class Faults:
    """Collects what is wrong until there is a reason to stop."""

    found: list[Fault] = field(default_factory=list)

    def add(self, where: str, expected: str, seen: object, do: str = "") -> None:
        """Note one fault."""
        self.found.append(Fault(where=where, expected=expected, seen=str(seen), do=do))

    def one_of(self, where: str, value: str, known: Collection[str], what: str) -> bool:
        """Return whether `value` is known; if not, note it with the nearest known value."""
        if value in known:
            return True
        listed = ", ".join(known) if len(known) <= 8 else f"{len(known)} are known"
        self.add(where, f"{what} ({listed})", _shown(value), _nearest(value, known))
        return False


@dataclass(frozen=True)
class Row:
    """One row of a table and the line it starts on."""

    where: str
    """`file:line`."""
    line: int
    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.values.get(column, "").strip()


@dataclass(frozen=True)
class Table:
    """A CSV table with its columns in order."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Grid:
    """A CSV table as bare cells, for tables too large for a mapping a row."""

    label: str
    columns: tuple[str, ...]
    rows: list[tuple[int, list[str]]]
    """The line each row starts on, and its cells, as many as there are columns."""

    def where(self, line: int) -> str:
        """Return the place of a row, for messages."""
        return f"{self.label}:{line}"


@dataclass
class Folder:
    """A directory of tables, `.gz` or plain. Digests are taken of the bytes as they lie there."""

    directory: Path
    root: Path
    faults: Faults = field(default_factory=Faults)
    sources: dict[str, Digest] = field(default_factory=dict)
    only: Path | None = None
    """The one file of the directory that is meant; what lies beside it is not looked at."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """What was decided about the files beforehand; it goes before `mapping.yaml`."""
    process: Path | None = None
    """A file that says who was asked, in place of the one in the directory."""

    @property
    def name(self) -> str:
        """What the data are called: the folder's name, or that of the one file without its end."""
        return printable(self.directory.name if self.only is None else stem_of(self.only))

    def files(self) -> list[Path]:
        """Return the files that may be meant, by name; hidden ones are not."""
        if self.only is not None:
            return [self.only]
        return [
            path
            for path in sorted(self.directory.iterdir())
            if path.is_file() and not path.name.startswith(".")
        ]

    def quiet(self) -> Folder:
        """Return the same folder with nothing noted yet, to look at it without telling."""
        return replace(self, faults=Faults(), sources={})

    def find(self, name: str) -> Path | None:
        """Return the path of a file, compressed or not, or None."""
        if name == PROCESS and self.process is not None:
            return self.process
        if self.only is not None:
            return self.only if self.only.name in (name, f"{name}.gz") else None
        for path in (self.directory / name, self.directory / f"{name}.gz"):
            if path.is_file():
                return path
        return None

    def label(self, path: Path) -> str:
        """Return the path as people know it: relative to the project."""
        if path == self.root or path == self.process:
            return printable(path.name)
        inside = path.is_relative_to(self.root)
        return printable(path.relative_to(self.root).as_posix() if inside else str(path))

    def text(self, name: str, *, required: bool = True) -> tuple[str, str] | None:
        """Return (label, text) of a file, or None if it is absent or unreadable."""
        path = self.find(name)
        if path is None:
            if required:
                self.faults.add(self.label(self.directory / name), "a file", "no such file")
            return None
        label = self.label(path)
        data = self.unpacked(path)
        if data is None:
            return None
        try:
            return label, data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self.faults.add(
                f"{label}:{line}", "UTF-8 text", f"byte 0x{data[error.start]:02x}",
                "Save the file as UTF-8.",
            )  # fmt: skip
            return None

    def unpacked(self, path: Path) -> bytes | None:
        """Return the bytes of a file, unpacked, with its digest noted; None after a fault."""
        label = self.label(path)
        try:
            raw = path.read_bytes()
        except OSError as error:
            self.faults.add(label, "a file that can be read", error.strerror or error)
            return None
        self.sources[label] = digest_bytes(raw)
        try:
            return unpack(raw) if is_packed(path) else raw
        except TooLarge as error:
            self.faults.add(label, f"at most {MOST >> 20} MiB unpacked", error)
        except (OSError, EOFError, zlib.error) as error:
            self.faults.add(label, "a whole gzip file", error)
        return None

    def columns(self, name: str) -> tuple[str, ...]:
        """Return the header of a table without judging it, for sniffing; empty if there is none."""
        path = self.find(name)
        return () if path is None else header_of(path)

    def table(
        self,
        name: str,
        *,
        needs: Sequence[str] = (),
        required: bool = True,
    ) -> Table | None:
        """Return a table whose header has every needed column, or None with the faults noted.

        Args:
            name: file name without `.gz`.
            needs: columns that must be there.
            required: whether an absent file is a fault.
        """
        found = self.text(name, required=required)
        grid = None if found is None else self.grid(*found, needs=needs)
        if grid is None:
            return None
        rows = (
            Row(grid.where(line), place, dict(zip(grid.columns, cells, strict=True)))
            for place, (line, cells) in enumerate(grid.rows)
        )
        return Table(name, grid.columns, tuple(rows))

    def grid(self, label: str, text: str, *, needs: Sequence[str] = ()) -> Grid | None:
        """Return a table as bare cells, or None with the faults noted.

        Rows that have another number of fields than the header are noted and left out.
        """
        reader = csv.reader(io.StringIO(text, newline=""))
        rows: list[tuple[int, list[str]]] = []
        before = len(self.faults.found)
        columns: tuple[str, ...] = ()
        try:
            columns = tuple(column_name(c) for c in next(reader, []))
            self._check_header(label, columns, needs)
            start = reader.line_num + 1
            for cells in reader:
                line, start = start, reader.line_num + 1
                if len(cells) == len(columns):
                    rows.append((line, cells))
                elif any(f.strip() for f in cells):
                    self.faults.add(f"{label}:{line}", f"{len(columns)} fields", len(cells))
        except csv.Error as error:
            self.faults.add(f"{label}:{reader.line_num}", "a CSV row", error)
        if len(self.faults.found) > before and not rows:
            return None
        if any(c not in columns for c in needs):
            return None
        rows = [(line, cells) for line, cells in rows if any(c.strip() for c in cells)]
        return Grid(label, columns, rows)

    def _check_header(self, label: str, columns: tuple[str, ...], needs: Sequence[str]) -> None:
        if not columns:
            self.faults.add(f"{label}:1", "a header", "an empty file")
            return
        free = [c for c in columns if c not in needs]
        for column in needs:
            if column not in columns:
                seen = f"columns {', '.join(columns)}"
                self.faults.add(f"{label}:1", f"a column {column}", seen, _nearest(column, free))
        for twice in sorted({c for c in columns if columns.count(c) > 1}):
            self.faults.add(f"{label}:1", "each column once", f"{twice} more than once")


def is_packed(path: Path) -> bool:
    """Return whether a file is gzipped, by its name."""
    return path.suffix.lower() == ".gz"


def unpack(raw: bytes, most: int = MOST) -> bytes:
    """Return gzipped bytes unpacked.

    Raises:
        TooLarge: if there are more than `most`, as soon as that is seen.
        OSError, EOFError, zlib.error: if it is no whole gzip file.
    """
    with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise TooLarge(f"more, from {len(raw)} bytes packed")
    return data


def opened(path: Path) -> TextIO:
    """Return a file, gzipped or not, to look at its first lines; odd bytes are replaced."""
    if is_packed(path):
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
    return path.open("rt", encoding="utf-8-sig", errors="replace", newline="")


def lines_of(file: TextIO) -> Iterator[str]:
    """Yield the lines of a file, none longer than what it takes to recognise one."""
    return iter(lambda: file.readline(_LONGEST), "")


def header_of(path: Path) -> tuple[str, ...]:
    """Return the first row of a table as names of columns; empty if there is none."""
    try:
        with opened(path) as file:
            return tuple(column_name(c) for c in next(csv.reader(lines_of(file)), []))
    except (OSError, EOFError, csv.Error, zlib.error):
        return ()


def column_name(raw: str) -> str:
    """Return a header cell as columns are compared: lower case, hyphens as underscores."""
    return raw.strip().lower().replace("-", "_")


def _nearest(value: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(value, known, n=1, cutoff=0.5)
    return f"Did you mean {near[0]}?" if near else ""


def _shown(value: str) -> str:
    return repr(value if len(value) <= 60 else value[:57] + "...")
