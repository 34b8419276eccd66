"""What goes wrong with the disk under a project, said once, in words a person can act on.

A full disk, a missing right or a read-only place comes up as an `OSError` from any of many calls,
as text inside an error of a library that writes weights, or as an error of the database. All of
them become one `PlaceError` here. Errors that are none of these pass through unchanged.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from normwright.records import Fault, NormwrightError, PlaceError

FULL = 1 << 16
"""Bytes: with less than this free nothing useful can be written."""

_OS_ERROR = re.compile(r"\bos error (\d+)")
"""How libraries written in Rust, safetensors among them, pass on what the system said."""


class _Said(NamedTuple):
    """What is said of one kind of trouble."""

    expected: str
    seen: str
    do: str


_NO_ROOM = _Said(
    "room on the disk",
    "none left",
    "Free some space and give the same command again; it goes on from what is finished.",
)
_FORBIDDEN = _Said(
    "a place this user may read and write",
    "permission denied",
    "Give this user the right to it (chmod, chown), or work on a copy.",
)
_READ_ONLY = _Said(
    "a place that can be written to",
    "a read-only place",
    "Work on a copy where writing is possible; status, verify, trace and chat need no writing.",
)
_BROKEN = _Said(
    "a disk that works",
    "an input/output error",
    "Look into the system's log; copy what can still be read to another disk.",
)
_NO_FOLDER = _Said("a directory", "a file in its place", "Choose another place.")
_LONG_NAME = _Said("a name the file system can hold", "one that is too long", "Choose a shorter.")
_BUSY = _Said(
    "the database within 30 seconds",
    "another process that kept it locked",
    "Wait until that process has finished, then give the same command again.",
)

_BY_ERRNO: Mapping[int, _Said] = {
    errno.ENOSPC: _NO_ROOM,
    errno.EDQUOT: _NO_ROOM,
    errno.EFBIG: _NO_ROOM,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: _READ_ONLY,
    errno.EIO: _BROKEN,
    errno.EEXIST: _NO_FOLDER,
    errno.ENOTDIR: _NO_FOLDER,
    errno.ENAMETOOLONG: _LONG_NAME,
}

_BY_SQLITE: Mapping[int, _Said] = {
    sqlite3.SQLITE_FULL: _NO_ROOM,
    sqlite3.SQLITE_PERM: _FORBIDDEN,
    sqlite3.SQLITE_CANTOPEN: _FORBIDDEN,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_IOERR: _BROKEN,
    sqlite3.SQLITE_BUSY: _BUSY,
}


def trouble_of(error: BaseException, place: Path) -> PlaceError | None:
    """Return what an error says about the disk, or None if it speaks of something else.

    Args:
        error: Any error.
        place: Named where the error itself does not say which file it was about.
    """
    if isinstance(error, NormwrightError):
        return None
    number = error.errno if isinstance(error, OSError) else _number_in(error)
    said = _BY_ERRNO.get(number) if number is not None else None
    if isinstance(error, sqlite3.Error):
        # From a statement that was given to the driver itself, past `say_plainly`.
        said = _BY_SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        if said is _BROKEN and _is_full(place):
            said = _NO_ROOM
    if said is None and isinstance(error, RuntimeError) and _is_full(place):
        said = _NO_ROOM  # the weights' writer only says that it could not write
    if said is None:
        return None
    named = getattr(error, "filename", None)
    return _told(said, str(place) if named is None else os.fsdecode(named))


@contextmanager
def plainly(place: Path, *, as_one: bool = False) -> Iterator[None]:
    """Say what goes wrong with the disk inside the block as one `PlaceError`.

    Args:
        place: What is worked on.
        as_one: Name the place itself, not the file in it that the error is about.

    Raises:
        PlaceError: in place of an error that speaks of the disk; others pass.
    """
    try:
        yield
    except Exception as error:
        told = trouble_of(error, place)
        if told is None:
            raise
        if as_one:
            told = PlaceError([f.model_copy(update={"where": str(place)}) for f in told.faults])
        raise told from error


def say_plainly(context: sa.engine.ExceptionContext) -> None:
    """Say what goes wrong with the disk under a SQLite file; a listener for `handle_error`.

    Raises:
        PlaceError: if the error is of that kind. Others stay as they are.
    """
    code = getattr(context.original_exception, "sqlite_errorcode", None)
    said = None if code is None else _BY_SQLITE.get(code & 0xFF)
    if said is None or context.engine is None:
        return
    place = Path(_file_of(context.engine.url))
    if said is _BROKEN and _is_full(place.parent):
        said = _NO_ROOM  # memory shared between readers could not grow
    if said is _FORBIDDEN and _has_no_right_but_exists(place):
        said = _READ_ONLY
    raise _told(said, str(place)) from context.original_exception


def _file_of(url: sa.URL) -> str:
    """Return the file a SQLite URL names, also where it is a URI itself."""
    return (url.database or "").removeprefix("file:").partition("?")[0]


def _has_no_right_but_exists(file: Path) -> bool:
    """Say whether a database could be read, if only its folder could be written to."""
    return os.access(file, os.R_OK) and not os.access(file.parent, os.W_OK)


def _told(said: _Said, where: str) -> PlaceError:
    return PlaceError([Fault(where=where, expected=said.expected, seen=said.seen, do=said.do)])


def _number_in(error: BaseException) -> int | None:
    found = _OS_ERROR.search(str(error))
    return None if found is None else int(found.group(1))


def _is_full(place: Path) -> bool:
    try:
        return shutil.disk_usage(place).free < FULL
    except OSError:
        return False  # a place that is gone says nothing about room
