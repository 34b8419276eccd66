"""Who takes part, and in what process."""

from __future__ import annotations

from typing import Literal, TypeAlias

from normwright.records.base import Frozen, Layer, ProcessKind, Record, Text

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


class ConsentVersion(Frozen):
    """One wording of what participants agreed to, and what it says about training."""

    id: str
    """Its name or date, for example `2026-02`."""
    to_training: bool | None = None
    """Whether it says that answers may be used to train a model; None: nobody knows."""
    participants: int | None = None
    """How many agreed to this wording, if that is known."""


class Consent(Frozen):
    """On what ground people's answers may be used. What is not known is None."""

    basis: Literal["participants", "contract", "instrument", "law"] | None = None
    """They agreed themselves, by contract, or an instrument or a law allows it."""
    reference: str = ""
    """The contract, instrument or law."""
    versions: tuple[ConsentVersion, ...] = ()
    """Every wording that somebody agreed to."""
    minors: Literal["none", "with_guardians", "without_guardians"] | None = None
    """Whether minors took part, and whether whoever looks after them agreed."""


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
    consent: Consent | None = None
    """What participants agreed to; None where nobody knows. Simulated ones agree to nothing."""


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
