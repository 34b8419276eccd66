"""One file for each format a consultation may come in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from normwright.elicit.consulted import Consulted
from normwright.elicit.files import Folder


@dataclass(frozen=True)
class Importer:
    """A format: how to recognise it and how to read it."""

    slug: str
    files: str
    """The files that make it up, in words, for messages."""
    sniff: Callable[[Folder], bool]
    read: Callable[[Folder], Consulted | None]
    """Returns None after noting faults in the folder."""
