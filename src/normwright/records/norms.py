"""What is to hold: norms, charters, policies, and the decisions that apply them."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal, TypeAlias

from pydantic import Field

from normwright.records.base import Digest, Frozen, Layer, ProcessKind, Record, Text
from normwright.records.estimates import Estimate
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


class FactType(Frozen):
    """One fact of the closed vocabulary."""

    name: str
    type: Literal["bool", "enum", "int"]
    values: tuple[str, ...] = ()
    """Allowed values of an enum."""
    low: int | None = None
    high: int | None = None
    """Inclusive bounds of an int."""
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
    eq: bool | int | str | None = None
    one_of: tuple[bool | int | str, ...] | None = Field(default=None, alias="in")
    at_least: int | None = None
    at_most: int | None = None

    model_config = {"populate_by_name": True}


class Bearer(Frozen):
    """Who is bound, and whether it matters that the actor is a machine."""

    actor: tuple[Literal["assistant", "agent", "subagent", "deployer"], ...] = ("assistant",)
    actor_sensitivity: Literal["invariant", "human_only", "agent_only", "agent_stricter"] = (
        "invariant"
    )
    personal: bool = False


class Scope(Frozen):
    """Where a norm applies."""

    channels: tuple[Literal["output", "action"], ...] = ("output",)
    deployments: str = "*"


class NormCase(Frozen):
    """A worked case that belongs to a norm; a norm that fails its own cases cannot be ratified."""

    lang: str
    kind: Literal["hit", "miss", "near_miss"]
    facts: dict[str, FactValue] = {}
    act: str
    expect: Literal["allow", "deny", "ask"]
    text: str


class Measure(Frozen):
    """How compliance with a norm is measured and the limit it must stay under."""

    metric: str
    limit: float = Field(gt=0, lt=1)


class Source(Frozen):
    """Where a norm comes from when it does not come from a vote."""

    kind: Literal["instrument", "document", "project"]
    ref: str
    retrieved: date | None = None


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
    decision_level: DecisionLevel = "L0"
    ratified_at: date | None = None
    rule: str = ""
    """The ratification rule that was applied, in words."""


class Norm(Record):
    """One norm: condition -> modality over an act, for a bearer, with its cases and provenance."""

    spec: Literal["norm/v1"] = Field(default="norm/v1", alias="schema")
    id: str
    version: int = 1
    kind: Kind
    layer: Layer
    authority: str
    tier: Tier
    act: str
    bearer: Bearer = Bearer()
    counterparty: tuple[Literal["human", "agent", "mixed", "public"], ...] = ("human", "public")
    condition: Condition = Condition()
    scope: Scope = Scope()
    valid_from: date | None = None
    valid_to: date | None = None
    review_by: date | None = None
    overridable_by: tuple[Layer, ...] = ()
    override_mode: Literal["explicit", "implicit"] = "explicit"
    supersedes: tuple[str, ...] = ()
    severity: int = Field(default=3, ge=1, le=5)
    on_unknown: OnUnknown = "ask"
    reparation: tuple[str, ...] = ()
    deadline: str | None = None
    concerns: tuple[str, ...] = ()
    statement: Text
    rationale: Text = {}
    cases: tuple[NormCase, ...] = ()
    measure: tuple[Measure, ...] = ()
    source: tuple[Source, ...] = ()
    provenance: Provenance | None = None
    status: Status = "draft"

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

    def reason_in(self, lang: str) -> str:
        """Return the reason in one language, else as it was first written."""
        return self.reasons.get(lang) or self.reason


class Charter(Record):
    """The norms that hold together, ordered by layer, with the vocabulary they are written in."""

    id: str
    version: int
    parent: Digest | None = None
    languages: tuple[str, ...]
    vocabulary: Vocabulary
    norms: tuple[Norm, ...]
    rejected: tuple[RejectedNorm, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    process: str
    kind: ProcessKind


class Situation(Frozen):
    """What `norms.decide` is asked about."""

    act: str
    """The act requested."""
    facts: dict[str, FactValue] = {}
    """Known facts; absent or None is unknown."""
    feasible: tuple[str, ...] = ("decline",)
    """Other acts that could be done instead. `decline` is the null act."""
    actor: Literal["assistant", "agent", "subagent", "deployer"] = "assistant"
    channel: Literal["output", "action"] = "output"
    on: date | None = None
    """The day the situation happens; norms not valid that day do not apply. None: all in force."""


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

    norm: str
    by: str
    rule: str


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
    duties: tuple[str, ...] = ()
    """Obligations that stand, by reference."""
    reparations: tuple[str, ...] = ()
    charter: Digest | None = None


class PolicyRule(Frozen):
    """One norm, compiled for a deployment."""

    norm: str
    """Reference of the norm."""
    layer: Layer
    force: Literal["constraint_hard", "constraint", "weight", "style"]
    """How learning treats it: hard constraint, constraint with a limit, reward weight, or style."""
    weight: float
    """severity x support, for pairs and rewards; in (0, 5]."""
    guard: Literal["deny", "ask", "transform", "none"]
    on_fail: Literal["block", "hold", "report"]
    limit: float
    """Highest violation rate the release criterion accepts."""
    statement: Text


class Policy(Record):
    """The charter compiled for one deployment: what every stage below obeys."""

    charter: Charter
    deployment: dict[str, Any]
    """Deployment profile: polities, languages, closed-world acts."""
    rules: tuple[PolicyRule, ...]
    system_prompt: Text
    permit_modes: tuple[str, ...]
    """Release modes the permit covers. A simulated process permits `internal` only."""
    permit_reason: Text
    """Why no more modes are permitted, in every charter language."""
    coverage: dict[str, dict[str, bool]]
    """Norm reference -> {guard, reward, evaluation, criterion} -> covered."""
