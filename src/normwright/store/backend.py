"""What the store asks of a database, whichever it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import sqlalchemy as sa

from normwright.records import NormwrightError, PlaceError

PATIENCE = 30
"""Seconds that a writer waits for another one to finish."""


class Backend(Protocol):
    """One database that holds the store of one project.

    A connection with the execution option `writes` begins its transactions as the only writer of
    this store: what it reads is what the last writer left. Without, it reads one state of it.
    """

    name: str
    """What it is called in messages; never with a password."""
    engine: sa.Engine
    sealed: bool
    """Whether nothing can be written here, so that the store is opened for reading alone."""
    errors: tuple[type[Exception], ...]
    """What is raised when a statement or a connection fails."""

    def known(self) -> bool:
        """Say whether this project has made its store here, as far as its directory tells."""

    def connect(self) -> sa.Connection:
        """Return a connection; a server that is just coming up is waited for, within bounds.

        Raises:
            StoreError: if there is none to be had.
        """

    def there(self, connection: sa.Connection) -> bool:
        """Say whether the store is there.

        Raises:
            InputError: if what is there belongs to another project directory.
        """

    def make(self, connection: sa.Connection) -> None:
        """Make room for the store in a transaction that writes, if there is none yet.

        Raises:
            InputError: if what is there belongs to another project directory.
        """

    def error(self, error: Exception) -> NormwrightError | None:
        """Return a failure that is the database's in words, None for one that is the caller's."""

    def disturbance(self) -> PlaceError | None:
        """Return that somebody writes to a store that is read without any protection, if so.

        What does not fit together then may be two states of it, and is no damage.
        """

    def damage(self, connection: sa.Connection) -> Sequence[str]:
        """Return what the database engine itself finds wrong, in its words."""
