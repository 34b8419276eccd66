"""Why a file does not fit its record, in faults that name the line and the nearest known key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel, ValidationError

from normwright.charter.loading import Document, Place
from normwright.norms.vocabulary import near
from normwright.records import (
    Amendment,
    Bearer,
    Condition,
    Estimate,
    Fault,
    Grant,
    Interval,
    MadeBy,
    Measure,
    NormCase,
    Provenance,
    Scope,
    Situation,
    Source,
    TierRule,
)

_PARTS: Mapping[str, type[BaseModel]] = {
    "all": Condition,
    "any": Condition,
    "not": Condition,
    "negate": Condition,
    "condition": Condition,
    "maintain": Condition,
    "axioms": Condition,
    "bearer": Bearer,
    "scope": Scope,
    "cases": NormCase,
    "measure": Measure,
    "source": Source,
    "provenance": Provenance,
    "support": Estimate,
    "interval": Interval,
    "made_by": MadeBy,
    "amendment": Amendment,
    "constitutional": TierRule,
    "revisable": TierRule,
    "grants": Grant,
    "situations": Situation,
}
"""The record that stands under a key of a file, to name the keys it could have."""

_INSTANT = "an instant such as 2026-12-02 or 2026-12-02T14:00:00Z"
_DAY = "a day such as 2026-12-02"
_WORDS: Mapping[str, str] = {
    "tuple_type": "a list",
    "too_short": "at least one",
    "string_too_short": "text that is not empty",
    "list_type": "a list",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "mapping_type": "keys and values",
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
    "datetime_type": _INSTANT,
    "datetime_parsing": _INSTANT,
    "datetime_from_date_parsing": _INSTANT,
}
"""What a kind of validation error means to a person who writes YAML."""


def explained(
    error: ValidationError, document: Document, top: type[BaseModel], base: Place = ()
) -> list[Fault]:
    """Turn validation errors into faults: the line, what would fit, and the nearest known key."""
    found: dict[str, Fault] = {}
    problems = error.errors(include_url=False)
    for problem in problems:
        if problem["type"] == "too_short" and _has_parts_amiss(problem["loc"], problems):
            continue  # what is in the list was counted out: it is not empty
        place = _existing((*base, *problem["loc"]), document, problem["type"])
        where = document.where(place)
        fault = _one(problem["type"], problem["msg"], problem["input"], place, base, top)
        # A value that fits none of several types gives one problem a type: one fault is enough.
        if where in found:
            both = dict.fromkeys((found[where].expected, fault.expected))
            expected = ", or ".join(both)
            fault = found[where].model_copy(update={"expected": expected})
        found[where] = fault.model_copy(update={"where": where})
    return list(found.values())


def _has_parts_amiss(loc: Place, problems: Iterable[Mapping[str, Any]]) -> bool:
    size = len(loc)
    return any(len(other["loc"]) > size and other["loc"][:size] == loc for other in problems)


def _existing(place: Place, document: Document, kind: str) -> Place:
    """The part of a validation path that stands in the file; a missing key stays at its end."""
    if kind == "missing":
        return place
    while len(place) > 1 and place not in document.lines:
        place = place[:-1]
    return place


def _one(
    kind: str, message: str, value: Any, place: Place, base: Place, top: type[BaseModel]
) -> Fault:
    if kind == "extra_forbidden":
        known = _keys(place[:-1], base, top)
        return Fault(where="", expected=f"one of {', '.join(known)}",
                     seen=f"unknown key {place[-1]}", do=near(place[-1], known))  # fmt: skip
    if kind == "missing":
        return Fault(where="", expected=f"the key {place[-1]}", seen="nothing")
    told = message.removeprefix("Input should be ").removeprefix("Value error, ")
    expected = _WORDS.get(kind, told)
    if kind == "too_short":
        return Fault(where="", expected=expected, seen="none")
    shown = value if isinstance(value, (str, int, float, bool, date)) else type(value).__name__
    return Fault(where="", expected=expected, seen=str(shown)[:80])


def _keys(place: Place, base: Place, top: type[BaseModel]) -> list[str]:
    inside = [step for step in place[len(base) :] if isinstance(step, str)]
    # The groups of a support are named freely, and `all` is one of them.
    named = [step for step in inside if step != "all" or "support" not in inside]
    model = next((_PARTS[step] for step in reversed(named) if step in _PARTS), top)
    return sorted(field.alias or name for name, field in model.model_fields.items())
