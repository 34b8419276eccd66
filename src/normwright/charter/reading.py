"""The charter as files: acts, facts and one file a norm. Every fault is read, nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import ValidationError

from normwright.charter.emergencies import emergency_faults
from normwright.charter.explaining import explained
from normwright.charter.invariants import case_languages, joint_invariants, norm_invariants
from normwright.charter.loading import Document, Place, load
from normwright.charter.writing import as_yaml
from normwright.norms import axiom_faults, condition_faults, norm_faults, vocabulary_faults
from normwright.norms.axioms import Axioms
from normwright.norms.vocabulary import near
from normwright.records import (
    ActType,
    CharterHead,
    Condition,
    FactType,
    Fault,
    InputError,
    Norm,
    Vocabulary,
)

ACTS, FACTS, HEAD = "acts.yaml", "facts.yaml", "charter.yaml"
"""The files of a charter that are no norms. The head may be missing; the vocabulary may not."""

DRAFT = "norm-draft/v1"
"""The schema of what people support and nobody has written as a norm; never read as one."""

QUESTIONS = "questions.yaml"
"""Questions to put to people about the norms, read by `question_families`."""

ONE_FILE = ("acts", "facts", "axioms", "norms", "situations")
"""Keys of a charter in one file, beside those of the head; `situations` are read by who asks."""


@dataclass(frozen=True)
class CharterSource:
    """Norms as they were drafted, with the vocabulary they are written in."""

    vocabulary: Vocabulary
    norms: tuple[Norm, ...]
    """Sorted by file name, or in the order of their one file."""
    head: CharterHead = field(default_factory=CharterHead)
    """What the charter says about itself; its languages are filled in."""
    documents: Mapping[str, Document] = field(default_factory=dict, repr=False, compare=False)
    """Reference of each norm -> the file it was read from."""

    def where(self, ref: str, place: Place = ()) -> str:
        """Return the file and line of a norm, or of a place in it."""
        document = self.documents.get(ref)
        return ref if document is None else document.where(place)


def read_source(place: Path, *, languages: Sequence[str] | None = None) -> CharterSource:
    """Return the norms of a directory, or of one file that holds a whole charter.

    A directory has `acts.yaml`, `facts.yaml`, perhaps `charter.yaml`, and one YAML file a norm at
    any depth. One file has the keys of `charter.yaml` beside `acts`, `facts` and `norms`.

    Args:
        place: where the files lie.
        languages: the languages every text must exist in; None: those `charter.yaml` lists, or
            where it lists none, every language in which some norm has a statement.

    Raises:
        InputError: with every fault of every file, each with its line. Whether the norms' cases
            come out as they say is not asked here: see `check_source`.
    """
    faults: list[Fault] = []
    if place.is_dir():
        parts = _directory(place, faults)
    elif place.is_file():
        parts = _one_file(place, faults)
    else:
        raise InputError([Fault(where=str(place), expected="a folder of norms",
                                seen="no such folder or file")])  # fmt: skip
    head = _head(parts.head, faults)
    read = {name: (norm, document) for name, document in parts.norms.items()
            if (norm := _norm(document, faults)) is not None}  # fmt: skip
    norms = tuple(norm for norm, _ in read.values())
    spoken = tuple(languages or head.languages or _spoken(norms))
    vocabulary = _vocabulary(parts, spoken, faults)
    # Beside half a vocabulary, every norm would seem to use words that are not in it.
    sound = _whole(parts, vocabulary) and not vocabulary_faults(vocabulary)
    axioms = Axioms(vocabulary.axioms, vocabulary.facts)
    for norm, document in read.values():
        found = norm_invariants(norm, spoken, where="")
        found += case_languages(norm, spoken, where="")
        found += [*norm_faults(norm, vocabulary), *_impossible(norm, axioms)] if sound else []
        faults += [_located(fault, norm, document) for fault in found]
        faults += _needless(norm, document)
    home = {id(norm): document for norm, document in read.values()}

    def where(norm: Norm, key: str) -> str:
        return home[id(norm)].where((key,))

    faults += joint_invariants(norms, where)
    faults += _notice(parts.head, head, spoken)
    if sound and not faults:
        homes = {norm.ref: (norm, document) for norm, document in read.values()}
        faults += [
            _located(fault, *homes[fault.where.partition(":")[0]])
            for fault in emergency_faults(norms, vocabulary, head.amendment)
        ]
    if faults:
        raise InputError(faults)
    documents = {norm.ref: document for norm, document in read.values()}
    return CharterSource(
        vocabulary, norms, head.model_copy(update={"languages": spoken}), documents
    )


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
    """Write a norm as YAML that `read_norm` reads back as an equal record, with the same digest."""
    path.write_text(norm_text(norm), encoding="utf-8", newline="\n")


def norm_text(norm: Norm) -> str:
    """Return a norm as the text of its YAML file.

    Fields that stand at their default are left out, so that a reviewer sees what was decided.
    """
    body = norm.model_dump(by_alias=True, exclude_defaults=True)
    first = {"schema": norm.spec, "id": norm.id, "version": norm.version}
    return as_yaml(_plain({**first, **body}))


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


@dataclass(frozen=True)
class _Parts:
    """The documents of a charter, unread."""

    head: Document | None
    acts: Document | None
    """One key `acts`."""
    facts: Document | None
    """The key `facts`, perhaps beside `axioms`."""
    norms: dict[str, Document]


def _directory(directory: Path, faults: list[Fault]) -> _Parts:
    if not (directory / ACTS).exists() and not (directory / FACTS).exists():
        below = directory / "norms"
        do = f"Did you mean {below}?" if (below / ACTS).exists() else "Put the norms beside them."
        raise InputError([Fault(where=str(directory), expected=f"{ACTS} and {FACTS}",
                                seen="neither", do=do)])  # fmt: skip
    head = load(directory / HEAD, HEAD, faults) if (directory / HEAD).exists() else None
    return _Parts(
        head=head,
        acts=load(directory / ACTS, ACTS, faults),
        facts=load(directory / FACTS, FACTS, faults),
        norms=_documents(directory, faults),
    )


def _one_file(path: Path, faults: list[Fault]) -> _Parts:
    document = load(path, path.name, faults)
    if document is None:
        return _Parts(None, None, None, {})
    if not isinstance(document.value, dict):
        faults.append(Fault(where=f"{path.name}:1", expected="a charter: acts, facts and norms",
                            seen=_kind(document.value)))  # fmt: skip
        return _Parts(None, None, None, {})
    value = document.value
    norms = {}
    if not isinstance(value.get("norms"), list):
        faults.append(Fault(where=document.where(("norms",)), expected="a list of norms",
                            seen=_kind(value.get("norms"))))  # fmt: skip
    else:
        norms = {f"norms[{i}]": document.part(("norms", i)) for i in range(len(value["norms"]))}

    def only(*keys: str) -> Document:
        kept = {key: part for key, part in value.items() if key in keys}
        return Document(document.name, kept, document.lines)

    own = {key: part for key, part in value.items() if key not in ONE_FILE}
    return _Parts(
        head=Document(document.name, own, document.lines),
        acts=only("acts"),
        facts=only("facts", "axioms"),
        norms=norms,
    )


def _documents(directory: Path, faults: list[Fault]) -> dict[str, Document]:
    found: dict[str, Document] = {}
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        hidden = any(part.startswith(".") for part in path.relative_to(directory).parts)
        if path.suffix not in (".yaml", ".yml") or name in (ACTS, FACTS, HEAD, QUESTIONS) or hidden:
            continue
        document = load(path, name, faults)
        if document is not None:
            found[name] = document
    if not found and not faults:
        faults.append(Fault(where=str(directory), expected="at least one norm", seen="none",
                            do="Write one YAML file for each norm."))  # fmt: skip
    return found


def _head(document: Document | None, faults: list[Fault]) -> CharterHead:
    if document is None:
        return CharterHead()
    if not isinstance(document.value, dict):
        faults.append(Fault(where=f"{document.name}:1", expected="keys and values",
                            seen=_kind(document.value)))  # fmt: skip
        return CharterHead()
    try:
        head = CharterHead.model_validate(document.value)
    except ValidationError as error:
        faults += explained(error, document, CharterHead)
        return CharterHead()
    for authority, zone in head.zones.items():
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder, or a name too long
            faults.append(Fault(where=document.where(("zones", authority)),
                                expected="an IANA time zone such as America/Sao_Paulo", seen=zone,
                                do=near(zone, available_timezones())))  # fmt: skip
    return head


def _notice(document: Document | None, head: CharterHead, languages: Sequence[str]) -> list[Fault]:
    if document is None or not head.notice:
        return []
    return [
        Fault(where=document.where(("notice", lang)), expected=f"the notice in {lang}",
              seen="nothing")
        for lang in languages
        if not head.notice.get(lang, "").strip()
    ]  # fmt: skip


def _spoken(norms: Sequence[Norm]) -> tuple[str, ...]:
    return tuple(sorted({lang for norm in norms for lang in norm.statement}))


def _kind(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__


def _norm(document: Document, faults: list[Fault]) -> Norm | None:
    if not isinstance(document.value, dict):
        faults.append(Fault(where=document.where(()) or document.name,
                            expected="one norm: keys and values",
                            seen=_kind(document.value)))  # fmt: skip
        return None
    if document.value.get("schema") == DRAFT:
        faults.append(Fault(
            where=document.where(("schema",)), expected="norm/v1, with a kind, an act and cases",
            seen=f"{DRAFT}: what people support, and not yet a norm",
            do="Write the norm it asks for, then take this file away; no vote tells its act.",
        ))  # fmt: skip
        return None
    try:
        return Norm.model_validate(document.value)
    except ValidationError as error:
        faults += explained(error, document, Norm)
        return None


def _vocabulary(parts: _Parts, languages: Sequence[str], faults: list[Fault]) -> Vocabulary:
    before = len(faults)
    acts = _entries(parts.acts, "acts", ActType, languages, faults)
    facts = _entries(parts.facts, "facts", FactType, languages, faults)
    vocabulary = Vocabulary(acts=tuple(acts), facts=tuple(facts))
    documents = {"acts": parts.acts, "facts": parts.facts}
    faults += [_at_entry(fault, documents) for fault in vocabulary_faults(vocabulary)]
    axioms = _axioms(parts.facts, vocabulary, faults) if len(faults) == before else ()
    vocabulary = vocabulary.model_copy(update={"axioms": axioms})
    if len(faults) == before and parts.facts is not None:
        where = parts.facts.where(("axioms",))
        faults += axiom_faults(vocabulary, where=where)
    return vocabulary


def _whole(parts: _Parts, vocabulary: Vocabulary) -> bool:
    """Whether every act and every fact of the files could be read."""
    read = {"acts": (parts.acts, vocabulary.acts), "facts": (parts.facts, vocabulary.facts)}
    return all(
        document is not None
        and isinstance(document.value, dict)
        and len(document.value.get(key) or ()) == len(found)
        for key, (document, found) in read.items()
    )


def _value_labels(
    fact: FactType, document: Document, place: Place, languages: Sequence[str]
) -> list[Fault]:
    """What is amiss with the labels of an enum's values: for no value, or not in every language."""
    if not fact.value_labels:
        return []
    strange = [
        Fault(where=document.where((*place, value)), expected="a value of the fact", seen=value,
              do=near(value, fact.values))
        for value in fact.value_labels
        if value not in fact.values
    ]  # fmt: skip
    return strange + [
        Fault(where=document.where((*place, value, lang)),
              expected=f"what {value} means, in {lang}", seen="nothing")
        for value in fact.values
        for lang in languages
        if not fact.value_labels.get(value, {}).get(lang, "").strip()
    ]  # fmt: skip


