"""Why a file does not fit its record, in faults that name the line and the nearest known key."""

from __future__ import annotations

from collections.abc import Mapping
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


def explained(
    error: ValidationError, document: Document, top: type[BaseModel], base: Place = ()
) -> list[Fault]:
    """Turn validation errors into faults: the line, what would fit, and the nearest known key."""
    found: dict[str, Fault] = {}
    for problem in error.errors(include_url=False):
        place = _existing((*base, *problem["loc"]), document, problem["type"])
        where = document.where(place)
        fault = _one(problem["type"], problem["msg"], problem["input"], place, base, top)
        # A value that fits none of several types gives one problem a type: one fault is enough.
        if where in found:
            expected = f"{found[where].expected}, or {fault.expected}"
            fault = found[where].model_copy(update={"expected": expected})
        found[where] = fault.model_copy(update={"where": where})
    return list(found.values())


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
    expected = message.removeprefix("Input should be ").removeprefix("Value error, ")
    shown = value if isinstance(value, (str, int, float, bool, date)) else type(value).__name__
    return Fault(where="", expected=expected, seen=str(shown)[:80])


def _keys(place: Place, base: Place, top: type[BaseModel]) -> list[str]:
    inside = [step for step in place[len(base) :] if isinstance(step, str)]
    # The groups of a support are named freely, and `all` is one of them.
    named = [step for step in inside if step != "all" or "support" not in inside]
    model = next((_PARTS[step] for step in reversed(named) if step in _PARTS), top)
    return sorted(field.alias or name for name, field in model.model_fields.items())
