"""Conditions, texts and instants as Cedar writes them.

Source: Cedar policy language, https://docs.cedarpolicy.com
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal

from normwright.records import Condition, FactType

TYPES: dict[Literal["bool", "enum", "int", "time"], str] = {
    "bool": "Bool",
    "enum": "String",
    "int": "Long",
    "time": "datetime",
}
"""The type of a fact, as a schema writes it."""


def formula(condition: Condition, facts: Mapping[str, FactType]) -> str:
    """Return a condition over facts of the context; where a fact is missing its atom is false."""
    if condition.all is not None:
        return _joined("&&", (formula(c, facts) for c in condition.all), "true")
    if condition.any is not None:
        return _joined("||", (formula(c, facts) for c in condition.any), "false")
    if condition.negate is not None:
        return f"!({formula(condition.negate, facts)})"
    if condition.fact is None:
        return "true"
    name = text(condition.fact)
    return f"(context has {name} && {_atom(condition, f'context[{name}]', facts[condition.fact])})"


def instant(given: str) -> str:
    """Return an instant as Cedar writes it: UTC, to the millisecond; without a zone it is UTC."""
    read = datetime.fromisoformat(given)
    utc = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def text(value: str) -> str:
    """Return a text as Cedar writes it."""
    return json.dumps(value, ensure_ascii=False)


def pattern(value: str) -> str:
    """Return what Cedar's `like` takes for a name, or for a beginning of names that ends in `*`."""
    start = value.removesuffix("*").replace("*", "\0")
    star = "*" if value.endswith("*") else ""
    return f'{text(start)[:-1].replace(chr(92) + "u0000", chr(92) + "*")}{star}"'


def _joined(operator: str, parts: Iterable[str], empty: str) -> str:
    found = list(parts)
    if not found:
        return empty
    return found[0] if len(found) == 1 else f"({f' {operator} '.join(found)})"


def _atom(condition: Condition, value: str, fact: FactType) -> str:
    if condition.at_least is not None:
        return f"{value} >= {_value(condition.at_least, fact)}"
    if condition.at_most is not None:
        return f"{value} <= {_value(condition.at_most, fact)}"
    if condition.one_of is not None:
        listed = ", ".join(_value(v, fact) for v in condition.one_of)
        return f"[{listed}].contains({value})"
    return f"{value} == {_value(condition.eq, fact)}"


def _value(value: bool | int | str | None, fact: FactType) -> str:
    if fact.type == "time":
        return f"datetime({text(instant(str(value)))})"
    return json.dumps(value, ensure_ascii=False)
