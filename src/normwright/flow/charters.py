"""Where a charter lies: a project, a directory of norms, one file, or the norms that ship."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from normwright.flow.settings import FILE
from normwright.records import Charter, Fault, InputError

if TYPE_CHECKING:
    from normwright.charter import CharterSource

SEEDS = "seeds"
"""The name under which the norms that ship are asked for, where no place of that name is there."""


def norms_of(place: Path) -> CharterSource:
    """Return the drafted norms of a project, of a directory of norms, or of one charter file.

    Raises:
        InputError: if the project names no norms, or with every fault of the files.
    """
    from normwright.charter import read_source

    if (place / FILE).is_file():
        from normwright.flow.project import load_project

        project = load_project(place)
        norms = project.settings.sources.norms
        if norms is None:
            raise InputError(
                [
                    Fault(
                        where=f"{FILE}: sources.norms",
                        expected="a directory of norms",
                        seen="none",
                        do="Write norms, one file each, and name their directory there.",
                    )
                ]
            )
        return read_source(project.path(norms), languages=project.settings.languages)
    if str(place) == SEEDS and not place.exists():
        return read_source(Path(str(files("normwright.charter") / SEEDS)))
    return read_source(place)


def is_project(place: Path) -> bool:
    """Whether a place is a project's directory."""
    return (place / FILE).is_file()


@dataclass(frozen=True)
class Ratified:
    """A charter that a run of a project left standing."""

    at: datetime
    """From when it stood: when it was made, or, where a run came back to one that was there
    already, when that run began. In UTC."""
    run: int
    charter: Charter


def ratified(place: Path) -> tuple[Ratified, ...]:
    """Return every charter a project has had, in the order in which they stood.

    A run that changed nothing adds none. What `gc` let go is no longer there.

    Raises:
        InputError: if the project cannot be read.
    """
    from normwright.flow.stores import has_store, open_store

    if not has_store(place):
        return ()
    found: list[Ratified] = []
    with open_store(place, create=False) as store:
        started = {run.seq: run.started for run in store.runs()}
        for step in store.run_steps():
            result = store.result(step.key) if step.stage == "charter" else None
            if result is None:
                continue
            at = datetime.fromisoformat(started[step.run] if step.skipped else result.created)
            charter = store.records(result.made, Charter)[-1]
            if not found or found[-1].charter.digest != charter.digest:
                found.append(Ratified(at, step.run, charter))
    return tuple(found)