def _at_entry(fault: Fault, documents: Mapping[str, Document | None]) -> Fault:
    """Give a fault of the vocabulary (`facts: age.values`) the file and line it comes from."""
    key, _, rest = fault.where.partition(": ")
    document = documents.get(key)
    if document is None:
        return fault
    place: Place = (key,)
    for number, entry in enumerate(document.value[key]):
        name = str(entry.get("name")) if isinstance(entry, dict) else ""
        if name and (rest == name or rest.startswith(f"{name}.")):
            place = (key, number, *_steps(rest.removeprefix(name)))
    return fault.model_copy(update={"where": document.where(place)})


def _axioms(
    document: Document | None, vocabulary: Vocabulary, faults: list[Fault]
) -> tuple[Condition, ...]:
    if document is None:
        return ()
    given = document.value.get("axioms", [])
    if not isinstance(given, list):
        faults.append(Fault(where=document.where(("axioms",)), expected="a list of conditions",
                            seen=_kind(given)))  # fmt: skip
        return ()
    found = []
    for number, entry in enumerate(given):
        place: Place = ("axioms", number)
        try:
            axiom = Condition.model_validate(entry)
        except ValidationError as error:
            faults += explained(error, document, Condition, place)
            continue
        found.append(axiom)
        faults += [
            fault.model_copy(update={"where": document.where((*place, *_steps(fault.where)))})
            for fault in condition_faults(axiom, vocabulary, where="")
        ]
    return tuple(found)


