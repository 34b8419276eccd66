"""Give a project the consultation it lacks: the files as they are, checked before they appear."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from normwright.elicit import Consulted, Source, read_consultation, read_source, without
from normwright.elicit.files import PROCESS
from normwright.flow.intake import copy_data, write_answers, write_process
from normwright.flow.lock import locked
from normwright.flow.project import load_project, read_file
from normwright.flow.settings import FILE, Sources
from normwright.records import Fault, InputError
from normwright.store import gone_from, write_whole

_LINE: Final = re.compile(r"^([ \t]+consultation:)[ \t]*(?:null|~|Null|NULL)?[ \t]*(?:#.*)?$", re.M)
_NAME: Final = "consultation"


@dataclass(frozen=True)
class Imported:
    """A consultation that was just put into a project."""

    source: Source
    """What was read."""
    files: tuple[str, ...]
    """Every file that was put there, relative to the project."""
    left_behind: tuple[str, ...]
    """Files of the source that were not copied, because they are no data."""


def import_into(
    project: Path,
    path: Path,
    *,
    format: str | None = None,
    answers: Mapping[str, str] | None = None,
    process: Path | None = None,
) -> Imported:
    """Put the files of a consultation into a project that has none; the next run reads them.

    The files themselves are copied untouched. What was answered about them lies beside them in
    `mapping.yaml`, and who was asked in `process.yaml`. All of it appears, or nothing.

    Args:
        project: the project directory.
        path: a file, a folder or a zip archive, as for `read_source`.
        format: slug of the importer; None: the one that recognises it.
        answers: answers to what the files leave open, by key.
        process: a `process.yaml` that says who was asked.

    Raises:
        InputError: with every fault: no project, one that has a consultation, or data that cannot
            be used or are no consultation.
    """
    place = _place(project)
    source = read_source(path, format=format, answers=answers, process=process)
    if source.consulted is None:
        raise InputError([Fault(
            where=str(path), expected="votes, rankings or comparisons of people, for a project",
            seen=f"{source.format}: {', '.join(source.counts)}",
            do="Pairs that people judged are named under sources.pairs of the project file."
            if source.pairs is not None else "Without --project it is read and audited.",
        )])  # fmt: skip
    with locked(project):
        if (project / place).exists() and not any((project / place).iterdir()):
            (project / place).rmdir()
        staging = project / f".{_NAME}-arriving"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        try:
            left = copy_data(path, staging)
            write_answers(staging, dict(answers or {}))
            if process is not None:
                shutil.copyfile(process, staging / PROCESS)
            write_process(staging, source.consulted, source.consulted.process.id)
            read_consultation(staging, root=staging)
            _appear(project, staging, place)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    files = sorted(p.relative_to(project).as_posix() for p in (project / place).iterdir())
    return Imported(source, tuple(files), left)


def consultation_of(project: Path) -> Consulted:
    """Return the consultation of a project, without those who withdrew from it.

    Raises:
        InputError: with every fault: no project, none in it, or files that cannot be read.
    """
    place = load_project(project).settings.sources.consultation
    if place is None:
        raise InputError([Fault(where=f"{FILE}: sources.consultation", expected="a consultation",
                                seen="null")])  # fmt: skip
    found = read_consultation(project / place, root=project)
    return without(found, gone_from(project, found.process.id))


def _place(project: Path) -> str:
    """Return where the consultation of a project belongs, relative to it, if there is none yet."""
    raw, faults = read_file(project)
    if raw is None:
        raise InputError(faults)
    sources = raw.get("sources")
    named = sources.get(_NAME, Sources().consultation) if isinstance(sources, dict) else _NAME
    if named is None:
        named = _NAME
    place = project / str(named)
    if not place.resolve().is_relative_to(project.resolve()):
        faults.append(Fault(where=f"{FILE}: sources.consultation",
                            expected="a folder inside the project", seen=str(named)))  # fmt: skip
    elif place.is_file() or (place.is_dir() and any(place.iterdir())):
        faults.append(
            Fault(
                where=str(place),
                expected="a project without a consultation",
                seen="one that has one" if place.is_dir() else "a file",
                do="Make another project with: normwright init DIR --from PATH. Nothing is ever "
                "overwritten.",
            )
        )
    if faults:
        raise InputError(faults)
    return str(named)


def _appear(project: Path, staging: Path, place: str) -> None:
    """Move the files in and name them in the project file; after an error both are as before."""
    file = project / FILE
    before = file.read_text(encoding="utf-8")
    after = _LINE.sub(rf"\1 {place}", before, count=1)
    (project / place).parent.mkdir(parents=True, exist_ok=True)
    os.rename(staging, project / place)
    try:
        if after != before:
            write_whole(file, after.encode())
        named = load_project(project).settings.sources.consultation
        if named != place:
            raise InputError([Fault(
                where=f"{FILE}: sources.consultation", expected=place, seen=str(named),
                do="Write it there by hand, and import again.")])  # fmt: skip
    except BaseException:
        shutil.rmtree(project / place, ignore_errors=True)
        write_whole(file, before.encode())
        raise
