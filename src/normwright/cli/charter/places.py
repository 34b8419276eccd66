"""Where a charter lies: a project, a directory of norms, one file, its record, or what ships.

Only a project needs the room that composes the stages; without one a check starts at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from normwright.records import Charter, Fault, InputError

if TYPE_CHECKING:
    from normwright.charter import CharterSource

PROJECT: Final = "normwright.yaml"
SEEDS: Final = "seeds"
"""The name under which the norms that ship are asked for, where no place of that name is there."""


@dataclass(frozen=True)
class Found:
    """A charter, and whether drafted norms were taken to hold in it."""

    charter: Charter
    drafts: bool


def is_project(place: Path) -> bool:
    """Whether a place is a project's directory."""
    return (place / PROJECT).is_file()


def norms_of(place: Path) -> CharterSource:
    """Return the drafted norms of a project, of a directory of norms, or of one charter file.

    Raises:
        InputError: if the project names no norms, or with every fault of the files.
    """
    from normwright.charter import read_source, seeds

    if is_project(place):
        return _norms_of_project(place)
    return read_source(seeds() if str(place) == SEEDS and not place.exists() else place)


def consulted(place: Path) -> None:
    """Refuse a place that is no project where norms are to be voted on, and no votes are given.

    Raises:
        InputError: if it is none.
    """
    if not is_project(place):
        raise InputError([
            Fault(where=str(place), expected="a project, which has its consultation", seen="norms",
                  do="Name the votes with --reading, a file that `charter draft --save` wrote.")
        ])  # fmt: skip


def charter_at(place: Path, *, drafts: bool | None = False, past: bool = False) -> Found:
    """Return the charter of a place.

    Args:
        place: a project, which gives the charter it ratified; a directory of norms or one charter
            file; or a charter's record, a JSON file as `charter show --json` prints it.
        drafts: whether drafted and proposed norms are taken to hold; None: only where no norm of
            the place is in force, because then there is nothing else to look at.
        past: whether of a project the charter ratified last will do, although what it was made of
            has changed since: to compare, to look back. Otherwise it must still count.

    Raises:
        InputError: if there is no charter, with all faults.
    """
    if is_project(place) and not drafts:
        return Found(_ratified(place) if past else _counting(place), False)
    return drafted_at(place, drafts=drafts)


def drafted_at(place: Path, *, drafts: bool | None = None) -> Found:
    """Return the charter of the norms as they lie there, those of a project too.

    Args:
        place: as for `charter_at`.
        drafts: as for `charter_at`.

    Raises:
        InputError: with every fault of the files.
    """
    from normwright.charter import assembled

    if _is_record(place):
        return Found(_record(place), False)
    source = norms_of(place)
    standing = assembled(source)
    counted = not standing.norms if drafts is None else drafts
    return Found(assembled(source, drafts=True) if counted else standing, counted)


def whole_at(place: Path) -> Charter:
    """Return what there is to show: a project's charter; else every norm, in force or not.

    The votes that a norm's file claims are not shown as votes: only ratification counts them, and
    its result is the charter of a project, or a record.

    Raises:
        InputError: if there is no charter, with all faults.
    """
    if is_project(place) or _is_record(place):
        return charter_at(place).charter
    from normwright.charter import assembled

    source = norms_of(place)
    held = assembled(source)
    shown = [norm.model_copy(update={"provenance": None}) for norm in source.norms]
    return held.model_copy(update={"norms": tuple(sorted(shown, key=lambda n: n.id))})


def _norms_of_project(directory: Path) -> CharterSource:
    from normwright import flow
    from normwright.charter import read_source

    project = flow.load_project(directory)
    norms = project.settings.sources.norms
    if norms is None:
        raise InputError([
            Fault(where=f"{PROJECT}: sources.norms", expected="a directory of norms", seen="none",
                  do="Write norms, one file each, and name their directory there.")
        ])  # fmt: skip
    return read_source(project.path(norms), languages=project.settings.languages)


def _counting(project: Path) -> Charter:
    from normwright.cli.standing import standing

    return standing(project, Charter, step="charter")


def _ratified(project: Path) -> Charter:
    from normwright import flow

    stood = flow.ratified(project)
    if not stood:
        raise InputError([
            Fault(where=str(project), expected="a ratified charter", seen="none",
                  do=f"Make it with: normwright run {project} --until charter; or say --drafts.")
        ])  # fmt: skip
    return stood[-1].charter


def _is_record(place: Path) -> bool:
    return place.name.endswith((".json", ".json.gz"))


def _record(path: Path) -> Charter:
    import gzip
    import json

    from pydantic import ValidationError

    try:
        data = path.read_bytes()
        body = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
        if isinstance(body, dict):
            body.pop("digest", None)
        return Charter.model_validate(body)
    except OSError as error:
        raise InputError([Fault(where=str(path), expected="a readable file",
                                seen=str(error.strerror or error))]) from None  # fmt: skip
    except ValidationError as error:
        raise InputError([
            Fault(where=f"{path}: {'.'.join(map(str, one['loc']))}",
                  expected="a charter as `charter show --json` prints it", seen=one["msg"])
            for one in error.errors(include_url=False)
        ]) from None  # fmt: skip
    except ValueError as error:
        raise InputError([Fault(where=str(path), expected="a charter as JSON",
                                seen=str(error))]) from None  # fmt: skip


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Write a file inside: a folder or a device in its place, and what the disk refuses, are told.

    What is moved over a device takes the device's place, and every program after it finds a file.

    Raises:
        InputError: if no file can be written there.
    """
    if not out.name or (out.exists() and not out.is_file()):
        seen = "a folder" if out.is_dir() else "no regular file"
        raise InputError([Fault(where=str(out), expected="the name of a file", seen=seen)])
    try:
        yield
    except OSError as error:
        raise InputError([Fault(where=str(out), expected="a place that can be written",
                                seen=str(error.strerror))]) from error  # fmt: skip
