"""How norms were put to people: dated readings, what each said, who dissented, what is drafted."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from normwright.records.base import Digest, Frozen, Layer, Record, Text
from normwright.records.estimates import Estimate
from normwright.records.outcomes import Outcome
from normwright.records.people import Process
from normwright.records.voices import Statement


class Reading(Record):
    """One dated vote on the norms of a charter, with nobody's ballot in it."""

    held_on: date
    """The day on which the vote ended."""
    process: Process
    """The consultation it was part of."""
    statements: tuple[Statement, ...] = ()
    """What was voted on."""
    outcomes: tuple[Outcome, ...] = ()
    """What each electorate said; one a layer and authority."""


class ReadingResult(Frozen):
    """What one reading said about one norm."""

    held_on: date
    """The day on which the vote ended."""
    process: str
    """Id of the consultation."""
    statements: tuple[str, ...] = ()
    """Statements that asked the norm's own electorate about it."""
    people: int = 0
    """How many people voted on at least one of them, else the most who voted on any one."""
    support: dict[str, Estimate] = {}
    """`all`, then one entry an opinion group."""
    kept: dict[str, float | None] = {}
    """Rule of counting -> the share that nearly every resample reaches; empty: not computed."""
    tally: Digest | None = None
    """Digest of the outcome the support comes from."""
    carried: bool = False
    """Whether the vote carried the norm, by the rule of its tier."""
    against: tuple[Text, ...] = ()
    """Every reason why it was not carried, in every charter language."""


class GroupDissent(Frozen):
    """How much of one opinion group is against a norm."""

    group: str
    """Id of the group."""
    against: Estimate | None
    """Share against of those of the group who voted; None: too few to be told, or not counted."""
    suppressed: bool = False
    """Whether it is left out because so few people could be recognised."""


class Marked(Frozen):
    """A statement on which those who dissent differ most from all others."""

    statement: str
    """Digest or id of the statement."""
    text: Text
    """What it says, in the languages it exists in."""
    agreed: bool
    """Whether the dissenting group agrees with it more than others do; otherwise less."""
    within: Estimate
    """Share of the dissenting group who agree."""
    others: Estimate
    """Share of everybody else who agree."""


class Dissent(Record):
    """The minority report on one norm: who is against it, and what else sets them apart."""

    norm: str
    """Reference of the norm."""
    carried: bool
    """Whether the vote carried it, by the rule of its tier."""
    tally: Digest
    """Digest of the outcome it was made from."""
    against: Estimate
    """Share of all votes that are against it; passes are in the count and not against."""
    passed: Estimate
    """Share of all votes that are passes."""
    groups: tuple[GroupDissent, ...] = ()
    """Each opinion group, those not shown included."""
    loudest: str | None = None
    """The opinion group most against it, of those shown to be more so than everybody else."""
    marks: tuple[Marked, ...] = ()
    """At most three statements that are most characteristic of that group."""
    words: Text
    """The same in sentences, in every charter language."""


class NormDraft(Record):
    """What people support and no norm says yet. A person writes the norm; nothing here can hold."""

    spec: Literal["norm-draft/v1"] = Field(default="norm-draft/v1", alias="schema")
    """Which form the file has."""
    id: str
    """A name to begin with."""
    layer: Layer
    """The layer of those who were asked."""
    authority: str
    """Slug of those who were asked."""
    statement: Text
    """What people supported, in the languages it exists in."""
    support: dict[str, Estimate]
    """`all`, then one entry an opinion group, those left out in which people could be recognised.
    """
    tally: Digest
    """Digest of the outcome the support comes from."""
    asked: str
    """The statement people voted on."""
    tiers: tuple[Literal["constitutional", "revisable"], ...]
    """Tiers whose rule one reading of the statement carries."""
    to_write: tuple[str, ...] = ("kind", "tier", "act", "condition", "cases")
    """What nobody can read off a vote."""

    model_config = {"populate_by_name": True}
