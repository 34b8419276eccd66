"""What comes of looking at a charter: cases that fail, findings, what a change changes."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from normwright.records.base import Digest, Frozen, Layer, Record, Text
from normwright.records.norms import Expectation
from normwright.records.situations import Decision, DecisionVerdict, Situation

FindingClass: TypeAlias = Literal[
    "ULTRA_VIRES",
    "NARROWED",
    "UNRESOLVED",
    "HORIZONTAL",
    "STRICTER_BELOW",
    "DEAD",
    "SHADOWED",
    "REDUNDANT",
    "TRAP",
    "GAP",
    "UNTESTED",
    "UNCOVERED",
]


class CaseFailure(Frozen):
    """A norm's own case that does not come out as it says."""

    norm: str
    """Reference of the norm."""
    case: str
    """The case's slug, else its place in the norm: `cases[3]`."""
    lang: str
    text: str
    expected: Expectation | Literal["hit", "miss", "near_miss"]
    """The verdict it names; or its kind, where the verdict is right for another reason."""
    got: DecisionVerdict | Literal["hit", "miss"]
    """What the norms say; or whether the norm speaks about the case."""
    where: str = ""
    """File and line."""


class CharterFinding(Frozen):
    """One thing about a charter that people should look at, and the question to put to them."""

    kind: FindingClass = Field(alias="class")
    norms: tuple[str, ...]
    """References of the norms concerned, sorted; empty for a gap."""
    detail: Text
    """What was found, in every charter language."""
    witness: Situation | None = None
    """A situation that shows it when it is put to `decide`; None where none can show it."""
    question: Text
    """What to ask people, in every charter language."""
    concern: str | None = None
    """For a gap: the concern nothing speaks to."""
    layer: Layer | None = None
    """For a gap: the layer it is missing at."""

    model_config = {"populate_by_name": True}


class ChangedRegion(Frozen):
    """A kind of situation that two charters decide differently, with one situation of the kind."""

    situation: Situation
    before: Decision
    after: Decision


class CharterDiff(Record):
    """What a change of a charter changes, situation by situation."""

    before: Digest
    after: Digest
    added: tuple[str, ...] = ()
    """References of norms that are only in the later charter."""
    removed: tuple[str, ...] = ()
    changed: tuple[ChangedRegion, ...] = ()
    """One witness a region in which the verdict differs."""
    proved_unchanged: bool
    """Whether it was proved that no situation is decided differently."""
    open: tuple[str, ...] = ()
    """Acts for which neither a difference was found nor its absence proved."""
