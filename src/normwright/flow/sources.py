"""Digests of the files of a project that a step reads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from normwright.records import Digest, Fault, InputError
from normwright.store import file_digest


def digest_sources(project: Path, names: Iterable[str]) -> dict[str, Digest]:
    """Return the digest of each named file, and of each file under a named directory.

    This is the form `Step.files` takes, and what `verify` compares with the disk: by path relative
    to the project. Files and folders whose names begin with a dot are left out, because editors
    and systems drop them.

    Raises:
        InputError: for all names under which there is nothing.
        PermissionError: if a directory may not be read; it must not pass for an empty one.
    """
    digests: dict[str, Digest] = {}
    faults = []
    for name in names:
        place = project / name
        files = [place] if place.is_file() else sorted(_files_under(place))
        if not place.exists():
            faults.append(Fault(where=name, expected="a file or directory", seen="none"))
        for file in files:
            inside = file.relative_to(project)
            hidden = any(part.startswith(".") for part in file.relative_to(place).parts)
            if not hidden and (digest := file_digest(file)) is not None:
                digests[inside.as_posix()] = digest
    if faults:
        raise InputError(faults)
    return digests


def _files_under(directory: Path) -> Iterator[Path]:
    """Yield every file at any depth."""

    def refuse(error: OSError) -> None:
        if directory.exists():
            raise error

    for folder, _, names in os.walk(directory, onerror=refuse):
        yield from (Path(folder) / name for name in names)
