"""What comes of looking at a charter: cases that fail, findings, what a change changes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, TypeAlias

from pydantic import Field

from normwright.records.base import Digest, Frozen, Layer, Record, Text
from normwright.records.evidence import Fault
from normwright.records.norms import Actor, Channel, Condition, Counterparty, Expectation, Tier
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
    """The language of the text."""
    text: str
    """The case as it is told."""
    expected: Expectation | Literal["hit", "miss", "near_miss"]
    """The verdict it names; or its kind, where the verdict is right for another reason."""
    got: DecisionVerdict | Literal["hit", "miss"]
    """What the norms say; or whether the norm speaks about the case."""
    where: str = ""
    """File and line."""


class CharterFinding(Frozen):
    """One thing about a charter that people should look at, and the question to put to them."""

    kind: FindingClass = Field(alias="class")
    """The class it is of."""
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


Effect: TypeAlias = Literal["newly_allowed", "newly_denied", "now_asked", "other"]
"""What a change does to a situation. `other`: what is done stays the same, its reason does not."""


class ChangedRegion(Frozen):
    """A kind of situation that two charters decide differently, with one situation of the kind."""

    situation: Situation
    """The plainest one: no fact that does not matter, nothing feasible that does not matter."""
    before: Decision
    """What the earlier charter decides in the situation."""
    after: Decision
    """What the later one does."""
    effect: Effect
    """What the change does there."""
    seen: Literal["known", "feasible", "unknown"]
    """Where it shows: `known`, if every fact that matters is known and nothing can be done instead;
    `feasible`, only beside other acts that can be done; `unknown`, only while facts are unknown."""
    acts: tuple[str, ...]
    """The acts of the region, sorted."""
    condition: Condition = Condition()
    """The facts of the region: wherever this is true, both verdicts are as in the situation."""
    bearers: tuple[Actor, ...]
    """Who acts in the region."""
    counterparties: tuple[Counterparty | None, ...]
    """With whom; None: where it is not said."""
    channels: tuple[Channel, ...]
    """Through what."""
    jurisdictions: tuple[tuple[str, ...] | Literal["unknown"] | None, ...]
    """Combinations of the polities that have norms; one without norms is like none."""
    times: tuple[datetime | date | None, ...]
    """One moment of every stretch of time of the region; None: where no time is given."""
    told: Text = {}
    """The region in words, in every language of the later charter."""


class CharterDiff(Record):
    """What a change of a charter changes, situation by situation."""

    before: Digest
    """Digest of the earlier charter."""
    after: Digest
    """Digest of the later one."""
    added: tuple[str, ...] = ()
    """References of norms that are only in the later charter."""
    removed: tuple[str, ...] = ()
    """References of norms that are only in the earlier charter."""
    revised: tuple[str, ...] = ()
    """References whose deciding content changed under the same version, which is a fault."""
    texts: tuple[str, ...] = ()
    """References of which only texts, cases, sources or provenance changed."""
    vocabulary: tuple[str, ...] = ()
    """Facts, acts and axioms that changed: `fact age`, `act advise`, `axioms`."""
    head: tuple[str, ...] = ()
    """Keys of the charter's head that changed, for instance `amendment`."""
    tier: Tier | None = None
    """The tier whose rule the change needs; None: nothing changed that a rule is about."""
    changed: tuple[ChangedRegion, ...] = ()
    """The regions in which the verdict differs, with one witness each."""
    proved_unchanged: bool
    """Whether it was proved that no situation is decided differently."""
    open: tuple[str, ...] = ()
    """Acts for which it was not proved that the regions are all there are."""
    faults: tuple[Fault, ...] = ()
    """What the change must not do: alter a version, repeal without saying so, weaken in haste."""
    covers: Text = {}
    """Over which situations this was found and proved, in every language of the later charter."""


class QuestionFamily(Frozen):
    """A question about norms that is for people to answer, as a citizen would be asked."""

    id: str
    """Its slug."""
    family: str
    """What it belongs to: `delegation`, `agents`, `legitimacy`, or another word of the charter."""
    norms: tuple[str, ...] = ()
    """Ids of the norms the answer bears on; empty: it is asked of every norm."""
    field: str | None = None
    """The part of a norm that the answer fills, for instance `bearer.actor_sensitivity`."""
    concern: str
    """The tag of the concern it is about."""
    text: Text
    """The question, in every charter language."""
    answers: dict[str, Text] = {}
    """Value of the field -> the answer in people's words. Empty: the answer is free."""
