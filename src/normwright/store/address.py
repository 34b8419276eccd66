"""Where a store in PostgreSQL is: a database named by URL, and the project's schema inside it.

Each project has a schema of its own, so that several share one database and never mix. A password
may come in from the environment; it never goes out: not in a message, a fault or a `repr`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from normwright.records import Fault, InputError

FORM = "postgresql://USER@HOST:PORT/DATABASE"
"""What the address of a database looks like in a project file."""

_SCHEMES = ("postgres", "postgresql", "postgresql+psycopg")
_SECRETS = frozenset({"password", "sslpassword"})
"""Connection parameters that hold a secret."""
_PREFIX = "normwright_"
_LONGEST = 63
"""Bytes that PostgreSQL keeps of a name; it cuts the rest off without a word."""


@dataclass(frozen=True)
class Address:
    """A database, and the schema in it that holds the store of one project."""

    url: sa.URL = field(repr=False)
    """For the driver, with whatever secrets it came with."""
    schema: str


def read_address(url: str, *, project: str, where: str, secrets: bool = False) -> Address:
    """Return the address that a URL and the id of a project stand for.

    Args:
        url: `postgresql://`, with whatever libpq understands behind it; what is left out libpq
            finds in its own places (PGHOST, PGSERVICE, PGPASSWORD, ~/.pgpass ...).
        project: The id of the project, from which the schema takes its name.
        where: Where the URL was written, for the faults.
        secrets: Whether a password may stand in it.

    Raises:
        InputError: if it cannot be read, or holds a password where none may stand.
    """
    if faults := address_faults(url, where=where, secrets=secrets):
        raise InputError(faults)
    return Address(url=_parsed(url).set(drivername="postgresql+psycopg"), schema=schema_of(project))


def address_faults(url: str, *, where: str, secrets: bool = False) -> Sequence[Fault]:
    """Return what is wrong with the URL of a database. No fault repeats any part of it."""
    scheme = url.partition("://")[0]
    if scheme not in _SCHEMES or "://" not in url:
        seen = "a URL of another kind" if "://" in url else "no URL"
        do = "Leave it out for a SQLite file in the project."
        return [Fault(where=where, expected=FORM, seen=seen, do=do)]
    try:
        parsed = _parsed(url)
    except (ValueError, sa.exc.ArgumentError):
        parsed = None
    # An @ that is not percent-encoded may belong to a password, which would then be taken for a
    # host and shown.
    if parsed is None or url.count("@") > 1 or "@" in (parsed.database or ""):
        do = "Percent-encode special characters in its parts, for example @ as %40."
        return [Fault(where=where, expected=FORM, seen="a URL that cannot be read", do=do)]
    if not secrets and (parsed.password is not None or _SECRETS & parsed.query.keys()):
        do = (
            "Take it out; give it by PGPASSWORD, ~/.pgpass or PGSERVICE. If others have seen this"
            " file, change the password."
        )
        seen = "a password in it"
        return [Fault(where=where, expected=f"{FORM}, without a password", seen=seen, do=do)]
    return []


def schema_of(project: str) -> str:
    """Return the name of a project's schema; a long one is cut and told apart by a digest."""
    name = _PREFIX + project
    if len(name.encode()) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 17]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def without_secrets(text: str, url: sa.URL) -> str:
    """Return `text` with every secret of `url` struck out."""
    secrets = [url.password, *(url.query.get(name) for name in _SECRETS)]
    for secret in secrets:
        if isinstance(secret, str) and secret:
            text = text.replace(secret, "***")
    return text


def masked(text: str) -> str:
    """Return `text` with the password struck out of whatever looks like a URL in it."""
    text = re.sub(r"(://[^\s:/@]*:).*@", r"\1***@", text, flags=re.DOTALL)
    return re.sub(r"((?:ssl)?password=)[^\s&\"']*", r"\1***", text)


def _parsed(url: str) -> sa.URL:
    # `scheme://?parameters` is fine for libpq, and unreadable for SQLAlchemy without the slash.
    return sa.make_url(re.sub(r"^([^:]+://)\?", r"\1/?", url))
