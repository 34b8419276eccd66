"""Who takes part, and in what process."""

from __future__ import annotations

from typing import Literal, TypeAlias

from normwright.records.base import Layer, ProcessKind, Record, Text

Identification: TypeAlias = Literal["open", "invite", "roster", "oidc"]
"""How participants were identified; it caps how strong a decision the process may take."""


class Polity(Record):
    """A community with authority at one layer: the world, a city, an organisation."""

    id: str
    """Slug, unique in the project, for example `vila-clara`."""
    name: Text
    """Name in every language of the project."""
    layer: Layer
    """The layer at which this polity decides."""


class Process(Record):
    """One consultation: what was asked, of whom, and whether they were people."""

    id: str
    """Slug of the process."""
    kind: ProcessKind
    """Wholly human or wholly simulated; no tally mixes them."""
    title: Text
    """Title in every language of the project."""
    identification: Identification = "open"
    """How participants were identified."""
    seed: int | None = None
    """For a simulated process: the seed its participants, votes and row keys come from."""


class Participant(Record):
    """A person, or a simulated one, under a pseudonym."""

    id: str
    """Pseudonym, unique in the process."""
    process: str
    """The process this participant takes part in."""
    polities: tuple[str, ...]
    """Polities the participant belongs to; a ballot counts only in their layers."""
    lang: str | None = None
    """Language the participant answered in, if known."""
