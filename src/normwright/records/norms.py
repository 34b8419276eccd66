"""What is to hold: norms, charters, policies, and the decisions that apply them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, StrictInt, ValidationInfo, field_validator

from normwright.records.base import Digest, Frozen, Layer, ProcessKind, Record, Text
from normwright.records.estimates import Estimate
from normwright.records.instants import Day, bounds_as_text, days_as_text
from normwright.records.ratification import Dissent, ReadingResult
from normwright.records.scenes import FactValue

Kind: TypeAlias = Literal[
    "prohibition", "obligation", "permission", "guarantee", "exemption", "ideal", "constitutive"
]
Tier: TypeAlias = Literal["constitutional", "revisable"]
OnUnknown: TypeAlias = Literal["deny", "ask", "allow"]
Status: TypeAlias = Literal[
    "draft", "proposed", "in_force", "demonstration", "suspended", "repealed", "expired"
]
"""`demonstration` is what ratification by a simulated process yields: level L0, never in force."""
DecisionLevel: TypeAlias = Literal["L0", "L1", "L2", "L3", "L4", "L5"]


Actor: TypeAlias = Literal["assistant", "agent", "subagent", "deployer"]
"""Who acts. The deployer is the one actor that is a person."""
Counterparty: TypeAlias = Literal["human", "agent", "mixed", "public"]
Channel: TypeAlias = Literal["output", "action"]
Expectation: TypeAlias = Literal["allow", "deny", "ask"]
Asked: TypeAlias = Annotated[bool | int | str, BeforeValidator(days_as_text)]
"""A value that a condition compares a fact with."""
Threshold: TypeAlias = Annotated[StrictInt | str, BeforeValidator(bounds_as_text)]
"""A whole number, or an instant; a day is its midnight in UTC."""
Basis: TypeAlias = Literal["user", "deployer", "server"]
"""Whose place it is that puts a situation under a polity's norms."""


class FactType(Frozen):
    """One fact of the closed vocabulary."""

    name: str
    type: Literal["bool", "enum", "int", "time"]
    """`time`: an instant, written in ISO 8601 and compared in UTC."""
    values: tuple[str, ...] = ()
    """Allowed values of an enum."""
    value_labels: dict[str, Text] = {}
    """What each value of an enum means, in every charter language; shown where people read."""
    low: int | None = None
    high: int | None = None
    """Inclusive bounds of an int."""
    min_confidence: float | None = Field(default=None, ge=0, le=1)
    """Values that are less sure count as unknown. A classifier's value needs it to count at all."""
    label: Text = {}
    """What the fact means, in every charter language."""


class ActType(Frozen):
    """One act of the ontology. Acts form a directed acyclic graph by `is_a`."""

    name: str
    is_a: tuple[str, ...] = ()
    label: Text = {}


class Vocabulary(Record):
    """The closed, typed vocabulary that conditions are written in."""

    facts: tuple[FactType, ...]
    acts: tuple[ActType, ...]
    axioms: tuple[Condition, ...] = ()
    """What holds in every situation there can be, for instance that a minor is no clinician. Proofs
    about norms leave out situations that break one."""


class Condition(Frozen):
    """A quantifier-free formula. Exactly one of `all`, `any`, `negate` or `fact` is used.

    An empty condition is always true. With `fact`, exactly one of `eq`, `one_of`, `at_least`,
    `at_most` says what is asked of its value. In YAML: `{fact: age, at_least: 18}`,
    `{all: [...]}`, `{any: [...]}`, `{not: {...}}`, `{fact: jurisdiction, in: [EU]}`.
    """

    all: tuple[Condition, ...] | None = None
    any: tuple[Condition, ...] | None = None
    negate: Condition | None = Field(default=None, alias="not")
    fact: str | None = None
    eq: Asked | None = None
    one_of: tuple[Asked, ...] | None = Field(default=None, alias="in")
    at_least: Threshold | None = None
    """Inclusive; a whole number, or an instant in ISO 8601 for a fact that is a time."""
    at_most: Threshold | None = None

    model_config = {"populate_by_name": True}


