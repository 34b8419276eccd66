"""The JSON Schema that editors read: it takes what the program takes, and refuses slips of the pen.

Validated here by a reading of the standard written for the test, not by the library that made the
schema; it knows only the words this schema uses, and fails at any other.
"""

from __future__ import annotations

import copy
import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from normwright.flow import project_schema
from normwright.flow.start import TEMPLATES

SCHEMA = project_schema()
FILE = "normwright.schema.json"
REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
SILENT = {"$schema", "$defs", "default", "description", "title"}
"""Words that forbid nothing."""
TYPES: Mapping[str, Any] = {
    "array": lambda v: isinstance(v, list),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "null": lambda v: v is None,
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "object": lambda v: isinstance(v, dict),
    "string": lambda v: isinstance(v, str),
}


BOUNDS: Mapping[str, Callable[[float, float], bool]] = {
    "minimum": operator.ge,
    "maximum": operator.le,
    "exclusiveMinimum": operator.gt,
    "exclusiveMaximum": operator.lt,
}


def wrong(value: Any, schema: Any, at: str = "") -> Iterator[str]:
    """Everything in a value that a schema does not allow, by path (JSON Schema 2020-12)."""
    if schema is True:
        return
    for word, told in schema.items():
        match word:
            case "$ref":
                yield from wrong(value, SCHEMA["$defs"][told.removeprefix("#/$defs/")], at)
            case "anyOf":
                empty = {"type": "null"}
                found = [list(wrong(value, one, at)) for one in told if one != empty]
                if all(found) and not (value is None and empty in told):
                    # What may be left empty is told by what it otherwise has to be.
                    yield from found[0] if len(found) == 1 else [f"{at}: fits none"]
            case "type":
                if not TYPES[told](value):
                    yield f"{at}: no {told}"
            case "const" | "enum":
                if value not in (told if word == "enum" else [told]):
                    yield f"{at}: not one of"
            case "required":
                yield from (f"{at}: lacks {key}" for key in told if key not in value)
            case "properties":
                for key in value.keys() & told.keys() if isinstance(value, dict) else ():
                    yield from wrong(value[key], told[key], f"{at}.{key}")
            case "additionalProperties":
                for key in value.keys() - schema.get("properties", {}).keys():
                    if told is False:
                        yield f"{at}.{key}: unknown"
                    else:
                        yield from wrong(value[key], told, f"{at}.{key}")
            case "items":
                for number, one in enumerate(value):
                    yield from wrong(one, told, f"{at}[{number}]")
            case "pattern":
                if isinstance(value, str) and not re.search(told, value):
                    yield f"{at}: another form"
            case "maxLength" | "minItems":
                size = len(value)
                if (word == "maxLength" and size > told) or (word == "minItems" and size < told):
                    yield f"{at}: {word}"
            case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
                if isinstance(value, int | float) and not BOUNDS[word](value, told):
                    yield f"{at}: {word}"
            case _:
                assert word in SILENT, f"this test does not know the word {word}"


def template(name: str) -> dict[str, Any]:
    """A template's project file as an editor reads it."""
    loaded = yaml.safe_load((TEMPLATES / name / "normwright.yaml").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def mappings(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where there are mappings of settings; titles take any key."""
    if isinstance(value, dict) and path != ("title",):
        yield path
        for key, inner in value.items():
            yield from mappings(inner, (*path, key))


@pytest.mark.parametrize("name", ["town", "micro"])
def test_templates_fit(name: str) -> None:
    """What ships is right in an editor too."""
    assert list(wrong(template(name), SCHEMA)) == []


@pytest.mark.parametrize("path", list(mappings(template("town"))), ids=".".join)
def test_an_unknown_key_anywhere_is_wrong(path: tuple[str, ...]) -> None:
    """A slip in any mapping is marked where it stands."""
    value = copy.deepcopy(template("town"))
    at = value
    for key in path:
        at = at[key]
    at["slip"] = 1

    assert list(wrong(value, SCHEMA)) == [".".join(["", *path, "slip: unknown"])]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schema", "project/v2"),
        ("seed", -1),
        ("seed", "one"),
        ("id", "No Slug"),
        ("languages", []),
        ("charter_date", "tomorrow"),
        ("threads", 0),
        ("learn.plain", 1.5),
        ("learn.sft", {"lr": 0}),
        ("model.kind", "huge"),
        ("controls", ["colapsed"]),
        ("release.modes", []),
    ],
)
def test_a_wrong_value_is_wrong(path: str, value: Any) -> None:
    """A value of the wrong kind, or out of bounds, is marked; nothing else is."""
    whole = copy.deepcopy(template("town"))
    *parents, key = path.split(".")
    at = whole
    for parent in parents:
        at = at[parent]
    at[key] = value

    assert all(one.startswith(f".{path}") for one in wrong(whole, SCHEMA))
    assert any(wrong(whole, SCHEMA))


def test_a_new_project_brings_it_and_names_it() -> None:
    """Each template's first line names the file beside it, which is the one that is published."""
    published = (REFERENCE / FILE).read_text(encoding="utf-8")

    for name in ("town", "micro"):
        text = (TEMPLATES / name / "normwright.yaml").read_text(encoding="utf-8")
        assert text.startswith(f"# yaml-language-server: $schema={FILE}\n")
    assert (TEMPLATES / "town" / FILE).read_text(encoding="utf-8") == published
    assert json.loads(published) == SCHEMA
