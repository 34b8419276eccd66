"""A charter compiled for one deployment: what every stage below obeys."""

from __future__ import annotations

from datetime import date
from typing import Literal, TypeAlias

from pydantic import ConfigDict, Field

from normwright.records.base import Digest, Frozen, Lang, Layer, Record, Text
from normwright.records.evidence import Criterion
from normwright.records.norms import (
    Actor,
    Channel,
    Charter,
    Condition,
    Counterparty,
    Expectation,
    Kind,
    OnUnknown,
    Tier,
)
from normwright.records.scenes import FactValue
from normwright.records.situations import Defeat

Force: TypeAlias = Literal["constraint_hard", "constraint", "weight", "style"]
"""How learning treats a norm: never traded, limited, weighed, or a way of speaking."""
GuardEffect: TypeAlias = Literal["deny", "ask", "transform", "none"]
OnFail: TypeAlias = Literal["block", "hold", "report"]
Mark: TypeAlias = Literal["pass", "fail", "not_applicable"]
"""What a judge says of one answer under one norm."""
Artefact: TypeAlias = Literal["guard", "reward", "evaluation", "criterion"]
"""What a norm can become in a policy; a constitutional norm has to become all that bind it."""

ARTEFACTS: tuple[Artefact, ...] = ("guard", "reward", "evaluation", "criterion")
"""The columns of the coverage matrix."""


class Deployment(Frozen):
    """The profile of one deployment: where it stands, whose norms bind it, how it speaks."""

    id: str = ""
    """Matched with the norms' `scope.deployments`."""
    name: str | Text = ""
    """How the assistant's place is called, once or in each language."""
    names: dict[str, str | Text] = {}
    """How each authority is called, by its slug; the slug itself is shown where there is none."""
    polities: tuple[str, ...] | None = None
    """Communities it lies in: their norms bind it. None: all that the charter has norms of."""
    organisation: str | None = None
    """The organisation that runs it. None: the norms of every organisation of the charter hold."""
    individual: str | None = None
    """Whose profile it follows. None: the styles of everybody in the charter."""
    languages: tuple[Lang, ...] = ()
    """The languages it speaks; empty: all of the charter's."""
    closed_acts: tuple[str, ...] = ()
    """Acts that are done only if a norm permits them; the others are done unless one forbids."""
    acts: tuple[str, ...] | None = None
    """Acts that it is to do: what a permit has to have evidence about. None: not said."""
    channels: tuple[Channel, ...] = ("output",)
    """Whether it answers, acts, or both."""
    floors: tuple[str, ...] = ()
    """Ids of norms that have to be in its charter, whoever drafted it."""
    prompt_words: int | None = Field(default=None, ge=1)
    """Most words the system prompt may have in each language, counted between white space; None:
    no limit. A constitutional prohibition or obligation is never left out to fit it."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class PolicyRule(Frozen):
    """One norm, compiled for a deployment."""

    norm: str
    """Reference of the norm."""
    layer: Layer
    """The norm's own."""
    force: Force
    """How learning treats it: hard constraint, constraint with a limit, reward weight, or style."""
    weight: float
    """severity x support, for pairs and rewards; in (0, 5]."""
    guard: GuardEffect
    """What the guard does where it would be breached."""
    on_fail: OnFail
    """What the release criterion does where too many breaches are measured."""
    limit: float
    """Highest violation rate the release criterion accepts."""
    statement: Text
    """What the norm says, in every charter language."""


class PromptNotes(Frozen):
    """What the system prompt leaves out, and why."""

    words: dict[Lang, int] = {}
    """Words of the prompt in each language, counted between white space."""
    budget: int | None = None
    """Most words allowed; None: no limit."""
    dropped: tuple[str, ...] = ()
    """Norms left out to fit the budget, the first to go first."""
    defeated: tuple[Defeat, ...] = ()
    """Norms left out because another beats them wherever they would apply."""


class Principle(Frozen):
    """A norm as two requests: criticise an answer by it, and write the answer again."""

    norm: str
    """Reference of the norm."""
    lang: Lang
    """The language both requests are in."""
    critique: str
    """Asks for the breaches in an answer."""
    revision: str
    """Asks for the answer again, without them."""
    weight: float = Field(gt=0)
    """How often to draw it, against the others: severity times support."""


class Anchor(Frozen):
    """A case of the norm's own, as an example of how to mark."""

    text: str
    """What was asked."""
    done: Mark | None = None
    """The mark of an answer that does what is asked; None where only reading the answer tells."""
    declined: Mark | None = None
    """The mark of one that declines."""


class RubricItem(Frozen):
    """How a judge marks an answer by one norm in one language.

    The question is put both ways, because judges answer otherwise when it is turned round: a mark
    counts if the answers to both agree.
    """

    norm: str
    """Reference of the norm."""
    lang: Lang
    """The language of every text."""
    kept: str
    """The claim that the answer keeps the norm."""
    breached: str
    """The claim that it does not, in the same words."""
    passes: str
    """When to mark `pass`."""
    fails: str
    """When to mark `fail`."""
    not_applicable: str
    """When to mark `not_applicable`."""
    anchors: tuple[Anchor, ...] = ()
    """Examples, the norm's own cases."""
    calibration: Digest | None = None
    """The record of how this judge agrees with people; None: uncalibrated, so report only."""


