"""Start a project from a template that ships with the package."""

from __future__ import annotations

import difflib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from normwright.flow.settings import FILE
from normwright.records import Fault, InputError

TEMPLATES = Path(__file__).parent / "templates"
"""Where the templates lie: one directory each, with a project file."""


EXTENDS = "extends"
"""A file in a template that names the template it is laid over."""


@dataclass(frozen=True)
class Started:
    """A project that was just made."""

    directory: Path
    template: str
    files: tuple[str, ...]
    """Every file of it, by relative path."""
    next: tuple[str, ...]
    """Commands that make sense now, in order."""


def template_names(templates: Path = TEMPLATES) -> tuple[str, ...]:
    """Return the names of the templates there are."""
    return tuple(sorted(file.parent.name for file in templates.glob(f"*/{FILE}")))


def init(directory: Path, template: str, *, templates: Path = TEMPLATES) -> Started:
    """Make a project from a template: the whole of it appears at once, or nothing does.

    Raises:
        InputError: if there is no such template, or something already lies at `directory`.
    """
    faults = []
    names = template_names(templates)
    if template not in names:
        close = difflib.get_close_matches(template, names, n=1)
        faults.append(
            Fault(
                where="template",
                expected=f"one of {', '.join(names)}" if names else "a template",
                seen=template,
                do=f"Nearest: {close[0]}." if close else "",
            )
        )
    faults += occupied(directory)
    if faults:
        raise InputError(faults)

    directory = directory.resolve()
    with building(directory) as made:
        for layer in _layers(templates, template):
            shutil.copytree(
                layer,
                made,
                ignore=shutil.ignore_patterns("__pycache__", ".*", EXTENDS),
                copy_function=shutil.copyfile,
                dirs_exist_ok=True,
            )
    return Started(
        directory=directory,
        template=template,
        files=files_of(directory),
        next=(
            f"normwright run {directory}",
            f"normwright status {directory}",
            f"normwright verify {directory}",
        ),
    )


def occupied(directory: Path) -> list[Fault]:
    """Return a fault if a project cannot be made here because something lies there already."""
    if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
        return []
    return [
        Fault(
            where=str(directory),
            expected="a new or empty directory",
            seen="a file" if not directory.is_dir() else "a directory with files in it",
            do="Choose another place; nothing is ever overwritten.",
        )
    ]


@contextmanager
def building(directory: Path) -> Iterator[Path]:
    """Give a directory to build a project in; when it is left without an error it moves in whole.

    After an error there is neither a project nor anything beside it.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(dir=directory.parent, prefix=f".{directory.name}-"))
    try:
        (place / "project").mkdir()
        yield place / "project"
        _move_in(place / "project", directory)
    finally:
        shutil.rmtree(place)


def files_of(directory: Path) -> tuple[str, ...]:
    """Return the files under a directory by relative path, sorted."""
    return tuple(
        sorted(p.relative_to(directory).as_posix() for p in directory.rglob("*") if p.is_file())
    )


def _layers(templates: Path, template: str) -> list[Path]:
    """Return the directories a template consists of, the one underneath first."""
    top = templates / template
    below = top / EXTENDS
    if not below.is_file():
        return [top]
    return [*_layers(templates, below.read_text(encoding="utf-8").strip()), top]


def _move_in(built: Path, directory: Path) -> None:
    """Make the finished copy the project. Without its project file a directory is not one."""
    if not directory.exists():
        os.rename(built, directory)
        return
    # Somebody may be standing in the empty directory, so it is filled, not replaced.
    for path in sorted(built.iterdir(), key=lambda path: path.name == FILE):
        os.rename(path, directory / path.name)