class Bearer(Frozen):
    """Who is bound, and whether it matters that the actor is a machine."""

    actor: tuple[Actor, ...] = Field(default=("assistant",), min_length=1)
    """Which actors."""
    actor_sensitivity: Literal["invariant", "human_only", "agent_only", "agent_stricter"] = (
        "invariant"
    )
    """`human_only` and `agent_only` bind one sort of actor; under `agent_stricter` a machine that
    does not know whether the norm applies may do less than a person."""
    personal: bool = False
    """Whether it binds the actor in person only, and not whoever acts for them."""


class Scope(Frozen):
    """Where a norm applies."""

    channels: tuple[Channel, ...] = Field(default=("output",), min_length=1)
    deployments: str = "*"


class NormCase(Frozen):
    """A worked case that belongs to a norm; a norm that fails its own cases cannot be ratified."""

    id: str | None = None
    """Slug that the same case has in every language; None: cases are paired by their content."""
    lang: str
    kind: Literal["hit", "miss", "near_miss"]
    facts: dict[str, FactValue] = {}
    act: str
    feasible: tuple[str, ...] = ()
    """What could be done instead, besides nothing."""
    bearer: Actor | None = None
    """Who acts; None: the first whom the norm binds."""
    counterparty: Counterparty | None = None
    time: Day | None = None
    """The day; None: the first on which the norm is valid."""
    jurisdiction: tuple[str, ...] | None = None
    """Polities it lies under; None: the norm's own."""
    expect: Expectation
    text: str


class Measure(Frozen):
    """How compliance with a norm is measured and the limit it must stay under."""

    metric: str
    limit: float = Field(gt=0, lt=1)


class Source(Frozen):
    """Where a norm comes from when it does not come from a vote."""

    kind: Literal["instrument", "document", "project"]
    ref: str
    retrieved: Day | None = None


class Provenance(Frozen):
    """Which process a norm was ratified by, and how strongly."""

    process: str
    process_kind: ProcessKind
    tally: Digest
    """Digest of the Outcome record the support comes from."""
    method: str
    support: dict[str, Estimate]
    """`all`, then one entry an opinion group."""
    dissent: str = ""
    """Who is against it, in a sentence; in every language and with numbers in the charter."""
    readings: tuple[ReadingResult, ...] = ()
    """Each dated vote on it, the earliest first."""
    change: Estimate | None = None
    """Support in the last reading minus that in the first, if there were several."""
    decision_level: DecisionLevel = "L0"
    ratified_at: Day | None = None
    rule: str = ""
    """The ratification rule that was applied, in words."""
    rules: Text = {}
    """The same in every charter language."""


