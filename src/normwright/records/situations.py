"""What a charter is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal, TypeAlias

from pydantic import Field, field_validator

from normwright.records.base import Digest, Frozen, Record
from normwright.records.instants import Moment, written_out
from normwright.records.norms import Actor, Basis, Channel, Condition, Counterparty
from normwright.records.scenes import FactValue

Origin: TypeAlias = Literal["declared", "extractor", "classifier", "human"]
"""Where a fact's value comes from."""

UNKNOWN = "unknown"
"""The word by which a file says that a fact, or the place, is not known."""


class FactReading(Frozen):
    """A fact's value with where it comes from. A classifier's counts only if it is sure enough."""

    value: FactValue
    origin: Origin = "declared"
    confidence: float | None = Field(default=None, ge=0, le=1)
    """How sure the origin is. Below the fact's `min_confidence` the fact is unknown; so is every
    value of a classifier for a fact that names no such threshold."""

    @field_validator("value", mode="before")
    @classmethod
    def _unknown(cls, given: Any) -> Any:
        return None if given == UNKNOWN else given


class Grant(Frozen):
    """Authority handed on: what the grantee may do for the grantor."""

    grantor: str = Field(min_length=1)
    grantee: str = Field(min_length=1)
    grantor_is: Actor | Literal["human"] = "human"
    """What the grantor is. A chain whose first grantor is no human has no accountable root."""
    acts: tuple[str, ...]
    """Acts handed on, each with its kinds."""
    expires: Moment | None = None
    revoked: bool = False
    redelegable: bool = False
    """Whether the grantee may hand it on."""
    id: str = ""
    """Name under which a ledger keeps it; empty where no ledger does."""
    parent: str | None = None
    """Id of the one grant it is handed on from; None: it is the root of its chain."""
    resources: tuple[str, ...] | None = None
    """What it may be done to: names, or beginnings of names that end in `*`; None: anything."""
    condition: Condition = Condition()
    """When it may be used; empty: always."""
    budget: Mapping[str, int | None] = {}
    """Unit -> most that may be used up in all; None: no limit. A unit that is not named is not
    granted."""
    depth: int | None = Field(default=None, ge=0)
    """How many times more it may be handed on; None: no limit, where `redelegable`."""


class Situation(Frozen):
    """What `norms.decide` is asked about."""

    act: str
    """The act requested."""
    facts: Mapping[str, FactValue | FactReading] = {}
    """Known facts; absent, None or the word `unknown` is unknown."""
    feasible: tuple[str, ...] = ("decline",)
    """Other acts that could be done instead. `decline` is the null act."""
    bearer: Actor = "assistant"
    """Who is to act."""
    counterparty: Counterparty | None = None
    """Whom it is done to or with; None: not said. Then a restrictive norm that names counterparties
    applies, and a permissive one that does not name all of them is unknown."""
    channel: Channel = "output"
    time: datetime | date | None = None
    """When it happens; norms not valid then do not apply. A day is taken in each norm's own time
    zone, an instant without a zone in UTC. None: all in force."""
    jurisdiction: tuple[str, ...] | Literal["unknown"] | Mapping[Basis, str] | None = None
    """Polities the situation lies under, or who is in which: `{user: BR, deployer: EU}`; then the
    charter says whose place counts. None: all that the charter has norms of, which is right where
    it was enacted for one deployment. `unknown`: norms of polities are unknown."""
    grants: tuple[Grant, ...] = ()
    """The chain of grants the act is done under, from its root to the bearer; empty: none."""
    flow: Mapping[str, FactValue] = {}
    """Labels of the data involved; `conf` is the fact `flow.conf`, where the vocabulary has it."""

    @field_validator("time", mode="before")
    @classmethod
    def _day_or_instant(cls, given: Any) -> Any:
        """A day stays a day: as an instant it would begin at midnight in UTC."""
        written_out(given)
        return date.fromisoformat(given) if isinstance(given, str) and len(given) == 10 else given

    @field_validator("facts", "flow", mode="before")
    @classmethod
    def _unknown(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {name: None if value == UNKNOWN else value for name, value in given.items()}

    @field_validator("jurisdiction", mode="before")
    @classmethod
    def _one_or_more(cls, given: Any) -> Any:
        return (given,) if isinstance(given, str) and given != UNKNOWN else given


DecisionVerdict: TypeAlias = Literal[
    "allow",
    "deny",
    "ask",
    "necessity",
    "dilemma-choice",
    "dilemma-inaction",
    "deny-dilemma",
]


class Defeat(Frozen):
    """A norm that would have applied, and by which rule it was beaten."""

    id: str
    """Reference of the norm that was beaten."""
    by: str
    rule: str


class Duty(Frozen):
    """An obligation that stands, and by when."""

    id: str
    """Reference of the norm."""
    act: str
    deadline: str | None = None
    """ISO 8601 duration from the situation's time."""
    due: datetime | None = None
    """The deadline as an instant, where the situation has one."""


class Decision(Record):
    """What the charter says about one situation, with everything it rests on."""

    verdict: DecisionVerdict
    governing: tuple[str, ...]
    """References of the norms the verdict rests on."""
    defeated: tuple[Defeat, ...] = ()
    unknown: tuple[str, ...] = ()
    """Facts that are not known and would change the verdict."""
    least_bad: tuple[str, ...] = ()
    """Feasible acts with the least violation profile."""
    duties: tuple[Duty, ...] = ()
    """Obligations that stand."""
    reparations: tuple[str, ...] = ()
    charter: Digest | None = None
