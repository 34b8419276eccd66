"""Reading a store where nothing can be written: a project on a read-only disk, or another user's.

SQLite in write-ahead mode makes files beside the database even to read it. Where that is not
possible the database is opened as one that nobody changes, unless a killed run has left a journal
whose last writes have to be read with it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from normwright.records import Fault, PlaceError


def is_sealed(file: Path) -> bool:
    """Say whether a database is there and may be read but not written by this process."""
    return file.is_file() and not (os.access(file.parent, os.W_OK) and os.access(file, os.W_OK))


def sealed_engine(file: Path) -> sa.Engine:
    """Return an engine over a SQLite file that never writes, nor makes any file beside it.

    While another user's run writes to the same file, what is read may be a moment old.
    """
    journal = file.with_name(file.name + "-wal")
    # With a journal the database alone is not the whole; without, nothing but the file is needed.
    still = "" if journal.is_file() and journal.stat().st_size else "&immutable=1"
    url = f"sqlite:///file:{quote(str(file))}?mode=ro{still}&uri=true"
    return sa.create_engine(url, hide_parameters=True)


def check_current(missing: Sequence[str], name: str) -> None:
    """Check that a store which cannot be brought up to date is so already.

    Args:
        missing: Names of the migrations it lacks.
        name: What the store is called in messages.

    Raises:
        PlaceError: if it lacks any.
    """
    if missing:
        raise PlaceError(
            [
                Fault(
                    where=name,
                    expected="a store of this version, as it cannot be written to here",
                    seen=f"one without {', '.join(missing)}",
                    do="Open it once where it can be written: normwright status DIR.",
                )
            ]
        )
