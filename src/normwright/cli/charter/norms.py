"""Where a charter lies: a project, a directory of norms, one file, or the norms that ship.

Only a project needs the room that composes the stages; without one a check starts at once.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from normwright.records import Charter, Fault, InputError

if TYPE_CHECKING:
    from normwright.charter import CharterSource

PROJECT: Final = "normwright.yaml"
SEEDS: Final = "seeds"
"""The name under which the norms that ship are asked for, where no place of that name is there."""


def is_project(place: Path) -> bool:
    """Whether a place is a project's directory."""
    return (place / PROJECT).is_file()


def norms_of(place: Path) -> CharterSource:
    """Return the drafted norms of a project, of a directory of norms, or of one charter file.

    Raises:
        InputError: if the project names no norms, or with every fault of the files.
    """
    from normwright.charter import read_source

    if is_project(place):
        return _of_project(place)
    if str(place) == SEEDS and not place.exists():
        return read_source(Path(str(files("normwright.charter") / SEEDS)))
    return read_source(place)


def whole(source: CharterSource) -> Charter:
    """Return every norm of a source as a charter, those that do not hold included, to be shown."""
    from normwright.charter import assembled

    held = assembled(source)
    return held.model_copy(update={"norms": tuple(sorted(source.norms, key=lambda n: n.id))})


def _of_project(directory: Path) -> CharterSource:
    from normwright import flow
    from normwright.charter import read_source

    project = flow.load_project(directory)
    norms = project.settings.sources.norms
    if norms is None:
        raise InputError(
            [
                Fault(
                    where=f"{PROJECT}: sources.norms",
                    expected="a directory of norms",
                    seen="none",
                    do="Write norms, one file each, and name their directory there.",
                )
            ]
        )
    return read_source(project.path(norms), languages=project.settings.languages)
