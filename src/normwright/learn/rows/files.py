"""Rows of any form in files: JSON lines or a JSON list, packed or not, and parquet.

What is written is UTF-8, one object a line, without NaN, the same bytes for the same rows.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from normwright.records import Fault, MissingExtra, json_rows

Row = Mapping[str, Any]

PARQUET: Final = ".parquet"


def read_rows(path: Path, faults: list[Fault]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a file with their numbers from 1; what cannot be used is a fault.

    Args:
        path: `.jsonl` or `.json`, either also with `.gz`, or `.parquet`.
        faults: what is wrong is added to it, as `file:number`. A row with NaN, or with half of a
            character (a lone surrogate), which no file can hold, is one.
    """
    name = path.name
    plain = name.removesuffix(".gz")
    if plain.endswith(PARQUET):
        found = _parquet_rows(path, faults)
    elif plain.endswith(".json"):
        found = _list_rows(path, faults)
    else:
        found = json_rows(path, name, faults)
    for number, row in found:
        if (seen := _unfit(row)) is None:
            yield number, row
        else:
            faults.append(Fault(where=f"{name}:{number}", expected="a row that JSON in UTF-8 holds",
                                seen=seen))  # fmt: skip


def line_of(row: Row) -> str:
    """Return a row as a line: keys in their order, UTF-8 as it is, no NaN."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(", ", ": ")) + "\n"


def write_rows(path: Path, rows: Iterable[Row]) -> int:
    """Write rows as the name of the file says, and return how many there were.

    Packed bytes name no file and no time. A parquet file is packed with zstd.
    """
    name = path.name
    if name.endswith(PARQUET):
        return _write_parquet(path, list(rows))
    if name.removesuffix(".gz").endswith(".json"):
        told = list(rows)
        data = json.dumps(told, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
        _write(path, [data])
        return len(told)
    return _write(path, map(line_of, rows))


def _write(path: Path, lines: Iterable[str]) -> int:
    count = 0
    with path.open("wb") as raw:
        if path.suffix == ".gz":
            with gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed:
                for count, line in enumerate(lines, 1):  # noqa: B007
                    packed.write(line.encode())
        else:
            for count, line in enumerate(lines, 1):  # noqa: B007
                raw.write(line.encode())
    return count


def _list_rows(path: Path, faults: list[Fault]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the objects of a JSON list; a file that holds lines all the same is read as lines."""
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
        if not text.lstrip().startswith("["):
            yield from json_rows(path, path.name, faults)
            return
        rows = json.loads(text)
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        faults.append(Fault(where=path.name, expected="a JSON list of objects in UTF-8",
                            seen=type(error).__name__))  # fmt: skip
        return
    for number, row in enumerate(rows, 1):
        if isinstance(row, dict):
            yield number, row
        else:
            faults.append(Fault(where=f"{path.name}:{number}", expected="a JSON object",
                                seen=type(row).__name__))  # fmt: skip


def _parquet_rows(path: Path, faults: list[Fault]) -> Iterator[tuple[int, dict[str, Any]]]:
    _require_pyarrow()
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.ParquetFile(path)
        number = 0
        for batch in table.iter_batches(batch_size=4_096):
            for row in batch.to_pylist():
                number += 1
                yield number, _without_nulls(row)
    except (OSError, pyarrow.ArrowException) as error:
        faults.append(Fault(where=path.name, expected="a parquet file", seen=type(error).__name__))


def _without_nulls(value: Any) -> Any:
    """Return a value without keys that are null: in parquet every row has every key of the file."""
    match value:
        case dict():
            return {k: _without_nulls(v) for k, v in value.items() if v is not None}
        case list():
            return [_without_nulls(one) for one in value]
    return value


def _write_parquet(path: Path, rows: list[Row]) -> int:
    _require_pyarrow()
    import pyarrow
    import pyarrow.parquet

    names = list(dict.fromkeys(name for row in rows for name in row))
    # A column of which only some rows have a value is null in the others, as parquet has to.
    table = pyarrow.table({name: [row.get(name) for row in rows] for name in names})
    pyarrow.parquet.write_table(table, path, compression="zstd")
    return len(rows)


def _require_pyarrow() -> None:
    if find_spec("pyarrow") is None:
        raise MissingExtra("Reading and writing parquet", "learn")


def _unfit(row: Row) -> str | None:
    """Return why a row cannot be written, or None."""
    try:
        json.dumps(row, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        return "half of a character"
    except ValueError:
        return "a number that is not finite"
    except RecursionError:
        return "lists within lists without end"
    except TypeError as error:
        return str(error)
    return None
