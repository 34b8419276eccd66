"""Start a project from somebody's own file: an export, ballots, a table, or pairs of answers.

The data are copied in, so that the project is whole by itself. What only a person can know is
asked and written down beside the copy, and the copy is read before anything appears.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml

from normwright.elicit import (
    Consulted,
    Importer,
    JudgedPairs,
    Option,
    PairsImporter,
    Question,
    fitting_of,
    formats,
    language_of,
)
from normwright.elicit.archives import data_directory, may_be_data, unpack_archive
from normwright.elicit.files import PROCESS, Folder
from normwright.elicit.mapping import FILE as MAPPING
from normwright.elicit.mapping import nested
from normwright.elicit.read import check_storable
from normwright.flow.project import load_project
from normwright.flow.settings import FILE, SCHEMA
from normwright.flow.start import TEMPLATES, building, files_of, occupied
from normwright.records import Fault, InputError, IntegrityFault

LANGUAGES: Final = ("en", "pt")
"""Languages of the report of a new project: those that ship with the package."""
FORMAT: Final = "format"
"""The answer that names a format where several fit."""
_UNKNOWN: Final = "und"
_ROUNDS: Final = 20
"""Times that answers may open further questions."""

Part: TypeAlias = Importer | PairsImporter
Ask: TypeAlias = Callable[[Question], str]
"""Puts a question to a person and returns the value of the answer."""


@dataclass(frozen=True)
class TakenIn:
    """A project that was just made from somebody's own file."""

    directory: Path
    format: str
    """Slug of the importer that reads the data."""
    languages: tuple[str, ...]
    """Languages of the texts; `und` where nobody knows."""
    counts: Mapping[str, int]
    """What was read: participants, statements, votes, ballots, or pairs."""
    integrity: tuple[IntegrityFault, ...]
    """The integrity report: what was found, and what was done about it."""
    answers: Mapping[str, str]
    """What was asked or told, by key."""
    left_behind: tuple[str, ...]
    """Files of the source that were not copied, because they are no data."""
    files: tuple[str, ...]
    """Every file of the project, by relative path."""
    next: tuple[str, ...]
    """Commands that make sense now, in order."""


def init_from(
    directory: Path,
    source: Path,
    *,
    today: date,
    answers: Mapping[str, str] | None = None,
    ask: Ask | None = None,
) -> TakenIn:
    """Make a project from a file, a directory or a zip archive: all of it appears, or nothing.

    Args:
        directory: where the project is to lie; new or empty.
        source: an export of Polis, a PrefLib file, a table of votes, pairs that people judged, or
            a consultation in the project's own form; alone, in a directory, or zipped.
        today: the day that is written into the project file.
        answers: answers to questions, by key; other keys of `mapping.yaml` may be among them.
        ask: puts what is still open to a person; None: what is open is a fault.

    Raises:
        InputError: with every fault: nothing there, a place that is taken, no format that fits
            (with what each lacks), questions nobody answered, or faults of the data by line.
    """
    faults = occupied(directory)
    if not source.exists():
        expected = "a file, a directory or a zip archive"
        faults.append(Fault(where=str(source), expected=expected, seen="nothing there"))
    if faults:
        raise InputError(faults)
    directory = directory.resolve()
    told = dict(answers or {})
    with building(directory) as project:
        # Formats take the name of a bare export from that of its folder.
        data = project / (_slug(_stem(source)) or "data")
        data.mkdir()
        left_behind = copy_data(source, data)
        part = _format(data, source, told, ask)
        _decide(part, data, told, ask)
        found = _read(part, data, root=data, alone=source.is_file())
        kind = "consultation" if isinstance(found, Consulted) else "pairs"
        data = data.rename(project / kind)
        if isinstance(found, Consulted):
            write_process(data, found, _slug(directory.name) or "project")
            found = _read(part, data, root=project)
        text = _project_file(directory.name, source.name, kind, project, found, today)
        shutil.copyfile(TEMPLATES / "town" / SCHEMA, project / SCHEMA)
        (project / FILE).write_text(text, encoding="utf-8")
        load_project(project)
    return TakenIn(
        directory=directory,
        format=part.slug,
        languages=found.languages,
        counts=_counts(found),
        integrity=found.faults,
        answers=told,
        left_behind=left_behind,
        files=files_of(directory),
        next=(f"normwright run {directory}", f"normwright status {directory}"),
    )


# Copying


def copy_data(source: Path, data: Path) -> tuple[str, ...]:
    """Copy what may be data into a folder, and return the names of what was left."""
    if source.is_dir():
        return _copy_directory(source, data)
    if source.suffix.lower() == ".zip":
        return unpack_archive(source, data)
    shutil.copyfile(source, data / source.name)
    return ()


