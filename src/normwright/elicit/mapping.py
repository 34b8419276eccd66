"""`mapping.yaml`: what people decided about a file, so that it is read again without questions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import yaml

from normwright.elicit.files import Folder

FILE = "mapping.yaml"

Check: TypeAlias = Callable[[Any], bool]


def is_text(value: Any) -> bool:
    """A text that is not empty."""
    return isinstance(value, str) and bool(value.strip())


def is_list(value: Any) -> bool:
    """A list of texts."""
    return isinstance(value, list) and all(isinstance(v, str) for v in value)


def is_words(value: Any) -> bool:
    """A mapping of texts to texts. A bare yes or no is a truth value to YAML, and refused."""
    return isinstance(value, dict) and all(
        isinstance(v, str) and not isinstance(k, bool) for k, v in value.items()
    )


def read_mapping(folder: Folder, known: Mapping[str, tuple[Check, str]]) -> dict[str, Any]:
    """Return what the mapping says, by key; empty where there is none. Faults are noted.

    Args:
        folder: where the file lies.
        known: for each key, what its value has to be: a check, and the same in words.
    """
    return {**_written(folder, known), **_checked(folder.given, "answers", folder, known)}


def _written(folder: Folder, known: Mapping[str, tuple[Check, str]]) -> dict[str, Any]:
    if folder.find(FILE) is None:
        return {}
    found = folder.text(FILE)
    if found is None:
        return {}
    label, text = found
    try:
        raw = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{label}:{mark.line + 1}" if mark else label
        folder.faults.add(where, "YAML", " ".join(str(getattr(error, "problem", error)).split()))
        return {}
    if not isinstance(raw, dict):
        folder.faults.add(label, "a mapping", type(raw).__name__)
        return {}
    return _checked(raw, label, folder, known)


def _checked(
    raw: Mapping[Any, Any], label: str, folder: Folder, known: Mapping[str, tuple[Check, str]]
) -> dict[str, Any]:
    kept = {}
    for key, value in raw.items():
        if not folder.faults.one_of(f"{label}: {key}", str(key), list(known), "a known key"):
            continue
        check, words = known[str(key)]
        if value is None:
            continue
        if check(value):
            kept[str(key)] = _strings(value)
        else:
            folder.faults.add(f"{label}: {key}", words, repr(value))
    return kept


def nested(answers: Mapping[str, str]) -> dict[str, Any]:
    """Return answers as a mapping holds them: `votes.0` lies in `votes`, a list is in brackets."""
    whole: dict[str, Any] = {}
    for key, value in answers.items():
        above, dot, below = key.partition(".")
        if dot:
            inner = whole.setdefault(above, {})
            if isinstance(inner, dict):
                inner[below] = value
        else:
            whole[key] = _listed(value)
    return whole


def _listed(value: str) -> Any:
    """A value in brackets is a list."""
    if not value.startswith("["):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _strings(value: Any) -> Any:
    """Keys of mappings as text: YAML reads a bare 0 as a number."""
    return {str(k): v for k, v in value.items()} if isinstance(value, dict) else value
