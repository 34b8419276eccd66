"""Situations as files: one by itself, or several with what must come out, beside their norms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from normwright.charter.explaining import explained
from normwright.charter.loading import Document, Place, load
from normwright.norms import Acts
from normwright.norms.vocabulary import near
from normwright.records import (
    Basis,
    Decision,
    FactReading,
    Fault,
    InputError,
    Situation,
    Vocabulary,
    instant_text,
)

OUTCOME = ("verdict", "governing", "defeated", "unknown", "least_bad", "duties", "reparations")
"""The fields of a decision that say what came out; a file may expect any of them."""


@dataclass(frozen=True)
class Asked:
    """A situation to be decided."""

    name: str
    """How the file calls it; empty: it has no name."""
    situation: Situation
    expect: Mapping[str, Any] | None = None
    """What the file says must come out: `verdict`, and perhaps other fields of a decision. None:
    nothing is expected."""
    document: Document | None = field(default=None, repr=False, compare=False)
    """The file it was read from."""
    place: Place = ()
    """Where in the file it stands."""

    def where(self, *steps: str | int) -> str:
        """Return the file and line of something in the situation."""
        if self.document is None:
            return ".".join(map(str, steps))
        return self.document.where((*self.place, *steps))


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


def strange_facts(asked: Asked, vocabulary: Vocabulary) -> list[Fault]:
    """Return a fault for each fact that the vocabulary does not have, with the nearest it has.

    The resolver takes any name, and is careful about what it does not know. In a file a name that
    is not the charter's is a slip of the pen, and who wrote it should learn at once.
    """
    known = [fact.name for fact in vocabulary.facts]
    return [
        Fault(where=asked.where("facts", name), expected="a fact of the vocabulary", seen=name,
              do=near(name, known))
        for name in asked.situation.facts
        if name not in known
    ]  # fmt: skip


def strange_acts(asked: Asked, vocabulary: Vocabulary) -> list[Fault]:
    """Return a remark for each act outside the ontology, which the charter can decide all the same.

    The request is denied in a closed world, and such an alternative is no way out.
    """
    acts = Acts(vocabulary)
    named = [("act", asked.situation.act), *(("feasible", a) for a in asked.situation.feasible)]
    return [
        Fault(where=asked.where(key), expected="an act of the ontology", seen=act,
              do=near(act, acts.names))
        for key, act in named
        if act not in acts
    ]  # fmt: skip


def missed(decision: Decision, expect: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields in which a decision is not what was expected.

    Duties may be expected by reference alone.
    """
    body = decision.model_dump(mode="json")
    body["duties"] = [
        {key: duty[key] for key in wanted} if isinstance(wanted, dict) else duty["id"]
        for duty, wanted in _paired(body["duties"], expect.get("duties"))
    ]
    return tuple(key for key, value in expect.items() if body[key] != value)


def _paired(duties: list[Any], wanted: Any) -> list[tuple[Any, Any]]:
    given = wanted if isinstance(wanted, list) else []
    return [(duty, given[i] if i < len(given) else None) for i, duty in enumerate(duties)]


def _asked(entry: Any, document: Document, place: Place, faults: list[Fault]) -> Asked | None:
    if not isinstance(entry, dict):
        seen = "nothing" if entry is None else type(entry).__name__
        faults.append(Fault(where=document.where(place), expected="a situation: act and facts",
                            seen=seen, do="See: normwright charter decide --help"))  # fmt: skip
        return None
    before = len(faults)
    body = {key: value for key, value in entry.items() if key not in ("name", "expect")}
    body = _read_parts(body, document, place, faults)
    try:
        situation = Situation.model_validate(body)
    except ValidationError as error:
        faults += explained(error, document, Situation, place)
    expect = _expected(entry.get("expect"), document, place, faults)
    if len(faults) > before:
        return None
    return Asked(str(entry.get("name", "")), situation, expect, document, place)


def _read_parts(
    body: dict[str, Any], document: Document, place: Place, faults: list[Fault]
) -> dict[str, Any]:
    """Read what could be one of several shapes, so that a fault names the shape that was meant."""
    given, told = body.get("facts"), body.get("jurisdiction")
    if isinstance(given, dict):
        read = {}
        for name, value in given.items():
            try:
                is_reading = isinstance(value, dict)
                read[name] = FactReading.model_validate(value) if is_reading else value
            except ValidationError as error:
                faults += explained(error, document, FactReading, (*place, "facts", name))
        body = {**body, "facts": read}
    if isinstance(told, dict):
        known = get_args(Basis)
        wrong = [who for who in told if who not in known]
        faults += [
            Fault(where=document.where((*place, "jurisdiction", who)), do=near(who, known),
                  expected=f"one of {', '.join(known)}", seen=f"unknown key {who}")
            for who in wrong
        ]  # fmt: skip
        body = {**body, "jurisdiction": {k: v for k, v in told.items() if k not in wrong}}
    return body


def _expected(
    given: Any, document: Document, place: Place, faults: list[Fault]
) -> Mapping[str, Any] | None:
    if given is None or isinstance(given, str):
        return given if given is None else {"verdict": given}
    if not isinstance(given, dict):
        faults.append(Fault(where=document.where((*place, "expect")),
                            expected="a verdict, or fields of a decision",
                            seen=type(given).__name__))  # fmt: skip
        return None
    faults += [
        Fault(where=document.where((*place, "expect", key)), do=near(key, OUTCOME),
              expected=f"one of {', '.join(OUTCOME)}", seen=f"unknown key {key}")
        for key in given
        if key not in OUTCOME
    ]  # fmt: skip
    return {key: _as_json(value) for key, value in given.items()}


def _as_json(value: Any) -> Any:
    match value:
        case dict():
            return {key: _as_json(part) for key, part in value.items()}
        case list():
            return [_as_json(part) for part in value]
        case date():
            return instant_text(value)
        case _:
            return value