def _copy_directory(source: Path, data: Path) -> tuple[str, ...]:
    """Copy the data of a directory, or of the one directory below it that has any."""
    here = data_directory(source)
    inside = [p for p in sorted(here.iterdir()) if not p.name.startswith(".")]
    kept = [p for p in inside if p.is_file() and may_be_data(p.name)]
    for path in kept:
        shutil.copyfile(path, data / path.name)
    left = [p.name for p in inside if p.is_file() and p not in kept]
    return (*left, *(f"{p.name}/" for p in inside if p.is_dir()))


# Recognising and asking


def _format(data: Path, source: Path, told: dict[str, str], ask: Ask | None) -> Part:
    """The one format that fits, or the one that was named."""
    parts = formats()
    folder = Folder(data, data)
    if FORMAT in told:
        named = [part for part in parts if part.slug == told[FORMAT]]
        if not named:
            known = ", ".join(part.slug for part in parts)
            raise InputError([_unanswered(FORMAT, f"one of {known}", told[FORMAT])])
        if not named[0].sniff(folder):
            raise InputError([_lacking(named[0], folder, source)])
        return named[0]
    fitting = fitting_of(parts, folder)
    if not fitting:
        raise InputError([_lacking(part, folder, source) for part in parts])
    if len(fitting) == 1:
        return fitting[0]
    slugs = [part.slug for part in fitting]
    if ask is None:
        raise InputError([_unanswered(FORMAT, f"one of {', '.join(slugs)}", "all of them fit")])
    told[FORMAT] = ask(_which_format(fitting))
    return _format(data, source, told, None)


def _which_format(fitting: Sequence[Part]) -> Question:
    return Question(
        key=FORMAT,
        ask={
            "en": "Several formats fit. Which is it?",
            "pt": "Vários formatos servem. Qual é?",
        },
        options=tuple(Option(p.slug, {"en": p.files, "pt": p.files}) for p in fitting),
    )


def _lacking(part: Part, folder: Folder, source: Path) -> Fault:
    names = ", ".join(sorted(p.name for p in folder.directory.iterdir())[:8])
    return Fault(
        where=str(source),
        expected=f"{part.files} ({part.slug})",
        seen=part.lacks(folder) or names or "no file that may be data",
    )


def _decide(part: Part, data: Path, told: dict[str, str], ask: Ask | None) -> None:
    """Write down what was told, and ask what is still open until nothing is."""
    write_answers(data, told)
    for _ in range(_ROUNDS):
        open_ = part.questions(Folder(data, data))
        if not open_:
            return
        again = [q for q in open_ if q.key in told]
        if ask is None or again:
            raise InputError([
                _unanswered(q.key, f"{q.ask['en']} {_options(q)}".strip(), told.get(q.key))
                for q in (open_ if ask is None else again)
            ])  # fmt: skip
        told.update((question.key, ask(question)) for question in open_)
        write_answers(data, told)


def _options(question: Question) -> str:
    return "; ".join(f"{o.value}: {o.says['en']}" for o in question.options)


def _unanswered(key: str, expected: str, seen: str | None) -> Fault:
    return Fault(
        where=f"question {key}",
        expected=expected,
        seen="no answer" if seen is None else seen,
        do=f"Answer it with --answer '{key}=...'",
    )


def write_answers(data: Path, told: Mapping[str, str]) -> None:
    """Write answers into the mapping file, over what it may hold already."""
    new = {key: value for key, value in told.items() if key != FORMAT}
    if not new:
        return
    path = data / MAPPING
    whole: dict[str, Any] = {}
    if path.is_file():
        try:
            before = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError):
            return  # reading it says what is wrong with it
        whole = before if isinstance(before, dict) else {}
    for key, decided in nested(new).items():
        inner = whole.get(key)
        if isinstance(inner, dict) and isinstance(decided, dict):
            decided = {**inner, **decided}
        whole[key] = decided
    head = (
        "# What was decided about the data beside this file. Edit it, and run the project again.\n"
    )
    body = yaml.safe_dump(whole, allow_unicode=True, sort_keys=False)
    path.write_text(head + body, encoding="utf-8")


def _read(part: Part, data: Path, *, root: Path, alone: bool = False) -> Consulted | JudgedPairs:
    folder = Folder(data, root)
    found = part.read(folder)
    if found is None or folder.faults.found:
        faults = folder.faults.found
        raise InputError([_with_its_folder(f) for f in faults] if alone else faults)
    if isinstance(found, Consulted):
        check_storable(found, folder)
    if folder.faults.found:
        raise InputError(folder.faults.found)
    return found


def _with_its_folder(fault: Fault) -> Fault:
    """Of a format of several files, somebody may have given one."""
    if fault.seen != "no such file" or fault.do:
        return fault
    return fault.model_copy(update={"do": "Give the whole folder, not one file of it."})


