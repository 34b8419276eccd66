"""Read a project directory: everything that is wrong with it is found and raised once."""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from normwright.flow.permits import Permitting, told_before
from normwright.flow.setting import Place
from normwright.flow.settings import FILE, ProjectSettings, Sources
from normwright.records import Fault, InputError
from normwright.store import address_faults, masked

Location: TypeAlias = tuple[str | int, ...]
"""Where in the file: keys and list places from the top."""

_NEEDED_BY_A_MODEL: Sequence[tuple[str, tuple[str, ...]]] = (
    ("config.json", ("config.json",)),
    ("weights as safetensors", ("*.safetensors",)),
    ("a tokenizer", ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")),
)


@dataclass(frozen=True)
class Project:
    """A project directory and what its file says."""

    directory: Path
    settings: ProjectSettings
    permitting: Permitting = dataclasses.field(default_factory=Permitting)
    """How it is told to train, beside what its file says."""

    @property
    def unpermitted(self) -> bool:
        """Whether it trains without a permit."""
        return self.settings.learn.unpermitted or self.permitting.unpermitted

    def path(self, name: str) -> Path:
        """Return where a path written in the project file leads."""
        return self.directory / name


def load_project(directory: Path) -> Project:
    """Read and check the project in `directory`.

    Raises:
        InputError: with every fault found: not a project, not UTF-8, bad YAML (with line and
            column), unknown keys (with the nearest known one), values of the wrong kind, missing
            files, a model directory that lacks something. Nothing on disk is changed.
    """
    raw, faults = read_file(directory)
    if raw is None:
        raise InputError(faults)
    settings: ProjectSettings | None = None
    try:
        # Through JSON, so that strict types still take a YAML list where a tuple is kept.
        settings = ProjectSettings.model_validate_json(json.dumps(raw, default=str))
    except ValidationError as error:
        faults += [_translate(one, raw) for one in error.errors(include_url=False)]
    except (TypeError, ValueError) as error:  # a list as a key, an alias that holds itself
        what = "mappings and lists of plain values"
        raise InputError([*faults, Fault(where=FILE, expected=what, seen=str(error))]) from error
    if _knows_its_parts(raw):
        faults += _parts_faults(raw)
    faults += _missing_files(directory, raw)
    faults += _title_faults(raw)
    faults += _date_faults(raw)
    faults += _model_faults(directory, raw)
    faults += store_faults(raw)
    faults += _remote_faults(raw)
    if faults or settings is None:
        raise InputError(faults)
    return Project(directory, settings, told_before(directory))


# Reading


class _Loader(yaml.SafeLoader):
    """YAML as a person means it: `no` is a language, a date is text, a key stands once."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.twice: list[tuple[str, int]] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    self.twice.append((key.value, key.start_mark.line + 1))
                seen.add(key.value)
        return super().construct_mapping(node, deep)


# The core schema of YAML 1.2 in place of the types YAML 1.1 finds in plain words and digits.
_Loader.yaml_implicit_resolvers = {}
for _kind, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_kind}", re.compile(f"^(?:{_pattern})$"), _first
    )


def read_file(directory: Path) -> tuple[dict[str, Any] | None, list[Fault]]:
    """Return the file's mapping and the faults found on the way; None if there is no mapping."""
    start = "Make one with: normwright init DIR --template town"
    if not directory.is_dir():
        return None, [Fault(where=str(directory), expected="a directory", seen="none", do=start)]
    file = directory / FILE
    if not file.is_file():
        return None, [Fault(where=str(file), expected="a project file", seen="none", do=start)]
    data = file.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        seen = f"byte 0x{data[error.start]:02x}, which is not UTF-8"
        return None, [
            Fault(
                where=f"{FILE}:{line}", expected="text in UTF-8", seen=seen, do="Save it as UTF-8."
            )
        ]
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        raw = loader.get_single_data()
    except yaml.YAMLError as error:
        return None, [_yaml_fault(error, text)]
    except ValueError as error:  # a value that does not fit the tag written before it
        return None, [Fault(where=FILE, expected="values that fit their tags", seen=str(error))]
    finally:
        if loader is not None:
            loader.dispose()
    if not isinstance(raw, dict):
        seen = "nothing" if raw is None else f"a {type(raw).__name__}"
        return None, [Fault(where=FILE, expected="a mapping of settings", seen=seen)]
    faults = [
        Fault(where=f"{FILE}:{line}: {key}", expected="each key once", seen="it stands there twice")
        for key, line in loader.twice
    ]
    return raw, faults


def _yaml_fault(error: yaml.YAMLError, text: str) -> Fault:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        place = f"{FILE}:{mark.line + 1}:{mark.column + 1}"
        said = " ".join(str(part) for part in (error.context, error.problem) if part)
    elif isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        place = f"{FILE}:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
        said = f"the character {error.character!r}, which YAML does not allow"
    else:
        place, said = FILE, str(error)
    return Fault(where=place, expected="YAML", seen=said)


# Settings that do not fit


def _translate(error: ErrorDetails, raw: Any) -> Fault:
    """Return one validation error as a fault in the words of this project."""
    location, context = error["loc"], error.get("ctx", {})
    where = f"{FILE}: {_dotted(location)}"
    match error["type"]:
        case "extra_forbidden":
            return _unknown_key(location)
        case "missing":
            known = _at(raw, location[:-1])
            expected = "a value"
            seen = "nothing"
            near = _nearest(str(location[-1]), list(known) if isinstance(known, dict) else [])
            return Fault(where=where, expected=expected, seen=seen, do=near)
        case "not_shown":
            # What stands there may be a key.
            return Fault(where=where, expected=error["msg"], seen="something else, not shown here")
        case kind:
            template = _EXPECTED.get(kind)
            expected = template.format(**context) if template else error["msg"]
            return Fault(where=where, expected=expected, seen=_shown(error["input"]))


_EXPECTED: Mapping[str, str] = {
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number of at most {le}",
    "literal_error": "{expected}",
    "model_attributes_type": "a mapping",
    "model_type": "a mapping",
    "string_pattern_mismatch": "text of the form {pattern}",
    "string_too_long": "text of at most {max_length} characters",
    "string_type": "text",
    "too_short": "at least {min_length} entries",
    "tuple_type": "a list",
}


def _unknown_key(location: Location) -> Fault:
    *parents, key = location
    known = _keys_at(tuple(parents))
    return Fault(
        where=f"{FILE}: {_dotted(location)}",
        expected=f"a known key ({', '.join(known)})" if known else "a known key",
        seen=str(key),
        do=_nearest(str(key), known) or "Remove it.",
    )


def _nearest(key: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f"Nearest key: {close[0]}." if close else ""


def _keys_at(location: Location) -> list[str]:
    """Return the keys the file may have at a location."""
    model: type[BaseModel] | None = ProjectSettings
    for part in location:
        if isinstance(part, int):
            continue
        if model is None or (field := _fields(model).get(str(part))) is None:
            return []
        model = next(_models(field.annotation), None)
    return list(_fields(model)) if model else []


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the settings classes inside an annotation, also those of a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, types.UnionType, Annotated, tuple):
        for part in get_args(annotation):
            yield from _models(part)


def _dotted(location: Location) -> str:
    """Return a location as it is written: `sources.scenes[0]`."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location]
    return "".join(parts).lstrip(".")


def _shown(value: Any) -> str:
    text = masked(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= 60 else text[:57] + "..."


def _at(raw: Any, location: Location) -> Any:
    """Return what the file holds at a location, or None."""
    for part in location:
        if isinstance(raw, dict) and part in raw:
            raw = raw[part]
        else:
            return None
    return raw


# What the settings name


def _missing_files(directory: Path, raw: Any) -> list[Fault]:
    """Return a fault for every named file or directory that is not there.

    Paths are looked for in the raw mapping, so that they are checked even where other settings
    are wrong; settings that are left out count with their defaults.
    """
    faults, known = [], _knows_its_parts(raw)
    for location, place, value in _places(ProjectSettings, raw, ()):
        if location in _FOR_SCENES and not _part(raw, "scenes"):
            continue  # what reads it is not done without scenes
        if not known and (location[0] == "sources" or location in _FOR_SCENES):
            continue  # nobody has said that there is such a part
        path = directory / value
        where = f"{FILE}: {_dotted(location)}"
        word = {"either": "file or directory"}.get(place.kind, place.kind)
        if place.inside and not path.resolve().is_relative_to(directory.resolve()):
            faults.append(
                Fault(
                    where=where,
                    expected=f"a {word} inside the project",
                    seen=value,
                    do="Copy it into the project, so that it can be verified elsewhere.",
                )
            )
        elif not _fits(path, place):
            seen = f"{value}, which is not there" if not path.exists() else f"{value}, another kind"
            faults.append(Fault(where=where, expected=f"a {word}", seen=seen))
    return faults


def _fits(path: Path, place: Place) -> bool:
    match place.kind:
        case "file":
            return path.is_file()
        case "directory":
            return path.is_dir()
        case "either":
            return path.exists()


def _places(
    model: type[BaseModel], raw: Any, above: Location
) -> Iterator[tuple[Location, Place, str]]:
    """Yield every path the settings name, with where it stands."""
    for key, field in _fields(model).items():
        given = isinstance(raw, dict) and key in raw
        value = raw[key] if given else field.get_default(call_default_factory=True)
        location = (*above, key)
        for place in _marks(field.annotation, field.metadata):
            values = list(value) if isinstance(value, (list, tuple)) else [value]
            for number, one in enumerate(values):
                here = (*location, number) if isinstance(value, (list, tuple)) else location
                if isinstance(one, str):
                    yield here, place, one
        for inner in _models(field.annotation):
            if isinstance(value, (list, tuple)):
                for number, one in enumerate(value):
                    yield from _places(inner, one, (*location, number))
            else:
                yield from _places(inner, value, location)


def _marks(annotation: Any, metadata: Sequence[Any]) -> Iterator[Place]:
    """Yield the `Place` marks of a field, also inside optional and list types."""
    yield from (mark for mark in metadata if isinstance(mark, Place))
    for part in get_args(annotation):
        if get_origin(part) is Annotated:
            inner, *marks = get_args(part)
            yield from _marks(inner, marks)
        else:
            yield from _marks(part, ())


_FOR_SCENES: frozenset[Location] = frozenset(
    {("guard", "facts"), ("redteam", "attacks"), ("release", "criteria")}
)
"""Files that are read only where scenes are asked."""


def _part(raw: Any, name: str) -> Any:
    """Return what the file says of one source, its default where it says nothing."""
    sources = raw.get("sources") if isinstance(raw, dict) else None
    given = sources if isinstance(sources, dict) else {}
    return given[name] if name in given else Sources.model_fields[name].get_default()


def _knows_its_parts(raw: Any) -> bool:
    """Say whether the sources can be told; not where a key stands that may be meant for them."""
    return "sources" in raw or set(raw) <= set(_fields(ProjectSettings))


def _parts_faults(raw: Any) -> list[Fault]:
    """Return a fault for each part that rests on one that is not there."""
    there = {name: bool(_part(raw, name)) for name in Sources.model_fields}
    faults = [
        Fault(
            where=f"{FILE}: sources.{part}",
            expected=f"sources.{below} too, because {why}",
            seen=f"sources.{part} without it",
            do=f"Give sources.{below}, or leave sources.{part} empty.",
        )
        for part, below, why in (
            ("norms", "consultation", "norms are ratified by those who were asked"),
            ("readings", "norms", "a reading is a vote on norms"),
            ("scenes", "norms", "the charter decides what is right in a scene"),
            ("labels", "norms", "labels mark the breach of a norm"),
        )
        if there[part] and not there[below]
    ]
    if not any(there.values()):
        faults.append(
            Fault(
                where=f"{FILE}: sources",
                expected="at least a consultation, demonstrations or pairs",
                seen="nothing to work on",
            )
        )
    return faults


def _title_faults(raw: Mapping[str, Any]) -> list[Fault]:
    title, languages = raw.get("title"), raw.get("languages")
    if not isinstance(title, dict) or not isinstance(languages, list):
        return []
    return [
        Fault(where=f"{FILE}: title", expected=f"a title in {language}", seen="none")
        for language in languages
        if isinstance(language, str) and language not in title
    ]


def _date_faults(raw: Mapping[str, Any]) -> list[Fault]:
    """Return a fault where a date of the right form is no day of the calendar."""
    given = {"charter_date": raw.get("charter_date")}
    readings = _part(raw, "readings")
    for number, one in enumerate(readings if isinstance(readings, list) else ()):
        given[f"sources.readings[{number}].held_on"] = _at(one, ("held_on",))
    days: dict[str, date] = {}
    faults = []
    for where, day in given.items():
        if not isinstance(day, str) or re.fullmatch(r"\d{4}-\d{2}-\d{2}", day) is None:
            continue
        try:
            days[where] = date.fromisoformat(day)
        except ValueError:
            faults.append(
                Fault(where=f"{FILE}: {where}", expected="a day of the calendar", seen=day)
            )
    last = days.get("charter_date")
    return faults + [
        Fault(
            where=f"{FILE}: {where}",
            expected=f"a day before {last}, the charter_date, when the last vote ended",
            seen=day.isoformat(),
        )
        for where, day in days.items()
        if where != "charter_date" and last is not None and day >= last
    ]


def _model_faults(directory: Path, raw: Mapping[str, Any]) -> list[Fault]:
    """Return what a model directory of the project's own lacks."""
    model = raw.get("model")
    if not isinstance(model, dict) or model.get("kind") != "local":
        return []
    where, path = f"{FILE}: model.path", model.get("path")
    if not isinstance(path, str):
        return [
            Fault(where=where, expected="a model directory, because kind is local", seen="none")
        ]
    folder = directory / path
    if not folder.is_dir():
        return []  # reported with the missing files
    return [
        Fault(where=f"{where}: {path}", expected=what, seen="none of " + ", ".join(patterns))
        for what, patterns in _NEEDED_BY_A_MODEL
        if not any(any(folder.glob(pattern)) for pattern in patterns)
    ]


def store_faults(raw: Mapping[str, Any]) -> Sequence[Fault]:
    """Return what is wrong with the address of a database; no fault repeats any part of it."""
    url = _at(raw, ("store", "url"))
    return address_faults(url, where=f"{FILE}: store.url") if isinstance(url, str) else []


def _remote_faults(raw: Mapping[str, Any]) -> list[Fault]:
    """Return what does not go with a model behind an API."""
    model, controls = raw.get("model"), raw.get("controls")
    if not isinstance(model, dict) or model.get("kind") != "remote":
        return []
    faults = []
    evaluate = raw.get("evaluate")
    given = evaluate if isinstance(evaluate, dict) else {}
    faults += [
        Fault(
            where=f"{FILE}: evaluate.{name}",
            expected="nothing that needs weights, because kind is remote",
            seen=str(given[name]),
            do="Leave it out.",
        )
        for name in ("benchmarks", "contrast_sets")
        if given.get(name) is not None
    ]
    if model.get("remote") is None:
        faults.append(
            Fault(
                where=f"{FILE}: model.remote",
                expected="an address and a model, because kind is remote",
                seen="none",
            )
        )
    faults += [
        Fault(
            where=f"{FILE}: sources.{part}",
            expected="nothing to learn from, because kind is remote",
            seen="rows to learn from",
            do="Leave it empty.",
        )
        for part in ("demonstrations", "pairs")
        if _part(raw, part)
    ]
    if not _part(raw, "scenes"):
        faults.append(
            Fault(
                where=f"{FILE}: sources.scenes",
                expected="scenes to ask, because kind is remote and nothing else is measured",
                seen="none",
            )
        )
    if isinstance(controls, list) and "random-init" in controls:
        faults.append(
            Fault(
                where=f"{FILE}: controls",
                expected="controls that need no training, because kind is remote",
                seen="random-init",
                do="Remove it.",
            )
        )
    release = raw.get("release")
    modes = release.get("modes") if isinstance(release, dict) else None
    if isinstance(modes, list) and "open_weights" in modes:
        faults.append(
            Fault(
                where=f"{FILE}: release.modes",
                expected="modes in which no weights are handed out, because kind is remote",
                seen="open_weights",
                do="Remove it.",
            )
        )
    return faults