class Norm(Record):
    """One norm: condition -> modality over an act, for a bearer, with its cases and provenance."""

    spec: Literal["norm/v1"] = Field(default="norm/v1", alias="schema")
    id: str
    """Slug, for example `g.privacy.personal-data`; never used again for another norm."""
    version: int = 1
    """Raised by every change of content."""
    kind: Kind
    """Prohibition, obligation, permission (weak), guarantee (a right that no lower layer may
    forbid), exemption from an obligation, ideal (never denies), or constitutive (a definition)."""
    layer: Layer
    """At which layer of authority it is issued: global, polity, organisation or individual."""
    authority: str
    """Who issues it: `world` for the global layer, else one polity, organisation or person."""
    tier: Tier
    """Constitutional norms take more to adopt and are never unknown-allowed; revisable ones have a
    day of review."""
    act: str
    """The act it speaks about, with all its kinds: a node of `acts.yaml`."""
    bearer: Bearer = Bearer()
    """Whom it binds."""
    counterparty: tuple[Counterparty, ...] = Field(
        default=("human", "agent", "mixed", "public"), min_length=1
    )
    """Whom the act is done to or with; all unless the norm names some."""
    condition: Condition = Condition()
    """When it applies; empty: always."""
    scope: Scope = Scope()
    """Channels and deployments it is for."""
    valid_from: Day | None = None
    """First day on which it is in force, in its authority's time zone."""
    valid_to: Day | None = None
    """First day on which it is in force no more."""
    review_by: Day | None = None
    """Day by which a revisable norm is looked at again. It is not repealed by passing it."""
    overridable_by: tuple[Layer, ...] = ()
    """Layers whose permissions may override it; none: it is a floor."""
    override_mode: Literal["explicit", "implicit"] = "explicit"
    """Whether overriding has to be said; implicit is for ideals and style."""
    supersedes: tuple[str, ...] = ()
    """Norms it expressly replaces or is an exception to, as `id` or `id@version`; nothing lapses
    silently."""
    severity: int = Field(default=3, ge=1, le=5)
    """How grave a breach is, compared only within one rank."""
    on_unknown: OnUnknown = "ask"
    """What to do while it is not known whether the norm applies."""
    reparation: tuple[str, ...] = ()
    """Obligations that are owed after a breach."""
    deadline: str | None = None
    """For an obligation: the ISO 8601 duration within which it is to be fulfilled."""
    maintain: Condition | None = None
    """For an obligation with a deadline: what has to hold until it is fulfilled; once it is false
    the obligation lapses without a breach."""
    emergency: bool = False
    """Adopted without a vote: it may only tighten, and lapses after 14 days."""
    concerns: tuple[str, ...] = ()
    """What it is about, for example `privacy`; holes in the coverage are shown by concern."""
    statement: Text
    """The norm in plain words, in every charter language."""
    rationale: Text = {}
    """Why, in every charter language."""
    translation: dict[str, Literal["original", "reviewed", "unreviewed"]] = {}
    """By language: whether the statement was written in it, or translated and read by a speaker."""
    cases: tuple[NormCase, ...] = ()
    """Worked cases: hits, misses and near misses in every charter language."""
    measure: tuple[Measure, ...] = ()
    """How compliance is measured, and the limit."""
    source: tuple[Source, ...] = ()
    """Where it comes from, if not from a vote."""
    provenance: Provenance | None = None
    """Which votes it comes from; written by ratification."""
    status: Status = "draft"
    """Only what is in force, or in demonstration, decides anything."""
    recorded: Day | None = None
    """The day on which it was written into the charter, which can differ from when it is valid."""

    model_config = {"populate_by_name": True}

    @property
    def ref(self) -> str:
        """`id@version`, the name by which other norms and records cite this one."""
        return f"{self.id}@{self.version}"


class Conflict(Frozen):
    """Two norms that cannot both be followed in some situation, and how that was resolved."""

    over: str
    under: str
    rule: str
    """`express`, `guarantee`, `overridable`, `specialis`, `stricter`, `floor` or `unresolved`."""


class RejectedNorm(Frozen):
    """A norm that people did not ratify, and why."""

    norm: str
    reason: str
    support: dict[str, Estimate] = {}
    reasons: Text = {}
    """The reason in every charter language."""
    readings: tuple[ReadingResult, ...] = ()
    """Each dated vote on it, the earliest first."""
    rules: Text = {}
    """The rule that was applied, in every charter language."""

    def reason_in(self, lang: str) -> str:
        """Return the reason in one language, else as it was first written."""
        return self.reasons.get(lang) or self.reason


class ProposedNorm(Frozen):
    """A norm that was carried in as many readings as were held and still awaits another one.

    It is no norm of the charter: it binds nobody until it is carried again.
    """

    norm: Norm
    reasons: Text
    """What it waits for, in every charter language."""
    awaits: date
    """The first day on which the next reading may be held."""


