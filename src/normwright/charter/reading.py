"""The charter as files: acts, facts and one file a norm. Every fault is read, nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from normwright.charter.invariants import (
    case_faults,
    case_presence,
    joint_invariants,
    norm_invariants,
)
from normwright.charter.loading import Document, Place, load
from normwright.norms import Acts, norm_faults, vocabulary_faults
from normwright.norms.vocabulary import near
from normwright.records import (
    ActType,
    Bearer,
    Condition,
    Estimate,
    FactType,
    Fault,
    InputError,
    Interval,
    MadeBy,
    Measure,
    Norm,
    NormCase,
    Provenance,
    Scope,
    Source,
    Vocabulary,
)

ACTS, FACTS = "acts.yaml", "facts.yaml"

_PARTS: Mapping[str, type[BaseModel]] = {
    "all": Condition,
    "any": Condition,
    "not": Condition,
    "negate": Condition,
    "condition": Condition,
    "bearer": Bearer,
    "scope": Scope,
    "cases": NormCase,
    "measure": Measure,
    "source": Source,
    "provenance": Provenance,
    "support": Estimate,
    "interval": Interval,
    "made_by": MadeBy,
}
"""The record that stands under a key of a norm's file, to name the keys it could have."""


@dataclass(frozen=True)
class CharterSource:
    """Norms as they were drafted, with the vocabulary they are written in."""

    vocabulary: Vocabulary
    norms: tuple[Norm, ...]
    """Sorted by file name."""


def read_source(directory: Path, *, languages: Sequence[str]) -> CharterSource:
    """Return the norms of a directory: `acts.yaml`, `facts.yaml`, and one YAML file a norm.

    Args:
        directory: where the files lie; norms may lie at any depth.
        languages: the languages every text and every norm's cases must exist in.

    Raises:
        InputError: with every fault of every file, each with its line.
    """
    if not directory.is_dir():
        raise InputError([Fault(where=str(directory), expected="a folder of norms",
                                seen="no such folder")])  # fmt: skip
    faults: list[Fault] = []
    vocabulary = _vocabulary(directory, languages, faults)
    sound = not faults
    documents = _documents(directory, faults)
    read = {name: (norm, document) for name, document in documents.items()
            if (norm := _norm(document, faults)) is not None}  # fmt: skip
    acts = Acts(vocabulary)
    fitting = sound
    for norm, document in read.values():
        found = norm_invariants(norm, languages, vocabulary, where="")
        if sound:
            misfits = norm_faults(norm, vocabulary)
            fitting = fitting and not misfits
            found += misfits or case_presence(norm, languages, acts, where=norm.ref)
        faults += [_located(fault, norm, document) for fault in found]
        faults += _needless(norm, document)
    norms = tuple(norm for norm, _ in read.values())
    home = {id(norm): document for norm, document in read.values()}

    def where(norm: Norm) -> str:
        return home[id(norm)].name

    faults += joint_invariants(norms, where)
    if fitting and len(read) == len(documents):
        by_ref = {norm.ref: (norm, document) for norm, document in read.values()}
        faults += [_located(f, *by_ref[f.where.partition(": ")[0]])
                   for f in case_faults(norms, vocabulary)]  # fmt: skip
    if faults:
        raise InputError(faults)
    return CharterSource(vocabulary, norms)


def read_norm(path: Path) -> Norm:
    """Return one norm from its file, without looking at any vocabulary.

    Raises:
        InputError: with every fault of the file.
    """
    faults: list[Fault] = []
    document = load(path, path.name, faults)
    norm = None if document is None else _norm(document, faults)
    if norm is None or faults:
        raise InputError(faults)
    return norm


def write_norm(norm: Norm, path: Path) -> None:
    """Write a norm as YAML that `read_norm` reads back as an equal record, with the same digest.

    Fields that stand at their default are left out, so that a reviewer sees what was decided.
    """
    body = norm.model_dump(by_alias=True, exclude_defaults=True)
    first = {"schema": norm.spec, "id": norm.id, "version": norm.version}
    text = yaml.safe_dump(_plain({**first, **body}), sort_keys=False, allow_unicode=True, width=100)
    path.write_text(text, encoding="utf-8", newline="\n")


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(part) for key, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
        case str() | bool() | int() | float() | date() | None:
            return value
        case _:
            raise TypeError(f"a norm cannot hold a {type(value).__name__}")


def _documents(directory: Path, faults: list[Fault]) -> dict[str, Document]:
    found: dict[str, Document] = {}
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        hidden = any(part.startswith(".") for part in path.relative_to(directory).parts)
        if path.suffix not in (".yaml", ".yml") or name in (ACTS, FACTS) or hidden:
            continue
        document = load(path, name, faults)
        if document is not None:
            found[name] = document
    if not found and not faults:
        faults.append(Fault(where=str(directory), expected="at least one norm", seen="none",
                            do="Write one YAML file for each norm."))  # fmt: skip
    return found


def _norm(document: Document, faults: list[Fault]) -> Norm | None:
    if not isinstance(document.value, dict):
        seen = "nothing" if document.value is None else type(document.value).__name__
        faults.append(Fault(where=f"{document.name}:1", expected="one norm: keys and values",
                            seen=seen))  # fmt: skip
        return None
    try:
        return Norm.model_validate(document.value)
    except ValidationError as error:
        faults += _explained(error, document, Norm)
        return None


def _vocabulary(directory: Path, languages: Sequence[str], faults: list[Fault]) -> Vocabulary:
    acts = _entries(directory, ACTS, "acts", ActType, languages, faults)
    facts = _entries(directory, FACTS, "facts", FactType, languages, faults)
    vocabulary = Vocabulary(acts=tuple(acts), facts=tuple(facts))
    faults += vocabulary_faults(vocabulary)
    return vocabulary


def _entries(
    directory: Path,
    name: str,
    key: str,
    model: type[Any],
    languages: Sequence[str],
    faults: list[Fault],
) -> list[Any]:
    document = load(directory / name, name, faults)
    if document is None:
        return []
    value = document.value
    if not isinstance(value, dict) or list(value) != [key] or not isinstance(value[key], list):
        seen = ", ".join(value) if isinstance(value, dict) else type(value).__name__
        faults.append(Fault(where=f"{name}:1", expected=f"one key `{key}` with a list", seen=seen))
        return []
    found = []
    for number, entry in enumerate(value[key]):
        place: Place = (key, number)
        try:
            item = model.model_validate(entry)
        except ValidationError as error:
            faults += _explained(error, document, model, place)
            continue
        found.append(item)
        for lang in languages:
            if not item.label.get(lang, "").strip():
                faults.append(Fault(where=document.where((*place, "label", lang)),
                                    expected=f"what {item.name} means, in {lang}",
                                    seen="nothing"))  # fmt: skip
    return found


def _explained(
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


def _located(fault: Fault, norm: Norm, document: Document) -> Fault:
    """Give a fault found on a record the file and line it comes from."""
    tail = fault.where.removeprefix(norm.ref).removeprefix(": ")
    steps = re.findall(r"[^.\[\]]+", tail)
    place = tuple(int(step) if step.isdecimal() else step for step in steps)
    return fault.model_copy(update={"where": document.where(place)})


def _needless(norm: Norm, document: Document) -> list[Fault]:
    """Keys that are right in shape but mean nothing for this kind of norm (I5)."""
    if norm.kind in ("permission", "guarantee", "exemption") and "severity" in document.value:
        return [Fault(where=document.where(("severity",)),
                      expected=f"none: nobody can breach a {norm.kind}",
                      seen=f"severity {norm.severity}")]  # fmt: skip
    return []
