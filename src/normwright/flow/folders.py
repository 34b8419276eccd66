"""A folder of new files, written whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from normwright.flow.start import building, occupied
from normwright.records import InputError
from normwright.store import write_whole


def write_folder(files: Mapping[str, bytes], out: Path) -> tuple[str, ...]:
    """Write files into a new or empty folder, all of them or none, and return their names.

    Args:
        files: path inside the folder -> content.
        out: the folder.

    Raises:
        InputError: if something lies there, as what a person may have edited is never written
            over; or if the place cannot be written to.
    """
    faults = occupied(out)
    if faults:
        raise InputError(faults)
    with building(out.resolve()) as made:
        for name, data in files.items():
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, data)
    return tuple(sorted(files))
