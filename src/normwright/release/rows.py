"""Reads a folder of evidence: rows of anybody's evaluation, runs that were tried, a permit.

A file holds one JSON value, a list of values, or one a line; packed or not. Whatever is in it and
cannot be read is a fault, because a row that is passed over could be the one that fails.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from normwright.records import Digest, EvidenceRow, Fault, InputError, digest_bytes

SUFFIXES = (".json", ".jsonl", ".json.gz", ".jsonl.gz")
"""Names of files that hold evidence; others are let lie."""

LARGEST = 1 << 28
"""Bytes of one file, unpacked, beyond which it is refused rather than read."""

_KEYS = tuple(EvidenceRow.model_fields)


@dataclass(frozen=True)
class GivenRow:
    """A row, and where it stands."""

    row: EvidenceRow
    where: str


@dataclass(frozen=True)
class Folder:
    """What a folder of evidence holds."""

    rows: tuple[GivenRow, ...]
    runs: tuple[str, ...]
    """Runs of candidates that were tried, named beside the rows, once each."""
    permits: tuple[tuple[str, bytes], ...]
    """Files that hold a permit, or what `charter permit --json` prints: name and bytes."""
    files: dict[str, Digest]
    """Digest of every file that was read, by its name in the folder."""

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that some row is about, sorted."""
        return tuple(sorted({str(g.row.slice["lang"]) for g in self.rows if "lang" in g.row.slice}))


def read_folder(directory: Path) -> Folder:
    """Return what a folder of evidence holds; folders inside it are let lie.

    Raises:
        InputError: with every fault of every file.
    """
    reader = _Reader(directory)
    found = reader.read()
    if reader.faults:
        raise InputError(reader.faults)
    return found


@dataclass
class _Reader:
    """Walks the files and collects every fault on the way."""

    directory: Path
    faults: list[Fault] = field(default_factory=list)
    files: dict[str, Digest] = field(default_factory=dict)

    def fault(self, where: str, expected: str, seen: str, do: str = "") -> None:
        self.faults.append(Fault(where=where, expected=expected, seen=_short(seen), do=do))

    def read(self) -> Folder:
        raw = {path.name: self.file(path) for path in self.paths()}
        beside = {name for values in raw.values() for _, one in values for name in _beside(one)}
        rows: list[GivenRow] = []
        runs: list[str] = []
        permits: list[tuple[str, bytes]] = []
        for name, values in raw.items():
            if name in beside:
                continue
            for where, one in values:
                if _is_permit(one):
                    permits.append((where, json.dumps(one).encode()))
                elif _is_envelope(one):
                    continue  # a signed statement of another kind, such as an earlier verdict
                elif isinstance(one, dict) and "metric" not in one and "run" in one:
                    runs.extend(self.run(where, one))
                else:
                    rows.extend(self.row(where, one, raw))
        return Folder(tuple(rows), tuple(dict.fromkeys(runs)), tuple(permits), self.files)

    def paths(self) -> list[Path]:
        if not self.directory.is_dir():
            do = "Give the folder that holds the rows, one JSON file a metric."
            self.fault(str(self.directory), "a folder of evidence", "no such folder", do)
            return []
        try:
            found = sorted(p for p in self.directory.iterdir() if p.name.endswith(SUFFIXES))
        except OSError as error:
            self.fault(str(self.directory), "a readable folder", str(error))
            return []
        return [path for path in found if path.is_file()]

    def file(self, path: Path) -> list[tuple[str, Any]]:
        """The JSON values of one file, each with its place."""
        try:
            data = path.read_bytes()
            self.files[path.name] = digest_bytes(data)
            text = (_unpacked(data) if path.name.endswith(".gz") else data).decode("utf-8-sig")
        except (OSError, EOFError, ValueError, zlib.error) as error:
            expected = "UTF-8 text of JSON, packed with gzip if it ends with .gz"
            self.fault(path.name, expected, f"{type(error).__name__}: {error}")
            return []
        if ".jsonl" in path.name:
            return self.lines(path.name, text)
        return self.whole(path.name, text)

    def lines(self, name: str, text: str) -> list[tuple[str, Any]]:
        found = []
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                try:
                    found.append((f"{name}:{number}", _parsed(line)))
                except (ValueError, RecursionError) as error:
                    self.fault(f"{name}:{number}", "one JSON value", str(error))
        return found

    def whole(self, name: str, text: str) -> list[tuple[str, Any]]:
        try:
            value = _parsed(text)
        except (ValueError, RecursionError) as error:
            if (lines := _as_lines(text)) is not None:
                return [(f"{name}:{number}", value) for number, value in lines]
            self.fault(name, "JSON: a row, a list of rows, or one a line", str(error))
            return []
        if isinstance(value, list):
            return [(f"{name}[{i}]", one) for i, one in enumerate(value)]
        return [(name, value)]

    def run(self, where: str, one: dict[str, Any]) -> Iterator[str]:
        for key in sorted(set(one) - {"run", "model", "at"}):
            self.fault(f"{where}: {key}", "run, model or at of a run that was tried", key)
        if isinstance(one["run"], str) and one["run"]:
            yield one["run"]
        else:
            self.fault(f"{where}: run", "the name of a run", repr(one["run"]))

    def row(
        self, where: str, one: Any, raw: dict[str, list[tuple[str, Any]]]
    ) -> Iterator[GivenRow]:
        if not isinstance(one, dict):
            self.fault(where, "a row: a JSON object with a metric", type(one).__name__)
            return
        for name in _beside(one):
            one = {**one, **self.items(f"{where}: items", name, raw)}
        try:
            yield GivenRow(EvidenceRow.model_validate(one), where)
        except ValidationError as error:
            for each in error.errors(include_url=False):
                at = ".".join(str(part) for part in each["loc"][:4])
                unknown = each["type"] == "extra_forbidden"
                expected = f"one of {', '.join(_KEYS)}" if unknown else _plainly(each["msg"])
                seen = at if unknown else repr(each["input"])
                self.fault(f"{where}: {at}" if at else where, expected, seen)

    def items(
        self, where: str, name: str, raw: dict[str, list[tuple[str, Any]]]
    ) -> dict[str, dict[str, Any]]:
        """The items, and the units they belong to, from a file beside."""
        if name not in raw or PurePosixPath(name).name != name:
            do = "Put it into the same folder; its name ends with .jsonl or .jsonl.gz."
            self.fault(where, "the name of a file of {id, value} lines beside", repr(name), do)
            return {"items": {}}
        values: dict[str, Any] = {}
        clusters: dict[str, Any] = {}
        for place, one in raw[name]:
            if not isinstance(one, dict) or not {"id", "value"} <= set(one) <= {
                "id", "value", "cluster",
            }:  # fmt: skip
                self.fault(place, "{id, value} or {id, value, cluster}", type(one).__name__)
            elif str(one["id"]) in values:
                self.fault(place, "each id once", repr(one["id"]))
            else:
                values[str(one["id"])] = one["value"]
                if "cluster" in one:
                    clusters[str(one["id"])] = one["cluster"]
        return {"items": values, **({"clusters": clusters} if clusters else {})}


