"""Make typed rows of JSON lines, so that every fault of every file is named with its line."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

from normwright.records import Fault, InputError, json_rows

ENDINGS: Final = (".jsonl.gz", ".jsonl")

Row = TypeVar("Row")


@dataclass
class Line:
    """One line's object, which notes what its fields lack."""

    where: str
    body: Mapping[str, Any]
    faults: list[Fault] = field(default_factory=list)
    left_out: str = ""
    """Why the row cannot serve though nothing is wrong with it; empty where it can."""

    def fault(self, expected: str, seen: str, do: str = "") -> None:
        self.faults.append(Fault(where=self.where, expected=expected, seen=seen, do=do))

    def text(self, name: str, *, empty: bool = False) -> str:
        """A field's text; noted as a fault where it is missing, no text, or empty if it may not."""
        value = self.body.get(name)
        if isinstance(value, str) and (empty or value.strip()):
            return value
        seen = f"a {type(value).__name__}" if name in self.body else "no such field"
        self.fault(f"text in `{name}`", "nothing in it" if isinstance(value, str) else seen)
        return ""

    def texts(self, name: str) -> tuple[str, ...]:
        """A field's list of texts, none of them empty; noted as a fault where it is not that."""
        value = self.body.get(name)
        if (
            isinstance(value, list)
            and value
            and all(isinstance(v, str) and v.strip() for v in value)
        ):
            return tuple(value)
        self.fault(
            f"a list of texts in `{name}`",
            "no such field" if name not in self.body else "another value, or an empty text",
        )
        return ()

    def number(self, name: str) -> float:
        """A field's number; noted as a fault where it is none."""
        value = self.body.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        self.fault(
            f"a number in `{name}`",
            f"a {type(value).__name__}" if name in self.body else "no such field",
        )
        return math.nan

    def one_of(self, name: str, known: tuple[str, ...], what: str) -> str:
        value = self.text(name)
        if value and value not in known:
            self.fault(
                f"{what}: {' or '.join(known)}",
                repr(value[:40]),
                "An unknown value is never taken for a known one; correct the file.",
            )
        return value


Make: TypeAlias = Callable[[Line], Row | None]
"""Makes a row of a line; None where the line has faults, which are then noted in it."""


def read(path: Path, make: Make[Row]) -> tuple[Row, ...]:
    """Return the rows of a file.

    Raises:
        InputError: with every fault of the file.
    """
    faults: list[Fault] = []
    found = rows(path, make, faults)
    if faults:
        raise InputError(faults)
    return found


def find(directory: Path, name: str, faults: list[Fault], *, expected: str, do: str) -> Path:
    """Return the file of a set, packed or not; noted in `faults` where there is none."""
    for ending in ENDINGS:
        if (directory / f"{name}{ending}").is_file():
            return directory / f"{name}{ending}"
    missing = directory / f"{name}{ENDINGS[0]}"
    faults.append(Fault(
        where=str(missing), expected=expected, seen="no such file", do=do))  # fmt: skip
    return missing


def rows(
    path: Path, make: Make[Row], faults: list[Fault], *, left_out: Counter[str] | None = None
) -> tuple[Row, ...]:
    """Return the rows of a file; what is wrong with it is added to `faults`.

    Rows that cannot serve though nothing is wrong with them are counted in `left_out`.
    """
    before, made = len(faults), []
    first: dict[str, int] = {}
    for number, body in json_rows(path, str(path), faults):
        line = Line(f"{path}:{number}", body)
        row = make(line)
        name = str(body.get("id"))
        if "id" in body and first.setdefault(name, number) != number:
            line.fault("an id of its own", f"that of line {first[name]}")
        faults += line.faults
        if line.left_out and left_out is not None:
            left_out[line.left_out] += 1
        if row is not None:
            made.append(row)
    if not made and len(faults) == before:
        faults.append(Fault(where=str(path), expected="rows", seen="none"))
    return tuple(made)
