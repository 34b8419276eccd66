"""Which database a project keeps its store in, and the one way to open it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from normwright.flow.project import read_file
from normwright.flow.setting import SLUG
from normwright.flow.settings import FILE
from normwright.records import Fault, InputError
from normwright.store import Address, Store, read_address

VARIABLE = "NORMWRIGHT_STORE"
"""The environment variable whose database takes the place of the one in the project file."""


def open_store(
    directory: Path,
    *,
    create: bool = True,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Store:
    """Open the store of the project in `directory`, wherever its database is.

    Args:
        directory: The project.
        create: Make the store if there is none.
        now: The clock for ledger entries and results.

    Raises:
        InputError: if the address of the database cannot be used, or there is no store and
            `create` is false.
        IntegrityError: if what is there is not a readable database.
        MissingExtra: if the driver of the database is not installed.
        StoreError: if the server cannot be reached or refuses us.
    """
    return Store.open(directory, address=address_of(directory), create=create, now=now)


def has_store(directory: Path) -> bool:
    """Say whether the project in `directory` has made its store, without asking any server.

    Raises:
        InputError: if the address of the database cannot be used.
    """
    return Store.made(directory, address=address_of(directory))


def address_of(directory: Path) -> Address | None:
    """Return the PostgreSQL database a project keeps its store in; None is its own SQLite file.

    Only what names the database is read, so that a project can be verified whose other settings
    have become wrong.

    Raises:
        InputError: if the file is there and cannot be read, if what it says of the database
            cannot be used, or if a database is named and the project has no id.
    """
    raw: dict[str, Any] = {}
    if (directory / FILE).is_file():
        read, faults = read_file(directory)
        if read is None:
            raise InputError(faults)
        raw = read
    if named := os.environ.get(VARIABLE, ""):
        return read_address(named, project=_id(raw), where=VARIABLE, secrets=True)
    url = _setting(raw)
    return None if url is None else read_address(url, project=_id(raw), where=f"{FILE}: store.url")


def _setting(raw: Mapping[str, Any]) -> str | None:
    """Return `store.url` as it stands in the file."""
    store = raw.get("store") or {}
    url = store.get("url") if isinstance(store, dict) else store
    if isinstance(store, dict) and (url is None or isinstance(url, str)):
        return url
    expected, seen = "a mapping with the key url, which is text", f"a {type(url).__name__}"
    raise InputError([Fault(where=f"{FILE}: store", expected=expected, seen=seen)])


def _id(raw: Mapping[str, Any]) -> str:
    """Return the project's id, which its schema is named after."""
    found = raw.get("id")
    if isinstance(found, str) and re.fullmatch(SLUG, found):
        return found
    expected = "the short name of the project, to keep its store apart in the database"
    seen = "none" if found is None else "no short name"
    raise InputError([Fault(where=f"{FILE}: id", expected=expected, seen=seen)])