def _beside(one: Any) -> tuple[str, ...]:
    """The file that a row names for its items, if it names one."""
    items = one.get("items") if isinstance(one, dict) else None
    return (items,) if isinstance(items, str) else ()


def _is_permit(one: Any) -> bool:
    """A permit, a signed one, or what `charter permit --json` prints."""
    if not isinstance(one, dict):
        return False
    if one.get("schema") == "permit/v1" or isinstance(one.get("permit"), bool):
        return True
    return _is_envelope(one) and b'"urn:normwright:permit' in _payload(one)


def _is_envelope(one: Any) -> bool:
    return isinstance(one, dict) and {"payload", "payloadType", "signatures"} <= set(one)


def _payload(one: dict[str, Any]) -> bytes:
    import base64

    try:
        return base64.b64decode(str(one["payload"]))
    except ValueError:
        return b""


def _unpacked(data: bytes) -> bytes:
    import io

    with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        text = stream.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise ValueError(f"more than {LARGEST} bytes")
    return text


def _parsed(text: str) -> Any:
    """Return one JSON value. NaN is no number, and a key that comes twice is no key.

    Raises:
        ValueError: if it is none.
    """
    return json.loads(text, parse_constant=_no_number, object_pairs_hook=_once)


def _as_lines(text: str) -> list[tuple[int, Any]] | None:
    """The values of a text with one a line; None if it is not that."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(lines) < 2:
        return None
    try:
        return [(number, _parsed(line)) for number, line in lines]
    except (ValueError, RecursionError):
        return None


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} comes twice")
        found[key] = value
    return found


def _plainly(message: str) -> str:
    """Return what a validation expected, without its own words around it."""
    return message.removeprefix("Input should be ").removeprefix("Value error, ")


def _short(text: str) -> str:
    """Return a text that anybody may have written so that a line can show it."""
    plain = text if text.isprintable() else ascii(text)
    return plain[:200]
