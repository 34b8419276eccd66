"""Digests of what a step rests on besides records: source files and the code itself."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import normwright
from normwright.records import Digest, Fault, InputError, digest_bytes, digest_json

_PACKAGE = Path(normwright.__file__).parent


def digest_path(path: Path) -> Digest:
    """Return the digest of a file, or of all files under a directory by relative path.

    Files and folders whose names begin with a dot are left out: editors and systems drop them.

    Raises:
        InputError: if there is nothing at `path`.
    """
    if path.is_file():
        return digest_bytes(path.read_bytes())
    if not path.is_dir():
        raise InputError([Fault(where=str(path), expected="a file or directory", seen="none")])
    return digest_json(
        {
            name.as_posix(): digest_bytes((path / name).read_bytes())
            for name in sorted(found.relative_to(path) for found in path.rglob("*"))
            if (path / name).is_file() and not any(part.startswith(".") for part in name.parts)
        }
    )


def digest_sources(project: Path, names: Iterable[str]) -> dict[str, Digest]:
    """Return the digest of each named file or directory, by its path relative to the project.

    This is the form `Step.files` takes, and what `verify` compares with the disk.
    """
    return {name: digest_path(project / name) for name in names}


@cache
def code_digest(rooms: tuple[str, ...], *, package: Path = _PACKAGE) -> Digest:
    """Return one digest over the Python sources of `rooms`, without importing any of them.

    Args:
        rooms: Names below the package: `stats` for a whole room, `flow.stages` for one module.
        package: Where the rooms lie.

    Raises:
        ValueError: if a room does not exist, because nothing would then notice its changes.
    """
    sources: dict[str, Digest] = {}
    for room in rooms:
        place = package.joinpath(*room.split("."))
        module = place.with_name(place.name + ".py")
        files = sorted(place.rglob("*.py")) if place.is_dir() else [module]
        if not files or not all(file.is_file() for file in files):
            raise ValueError(f"{room} is neither a room nor a module of {package.name}")
        for file in files:
            sources[file.relative_to(package).as_posix()] = digest_bytes(file.read_bytes())
    return digest_json(sources)
