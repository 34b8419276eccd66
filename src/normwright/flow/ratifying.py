"""Readings of norms, and the charter they come to: from a project, or from files."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from normwright.flow.engine import Watcher
from normwright.flow.history import settled
from normwright.flow.project import load_project
from normwright.flow.readings import earlier_readings, last_reading
from normwright.flow.results import check_makes
from normwright.flow.running import run
from normwright.flow.stores import open_store
from normwright.records import Charter, Fault, InputError, Reading, Record

if TYPE_CHECKING:
    from normwright.charter import CharterSource

R = TypeVar("R", bound=Record)


def readings_of(directory: Path, *, watch: Watcher | None = None) -> tuple[Reading, ...]:
    """Return the readings of a project, the earliest first; what is not counted yet is counted.

    Raises:
        InputError: if the project has no consultation or no norms, or with every fault of them.
    """
    project = load_project(directory)
    check_makes(project, "charter")
    run(directory, until="aggregate", watch=watch)
    with open_store(directory, create=False) as store:
        present = settled(store)

        def made(step: str) -> Sequence[str]:
            return present[step].made

        return (*earlier_readings(project, store, made), last_reading(project, store, made))


def read_readings(paths: Sequence[Path]) -> tuple[Reading, ...]:
    """Return readings from their files, the earliest first.

    Raises:
        InputError: with every fault of every file.
    """
    return tuple(sorted(_records(paths, Reading), key=lambda r: (r.held_on, r.process.id)))


def ratified_from(
    source: CharterSource,
    readings: Sequence[Path],
    *,
    on: date | None = None,
    parent: Path | None = None,
) -> Charter:
    """Return the charter that readings in files make of norms, without any ballot at hand.

    Args:
        source: the drafted norms.
        readings: files of readings, as `charter draft --save` writes them.
        on: the day of ratification; None: that of the last reading.
        parent: file of the charter that this one amends.

    Raises:
        InputError: with every fault of the files, or of the charter.
    """
    from normwright.charter import ratify

    held = read_readings(readings)
    above = None if parent is None else _records([parent], Charter)[0]
    return ratify(
        source,
        readings=held,
        charter_id=source.head.id,
        languages=source.head.languages,
        on=on or held[-1].held_on,
        parent=above,
    )


def write_record(record: Record, path: Path) -> None:
    """Write a record as JSON to a new file.

    Raises:
        InputError: if there is a file of this name, or no folder for it.
    """
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(record.model_dump_json(by_alias=True, indent=1) + "\n")
    except OSError as error:
        seen = "one that is there" if isinstance(error, FileExistsError) else str(error)
        raise InputError([Fault(where=str(path), expected="a new file", seen=seen)]) from error


def _records(paths: Sequence[Path], kind: type[R]) -> list[R]:
    found: list[R] = []
    faults: list[Fault] = []
    for path in paths:
        try:
            data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            found.append(kind.model_validate_json(data))
        except (OSError, EOFError) as error:
            what = f"a {kind.__name__.lower()} as JSON"
            faults.append(Fault(where=str(path), expected=what, seen=str(error)))
        except ValidationError as error:
            faults += [
                Fault(where=f"{path}: {'.'.join(map(str, one['loc']))}".rstrip(": "),
                      expected=one["msg"], seen=str(one["input"])[:60])
                for one in error.errors(include_url=False)
            ]  # fmt: skip
    if faults:
        raise InputError(faults)
    return found
