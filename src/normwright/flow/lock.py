"""One run at a time in a project directory."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from normwright.records import Fault, InputError, PlaceError
from normwright.store import FOLDER, plainly

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""What a file system says that cannot lock."""


@contextmanager
def locked(project: Path) -> Iterator[None]:
    """Hold the project's lock while something writes to it; say plainly what the disk refuses.

    The system lets go of the lock when the process ends, however it ends, so that a killed run
    never blocks the next one; the file itself stays and means nothing.

    Raises:
        InputError: if another run holds it.
        PlaceError: if the place cannot be written to or cannot lock, or if that shows inside.
    """
    path = project / FOLDER / "lock"
    with plainly(project):
        (project / FOLDER).mkdir(exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _take(handle, path)
            yield
        finally:
            os.close(handle)


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Let nothing else make the folder `out` meanwhile; leave nothing beside it.

    Raises:
        InputError: if another run makes it.
        PlaceError: as `locked`.
    """
    path = out.with_name(f"{out.name}.lock")
    missing = [place for place in path.parents if not place.exists()]
    with plainly(out):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        try:
            _take(handle, path, "no other run that makes this folder")
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
        finally:
            os.close(handle)
            for place in missing:
                with suppress(OSError):
                    place.rmdir()


def _take(handle: int, path: Path, expected: str = "no other run in this project") -> None:
    """Take the lock and write down who has it; that is for people, the system knows anyway."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(handle, 32).decode("ascii", "replace").strip()
        raise InputError(
            [
                Fault(
                    where=str(path),
                    expected=expected,
                    seen=f"process {holder or 'unknown'} at work",
                    do="Wait until it has finished, or stop it.",
                )
            ]
        ) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        raise PlaceError(
            [
                Fault(
                    where=str(path),
                    expected="a file system that can lock files",
                    seen=str(error.strerror),
                    do="Move the project to a local disk.",
                )
            ]
        ) from error
    os.ftruncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)
