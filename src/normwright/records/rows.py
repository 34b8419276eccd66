"""Rows that people bring as JSON lines, packed (`.gz`) or not; whatever cannot be used is a fault.

The form in which texts from elsewhere cross the border of several rooms. No text of a row is
repeated in a message.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from normwright.records.evidence import Fault


def json_rows(
    path: Path, name: str, faults: list[Fault], *, halves: bool = False
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the object of each line that is not blank, with its number from 1.

    Args:
        path: a file of UTF-8 text, packed with gzip if it ends with `.gz`.
        name: what the file is called in messages.
        faults: what is wrong with the file or with a line is added to it, as `name:number`.
        halves: whether a text may hold half of a character, which is a fault otherwise.
    """
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
    except FileNotFoundError:
        faults.append(Fault(where=name, expected="a file", seen="no such file"))
        return
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        faults.append(Fault(
            where=name, expected="UTF-8 text, packed with gzip if it ends with .gz",
            seen=type(error).__name__, do="Take the file from its source again."))  # fmt: skip
        return
    # Not splitlines: JSON may hold line separators of Unicode as they are.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not halves and isinstance(row, dict) and "\\ud" in line.lower() and _is_halved(row):
            faults.append(Fault(where=f"{name}:{number}", expected="whole characters",
                                seen="half of a character"))  # fmt: skip
        elif isinstance(row, dict):
            yield number, row
        else:
            faults.append(Fault(where=f"{name}:{number}", expected="a JSON object", seen="none"))


def _is_halved(row: dict[str, Any]) -> bool:
    """Whether a text holds one half of a pair of surrogates, which UTF-8 cannot write."""
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False