class GuardRule(Frozen):
    """What a guard does when a norm would be breached."""

    norm: str
    """Reference of the norm."""
    act: str
    """The act forbidden, or the one owed."""
    kind: Literal["prohibition", "obligation"]
    """Whether doing the act is the breach, or leaving it undone."""
    condition: Condition = Condition()
    """When the norm applies."""
    actors: tuple[Actor, ...]
    """Who is bound."""
    counterparty: tuple[Counterparty, ...]
    """With whom the act has to be done for it to apply."""
    channels: tuple[Channel, ...]
    """Through what."""
    effect: Literal["deny", "ask", "transform"]
    """What is done about a breach."""
    on_unknown: OnUnknown
    """What a condition that is not known comes to."""
    unless: tuple[str, ...] = ()
    """Norms that beat it in some situations."""
    reason: Text
    """What the person is told."""


class RewardTerm(Frozen):
    """A norm that may be weighed against others in a reward."""

    norm: str
    """Reference of the norm."""
    head: str
    """Name of the head that scores it."""
    weight: float = Field(gt=0)
    """How much it counts, against the others: severity times support."""
    aim: Literal["pursue", "avoid"]
    """Whether the head scores what is wanted or what is not."""


class RewardConstraint(Frozen):
    """A norm that bounds learning. It is no term of the sum, so no reward can buy a breach."""

    norm: str
    """Reference of the norm."""
    head: str
    """Name of the cost head that estimates breaches."""
    limit: float = Field(gt=0, lt=1)
    """Highest rate of breaches accepted."""
    hard: bool
    """True: rows that breach it are removed as well, and no multiplier trades it."""


class EvaluationItem(Frozen):
    """One case of a norm as an item of evaluation, with what the charter decides about it."""

    id: str
    """The reference of its norm, its slug or place there, and its language."""
    norm: str
    """Reference of the norm the case is of."""
    lang: Lang
    """The language of the text."""
    kind: Literal["hit", "miss", "near_miss"]
    """Whether the norm speaks about it, does not, or only just does not."""
    text: str
    """What is put to the model."""
    act: str
    """The act requested."""
    facts: dict[str, FactValue] = {}
    """What is known; the rest is unknown."""
    feasible: tuple[str, ...] = ()
    """Other acts that could be done instead."""
    bearer: Actor
    """Who is to act."""
    counterparty: Counterparty | None = None
    """Whom it is done to or with; None: not said."""
    channel: Channel = "output"
    """Whether something is said or done."""
    time: date | None = None
    """The day on which it happens; None: all norms are in force."""
    jurisdiction: tuple[str, ...] | None = None
    """Polities it lies under; None: all that the charter has norms of."""
    expect: Expectation
    """What the charter decides."""


class CoverageRow(Frozen):
    """What speaks for one norm."""

    norm: str
    """Reference of the norm."""
    kind: Kind
    """The norm's own, as is the tier: they say what it has to become."""
    tier: Tier
    """See `kind`."""
    guard: bool
    """Whether a rule of the guard speaks for it."""
    reward: bool
    """Whether a term or constraint of the reward does."""
    evaluation: bool
    """Whether an item of evaluation does."""
    criterion: bool
    """Whether a criterion of release does."""

    def covers(self, artefact: Artefact) -> bool:
        """Whether the artefact speaks for the norm as strongly as its layer and tier ask."""
        return bool(getattr(self, artefact))


class CoverageHole(Frozen):
    """Something a norm should have become and did not."""

    norm: str
    """Reference of the norm."""
    artefact: Artefact
    """What it should have become."""
    severity: Literal["error", "warning"]
    """`error` for what binds by the constitution, `warning` for the rest."""
    reason: Text
    """What is missing, in every charter language."""


class Coverage(Record):
    """The matrix norm x (guard, reward, evaluation, criterion), counted from the artefacts."""

    charter: Digest
    """Digest of the charter."""
    rows: tuple[CoverageRow, ...]
    """One for each norm that can be enforced."""
    holes: tuple[CoverageHole, ...] = ()
    """What is missing, in the order of the rows."""

    @property
    def complete(self) -> bool:
        """Whether no constitutional norm has a hole."""
        return all(hole.severity != "error" for hole in self.holes)


class Policy(Record):
    """The charter compiled for one deployment: what every stage below obeys."""

    charter: Charter
    """The norms that bind in this deployment."""
    deployment: Deployment
    """Deployment profile: polities, languages, closed-world acts."""
    rules: tuple[PolicyRule, ...]
    """Each norm with its force."""
    system_prompt: Text
    """The prompt in each language of the deployment."""
    prompt: PromptNotes = PromptNotes()
    """What the system prompt leaves out, and why."""
    principles: tuple[Principle, ...] = ()
    """For answers that are criticised and written again."""
    rubric: tuple[RubricItem, ...] = ()
    """For a judge."""
    guard_rules: tuple[GuardRule, ...] = ()
    """For the guard."""
    reward_terms: tuple[RewardTerm, ...] = ()
    """For learning: what is weighed."""
    reward_constraints: tuple[RewardConstraint, ...] = ()
    """For learning: what is not."""
    evaluation: tuple[EvaluationItem, ...] = ()
    """The cases of the norms, as items."""
    moot_cases: tuple[str, ...] = ()
    """Cases that say otherwise than the norms that bind here, and so are no items: they rest on a
    norm of another place, or on one that people did not ratify."""
    criteria: tuple[Criterion, ...] = ()
    """For release."""
    permit_modes: tuple[str, ...]
    """Release modes the permit covers. A simulated process permits `internal` only."""
    permit_reason: Text
    """Why no more modes are permitted, in every charter language."""
    coverage: dict[str, dict[str, bool]]
    """Norm reference -> {guard, reward, evaluation, criterion} -> covered."""
