"""Situations as they are typed on the command line, and told so that they can be typed again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from normwright.records import Fault, InputError, Situation

if TYPE_CHECKING:
    from normwright.records import FactValue


def facts_of(given: Sequence[str]) -> dict[str, FactValue]:
    """Return facts written as `name=value`: true, false, a whole number, `unknown`, or text.

    Raises:
        InputError: with every one that has no name or no value.
    """
    facts: dict[str, FactValue] = {}
    faults = []
    for one in given:
        name, equals, value = one.partition("=")
        if not (name and equals and value):
            faults.append(Fault(where="--fact", expected="NAME=VALUE", seen=repr(one)))
        facts[name] = _value(value)
    if faults:
        raise InputError(faults)
    return facts


def as_asked(situation: Situation) -> str:
    """Return what of a situation can be typed: act, facts, and what else could be done."""
    from normwright.norms import NULL_ACT

    facts = ", ".join(f"{name}={_typed(value)}" for name, value in situation.facts.items())
    others = [act for act in situation.feasible if act != NULL_ACT]
    parts = (situation.act, facts, f"+ {', '.join(others)}" if others else "")
    return "; ".join(part for part in parts if part)


def _typed(value: object) -> str:
    match value:
        case None:
            return "unknown"
        case bool():
            return str(value).lower()
        case _:
            return str(value)


def _value(text: str) -> FactValue:
    match text:
        case "true":
            return True
        case "false":
            return False
        case "unknown":
            return None
    return int(text) if text.removeprefix("-").isdecimal() else text
