"""The JSON Schemas say what the reader says: what is sound passes both, what is broken neither."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from tests.charter.builders import body

from normwright.charter.schema import file_schemas

TOWN = Path(str(files("normwright.flow"))) / "templates" / "town" / "norms"
SCHEMAS = file_schemas()


def faults(schema: str, value: Any) -> list[str]:
    """What an editor would underline; dates as they stand in the file."""
    plain = json.loads(json.dumps(value, default=str))
    found = Draft202012Validator(SCHEMAS[schema]).iter_errors(plain)
    return [f"{list(error.absolute_path)} {error.message}" for error in found]


@pytest.mark.parametrize("path", sorted(TOWN.rglob("*.yaml")), ids=lambda p: p.stem)
def test_every_file_of_the_town_fits_its_schema(path: Path) -> None:
    """And names it in its first line, so that an editor finds it."""
    text = path.read_text(encoding="utf-8")
    kind = path.stem if path.parent == TOWN else "norm"

    assert faults(f"{kind}.schema.json", yaml.safe_load(text)) == []
    named = text.splitlines()[0].partition("$schema=")[2]
    assert (path.parent / named).resolve() == TOWN / f"{kind}.schema.json"


@pytest.mark.parametrize(
    "broken",
    [
        {"kind": "ban"}, {"severity": 6}, {"sevrity": 3}, {"act": None},
        {"condition": {"fact": "a", "equals": 1}}, {"cases": [{"lang": "en"}]},
        {"bearer": {"actor": ["robot"]}}, {"statement": "No."},
    ],
)  # fmt: skip
def test_what_the_reader_refuses_an_editor_underlines(broken: dict[str, Any]) -> None:
    """Unknown keys, wrong words, wrong types, missing keys."""
    sound = json.loads(json.dumps(body()))
    made = {**sound, **broken}
    if broken.get("act", "") is None:
        del made["act"]

    assert faults("norm.schema.json", sound) == []
    assert faults("norm.schema.json", made) != []


def test_one_file_and_situations_have_schemas_too() -> None:
    """A whole charter in one file, and what is asked of one."""
    asked = {"act": "advise", "facts": {"clinician": "unknown"}, "bearer": "assistant"}
    acts = [{"name": "advise", "label": {"en": "a", "pt": "a"}}]
    whole = {"id": "desk", "acts": acts, "facts": [], "norms": [body()],
             "situations": [{**asked, "name": "one", "expect": "deny"}]}  # fmt: skip

    assert faults("situation.schema.json", asked) == []
    assert faults("situation.schema.json", {**asked, "fact": 1}) != []
    assert faults("charter-file.schema.json", whole) == []
    assert faults("charter-file.schema.json", {**whole, "norm": []}) != []