class TierRule(Frozen):
    """What it takes to adopt or change norms of one tier."""

    share: float = Field(default=0.5, ge=0.5, lt=1)
    """Least share of all who voted; exactly one half means more for than against."""
    group_share: float | None = Field(default=None, gt=0, lt=1)
    """Least share in every opinion group of at least `group_size`; None: groups are not asked."""
    group_size: float = Field(default=0.08, gt=0, lt=1)
    """Least share of the participants for a group to be asked."""
    robust_core: bool = False
    """Whether the support must also hold in nearly every resample and under every rule compared."""
    readings: int = Field(default=1, ge=1)
    """How many dated votes must each carry it."""
    days_between: int = Field(default=0, ge=0)
    quorum: int | None = Field(default=None, ge=1)
    """Fewest people who must have voted; None: no number was laid down."""


_STRICT = TierRule(share=2 / 3, group_share=0.5, robust_core=True, readings=2, days_between=14)
_SIMPLE = TierRule(share=0.5)


class Amendment(Frozen):
    """How a charter may be changed. These rules are constitutional themselves.

    What a file does not say of a tier stays as it is here, and so as strict as it is here.
    """

    constitutional: TierRule = _STRICT
    revisable: TierRule = _SIMPLE
    emergency_days: int = Field(default=14, ge=1, le=14)
    """Longest life of an emergency norm."""

    @field_validator("constitutional", "revisable", mode="before")
    @classmethod
    def _filled(cls, given: Any, info: ValidationInfo) -> Any:
        """Add what a tier's rule does not say."""
        default = _STRICT if info.field_name == "constitutional" else _SIMPLE
        return {**default.model_dump(), **given} if isinstance(given, dict) else given


class CharterHead(Frozen):
    """What a charter says about itself: the file `charter.yaml` beside its norms."""

    spec: Literal["charter/v1"] = Field(default="charter/v1", alias="schema")
    id: str = "charter"
    version: int = Field(default=1, ge=1)
    parent: Digest | None = None
    languages: tuple[str, ...] = ()
    """The languages every text and every norm's cases must exist in; empty: those of the norms."""
    zones: dict[str, str] = {}
    """Authority -> IANA time zone in which its days begin; UTC for the others."""
    open_world: bool = False
    """What an act outside the ontology means. False: denied. True: no norm speaks about it."""
    jurisdiction_basis: tuple[Basis, ...] = ()
    """Whose places count where a situation says who is where; one that is listed and not told is
    unknown. Empty: all that are told."""
    amendment: Amendment = Amendment()
    title: Text = {}
    """What the charter is called, in every language."""
    contest: Text = {}
    """How a norm or a decision can be contested, and where, in every language."""
    notice: Text = {}
    """What readers have to know of the whole, for instance that it is no legal advice."""

    model_config = {"populate_by_name": True}


class Charter(Record):
    """The norms that hold together, ordered by layer, with the vocabulary they are written in."""

    id: str
    version: int
    parent: Digest | None = None
    languages: tuple[str, ...]
    vocabulary: Vocabulary
    norms: tuple[Norm, ...]
    rejected: tuple[RejectedNorm, ...] = ()
    proposed: tuple[ProposedNorm, ...] = ()
    """Norms that await another reading; none of them holds."""
    dissents: tuple[Dissent, ...] = ()
    """The minority report on each norm that was voted on, sorted by norm."""
    conflicts: tuple[Conflict, ...] = ()
    zones: dict[str, str] = {}
    open_world: bool = False
    jurisdiction_basis: tuple[Basis, ...] = ()
    amendment: Amendment = Amendment()
    title: Text = {}
    contest: Text = {}
    notice: Text = {}
    process: str
    kind: ProcessKind

    @property
    def not_holding(self) -> tuple[RejectedNorm, ...]:
        """Norms that were put to the vote and do not hold, each with why, sorted by norm.

        Rejected ones, and those that await another reading.
        """
        waiting = (
            RejectedNorm(
                norm=one.norm.ref,
                reason=next(iter(one.reasons.values()), ""),
                reasons=one.reasons,
                support={} if one.norm.provenance is None else one.norm.provenance.support,
            )
            for one in self.proposed
        )
        return tuple(sorted([*self.rejected, *waiting], key=lambda r: r.norm))
