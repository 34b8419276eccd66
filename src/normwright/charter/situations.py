"""Situations as files: one by itself, or several with what must come out, beside their norms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from normwright.charter.explaining import explained
from normwright.charter.loading import Document, Place, load
from normwright.records import Fault, InputError, Situation


@dataclass(frozen=True)
class Asked:
    """A situation to be decided."""

    name: str
    """How the file calls it; empty: it has no name."""
    situation: Situation
    expect: Mapping[str, Any] | None = None
    """What the file says must come out: `verdict`, and perhaps other fields of a decision. None:
    nothing is expected."""


def read_situations(path: Path) -> tuple[tuple[Asked, ...], bool]:
    """Return the situations of a file, and whether they stood in a list.

    A file holds one situation, or a list of them under `situations`; each of these may have a
    `name` and an `expect`, which is a verdict or a mapping of a decision's fields.

    Raises:
        InputError: with every fault of the file, each with its line.
    """
    faults: list[Fault] = []
    document = load(path, path.name, faults)
    if document is None:
        raise InputError(faults)
    several = isinstance(document.value, dict) and "situations" in document.value
    entries = document.value["situations"] if several else [document.value]
    if not isinstance(entries, list):
        faults.append(Fault(where=document.where(("situations",)), expected="a list of situations",
                            seen=type(entries).__name__))  # fmt: skip
        raise InputError(faults)
    asked = []
    for number, entry in enumerate(entries):
        place: Place = ("situations", number) if several else ()
        found = _asked(entry, document, place, faults)
        if found is not None:
            asked.append(found)
    if faults:
        raise InputError(faults)
    return tuple(asked), several


def _asked(entry: Any, document: Document, place: Place, faults: list[Fault]) -> Asked | None:
    if not isinstance(entry, dict):
        seen = "nothing" if entry is None else type(entry).__name__
        faults.append(Fault(where=document.where(place), expected="a situation: act and facts",
                            seen=seen, do="See: normwright charter decide --help"))  # fmt: skip
        return None
    body = {key: value for key, value in entry.items() if key not in ("name", "expect")}
    try:
        situation = Situation.model_validate(body)
    except ValidationError as error:
        faults += explained(error, document, Situation, place)
        return None
    given = entry.get("expect")
    expect = {"verdict": given} if isinstance(given, str) else given
    return Asked(name=str(entry.get("name", "")), situation=situation, expect=expect)
