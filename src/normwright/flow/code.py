"""The digest of the code a step runs, so that an edited room is not taken for the old one."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import normwright
from normwright.records import Digest, digest_bytes, digest_json

_PACKAGE = Path(normwright.__file__).parent


@cache
def code_digest(rooms: tuple[str, ...], *, package: Path = _PACKAGE) -> Digest:
    """Return one digest over the Python sources of `rooms`, without importing any of them.

    Args:
        rooms: Names below the package: `stats` for a whole room, `flow.stages.people` for one of
            its modules.
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