def _entries(
    document: Document | None,
    key: str,
    model: type[Any],
    languages: Sequence[str],
    faults: list[Fault],
) -> list[Any]:
    if document is None:
        return []
    value = document.value
    known = {"facts": ("facts", "axioms")}.get(key, (key,))
    shaped = isinstance(value, dict) and isinstance(value.get(key), list)
    if not shaped or not set(value) <= set(known):
        seen = ", ".join(value) if isinstance(value, dict) else _kind(value)
        faults.append(Fault(where=f"{document.name}:1", expected=f"one key `{key}` with a list",
                            seen=seen or "nothing"))  # fmt: skip
        return []
    found = []
    for number, entry in enumerate(value[key]):
        place: Place = (key, number)
        try:
            item = model.model_validate(entry)
        except ValidationError as error:
            faults += explained(error, document, model, place)
            continue
        found.append(item)
        if isinstance(item, FactType):
            faults += _value_labels(item, document, (*place, "value_labels"), languages)
        for lang in languages:
            if not item.label.get(lang, "").strip():
                faults.append(Fault(where=document.where((*place, "label", lang)),
                                    expected=f"what {item.name} means, in {lang}",
                                    seen="nothing"))  # fmt: skip
    return found


def _impossible(norm: Norm, axioms: Axioms) -> list[Fault]:
    """Cases whose facts an axiom rules out: one of the two is wrong, and nobody can decide them."""
    return [
        fault.model_copy(update={"where": f"{norm.ref}: cases[{number}].facts"})
        for number, case in enumerate(norm.cases)
        for fault in axioms.faults(case.facts)
    ]


def _located(fault: Fault, norm: Norm, document: Document) -> Fault:
    """Give a fault found on a record the file and line it comes from."""
    tail = fault.where.removeprefix(norm.ref).removeprefix(": ")
    return fault.model_copy(update={"where": document.where(_steps(tail))})


def _steps(place: str) -> Place:
    """`cases[0].facts`, as people write a place, as its keys and positions."""
    steps = re.findall(r"[^.\[\]: ]+", place)
    return tuple(int(step) if step.isdecimal() else step for step in steps)


def _needless(norm: Norm, document: Document) -> list[Fault]:
    """Keys that are right in shape but mean nothing for this kind of norm (I5)."""
    if norm.kind in ("permission", "guarantee", "exemption") and "severity" in document.value:
        return [Fault(where=document.where(("severity",)),
                      expected=f"none: nobody can breach a {norm.kind}",
                      seen=f"severity {norm.severity}")]  # fmt: skip
    return []