# What a person edits


def write_process(data: Path, found: Consulted, slug: str) -> None:
    """Write who was asked, as far as it is known, unless the source says so itself."""
    path = data / PROCESS
    if path.exists() or (data / f"{PROCESS}.gz").exists():
        return
    process = found.process
    title = next(iter(process.title.values()))
    lang = found.languages[0]
    if lang == _UNKNOWN:
        lang = language_of(t for s in found.statements for t in s.text.values()) or _UNKNOWN
    known = (
        f"language: {json.dumps(lang)}  # of the statements; by their commonest words"
        if lang != _UNKNOWN
        else "# language: en  # of the statements; nobody knows it yet"
    )
    seed = "" if process.seed is None else f"seed: {process.seed}\n"
    path.write_text(
        f"""\
# Who was asked. Edit it, and run the project again.
id: {json.dumps(slug)}
kind: {process.kind}  # human or simulated; a process is wholly one or the other
{seed}title: {_both(title)}  # the same in each language; translate it
identification: {process.identification}  # open, invite, roster or oidc: how people were identified
# consent:  # what participants agreed to; without it no model may be trained on their answers
#   basis: participants  # or contract, instrument, law, with its reference
#   versions: [{{id: "2026-01", to_training: true}}]  # every wording somebody agreed to
#   minors: none  # or with_guardians, without_guardians
{known}
polities:  # the community the participants belong to, and the layer at which it decides
  - id: {json.dumps(slug)}
    name: {_both(title)}
    layer: {found.polities[0].layer}  # global, polity, organisation or individual
""",
        encoding="utf-8",
    )


def _project_file(
    name: str,
    source: str,
    kind: str,
    project: Path,
    found: Consulted | JudgedPairs,
    today: date,
) -> str:
    """The project file, with what may come next as comments."""
    title = _stem(Path(source))
    if isinstance(found, Consulted):
        title = next(iter(found.process.title.values()))
        sources = """\
  consultation: consultation  # what people said, with who was asked in process.yaml
  norms: null  # no charter yet; name a folder of drafted norms here to have one ratified
  scenes: []  # nothing to ask a model yet; scenes need norms that decide what is right in them
  pairs: []  # files of answers between which people chose, to learn from"""
        more = ""
    else:
        files = [p for p in sorted((project / kind).iterdir()) if p.name != MAPPING]
        named = "".join(
            f"\n    - {json.dumps(f'{kind}/{p.name}', ensure_ascii=False)}" for p in files
        )
        sources = f"""\
  consultation: null  # nobody was asked what a model should do; name a folder of votes here
  norms: null  # no charter; norms need a consultation that ratifies them
  scenes: []  # nothing to ask a model; scenes need norms that decide what is right in them
  pairs:  # answers between which people chose, to learn from{named}"""
        more = """\
learn:
  unpermitted: true  # no charter could permit training; the model is marked and never released
  judged: 1000  # pairs to learn from, drawn by seed; null takes all
  held_out: 0.2  # share of the prompts that is measured on and never learned from
controls: [random-init]  # the same training from random weights: what it reaches proves nothing
"""
    return f"""\
# yaml-language-server: $schema={SCHEMA}
# Made from {_one_line(source)} by `normwright init --from`. This is the one file to edit.
# `normwright run` carries it as far as its sources reach, and ends with out/report.html.
schema: project/v1
id: {json.dumps(_slug(name) or "project")}
title:  # the same in each language; translate it
{_lines(title)}
languages: [{", ".join(LANGUAGES)}]  # of the report
seed: 1  # where all randomness comes from
charter_date: "{today.isoformat()}"
sources:
{sources}
{more}"""


def _counts(found: Consulted | JudgedPairs) -> dict[str, int]:
    if isinstance(found, JudgedPairs):
        return {"pairs": len(found.pairs)}
    counts = {
        "participants": len(found.participants),
        "statements": len(found.statements),
        "votes": len(found.votes),
        "comparisons": len(found.comparisons),
        "ballots": len(found.ballots),
    }
    return {name: count for name, count in counts.items() if count}


def _both(text: str) -> str:
    """A text in every language of the report, on one line of YAML."""
    quoted = json.dumps(_one_line(text), ensure_ascii=False)
    return "{" + ", ".join(f"{lang}: {quoted}" for lang in LANGUAGES) + "}"


def _lines(text: str) -> str:
    quoted = json.dumps(_one_line(text), ensure_ascii=False)
    return "\n".join(f"  {lang}: {quoted}" for lang in LANGUAGES)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _stem(source: Path) -> str:
    """The name of a file without its endings."""
    name = source.resolve().name
    if source.is_dir():
        return name
    return name.removesuffix(".gz").rsplit(".", 1)[0] or name


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60].strip("-")
