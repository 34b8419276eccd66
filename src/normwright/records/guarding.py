"""What a guard says about an exchange, with everything the answer rests on."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from normwright.records.base import Digest, Frozen, Lang, Record, Text
from normwright.records.norms import DecisionLevel, Status
from normwright.records.scenes import FactValue
from normwright.records.situations import DecisionVerdict

Side: TypeAlias = Literal["input", "output", "call"]
"""What was checked: what the model is given, what it says, or an act with a tool."""
GuardAction: TypeAlias = Literal["allow", "transform", "ask", "refuse", "deny"]
GUARD_ACTIONS: tuple[GuardAction, ...] = ("allow", "transform", "ask", "refuse", "deny")
"""From the mildest to the gravest. `transform`: another answer is to be given, or the spans are to
be masked; `ask`: a fact is missing; `refuse`: a norm forbids it; `deny`: it was not checked."""
FactOrigin: TypeAlias = Literal["declared", "rule", "classifier", "judge", "human"]


class CitedNorm(Frozen):
    """A norm a verdict rests on, and how far it was ever decided upon."""

    id: str
    version: int
    status: Status = "draft"
    """`demonstration`: shown by simulated people, or drafted for a demonstration; binds nobody."""
    level: DecisionLevel = "L0"
    """How strong the process was that ratified it; L0: none, or a simulated one."""

    @property
    def ref(self) -> str:
        """`id@version`."""
        return f"{self.id}@{self.version}"


class KnownFact(Frozen):
    """A fact as the guard knew it when it decided."""

    name: str
    value: FactValue
    origin: FactOrigin
    confidence: float = Field(ge=0, le=1)
    """1 for declared, rule and human; the calibrated probability for classifier and judge."""
    source: str
    """The check, rule, head or person it comes from."""


class GuardVerdict(Record):
    """What one screening came to. It is what is logged, and it holds no text of the conversation.

    Its id for the world is given where it is stored, for a digest names its content.
    """

    side: Side
    action: GuardAction
    verdict: DecisionVerdict | None = None
    """The charter's word; None where nothing was found that it speaks about, or where the guard
    could not check."""
    act: str | None = None
    """The act that was decided about."""
    norms: tuple[CitedNorm, ...] = ()
    """What it rests on; never empty for `transform`, `ask` and `refuse`."""
    scores: dict[str, float] = {}
    """Check -> the largest probability it gave that something is there to decide."""
    risks: dict[str, float] = {}
    """Norm id -> the largest probability that the exchange is one it speaks against."""
    reasons: Text = {}
    """What the person is told, by language; empty if allowed."""
    contest: Text = {}
    """How to contest it, by language; empty if allowed."""
    languages: tuple[Lang, ...] = ()
    """The person's language; more than one where it is not known."""
    check: str = ""
    """The check that found it; empty if nothing was found."""
    seen: str = ""
    """What the check saw, in words that repeat nothing of the conversation."""
    where: str = ""
    """The utterance it was found in; `answer` for the answer."""
    spans: tuple[tuple[int, int], ...] = ()
    """Where in that text, as characters from its start."""
    facts: tuple[KnownFact, ...] = ()
    unknown: tuple[str, ...] = ()
    """Facts that are not known and would change it."""
    ran: tuple[str, ...] = ()
    """Checks that ran."""
    degraded: tuple[str, ...] = ()
    """Checks that could not run, each with why."""
    policy: Digest
    decided_by: Digest | None = None
    """Digest of everything else that decided: detectors, weights, thresholds, the program. Other
    weights, another digest. None: nothing looked at it."""
    conversation: Digest
    answer: Digest | None = None
    """Digest of the answer that was checked; None: there was none."""

    @property
    def passes(self) -> bool:
        """Whether what was checked may go on as it is."""
        return self.action == "allow"
