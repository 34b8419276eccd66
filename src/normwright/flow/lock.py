"""One run at a time in a project directory."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from normwright.records import Fault, InputError
from normwright.store import FOLDER


@contextmanager
def locked(project: Path) -> Iterator[None]:
    """Hold the project's lock while something writes to it.

    The system lets go of the lock when the process ends, however it ends, so that a killed run
    never blocks the next one; the file itself stays and means nothing.

    Raises:
        InputError: if another run holds it.
    """
    (project / FOLDER).mkdir(exist_ok=True)
    path = project / FOLDER / "lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 32).decode("ascii", "replace").strip()
            raise InputError(
                [
                    Fault(
                        where=str(path),
                        expected="no other run in this project",
                        seen=f"process {holder or 'unknown'} at work",
                        do="Wait until it has finished, or stop it.",
                    )
                ]
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)
