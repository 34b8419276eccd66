"""What was learned from, and what came out of learning."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import Field

from normwright.records.base import Digest, Frozen, Lang, ProcessKind, Record
from normwright.records.estimates import Estimate
from normwright.records.scenes import Message

TextOrigin: TypeAlias = Literal["human", "synthetic", "translated", "unknown"]
"""Who wrote a text: people, a model or a program, a translator of either kind; or nobody says."""


class Demonstration(Record):
    """A prompt with an answer to imitate."""

    scene: str
    lang: Lang
    prompt: tuple[Message, ...]
    completion: str
    weight: float = Field(default=1.0, gt=0)
    norms: tuple[str, ...] = ()
    """References of the norms that kept this row (or that the answer bears on)."""
    origin: TextOrigin
    licence: str
    family: str


class Passage(Frozen):
    """A stretch of running text, with how bad it is where somebody or something scored it."""

    text: str
    lang: Lang
    score: float | None = None
    """How bad the whole is, higher being worse; None: nobody said."""
    spans: tuple[tuple[int, int, float], ...] = ()
    """(first character, one past the last, how bad), in order and without overlap. What lies in
    none is not scored."""
    origin: TextOrigin
    licence: str
    name: str
    """Which row of which file."""


class PairVote(Frozen):
    """What one person chose between the two answers of a pair."""

    participant: str
    """Who, as an id that stands for one person throughout a set of rows, and for nothing else."""
    choice: Literal["chosen", "rejected", "tie"]
    weight: float = Field(default=1.0, gt=0)
    group: str | None = None


class PreferencePair(Record):
    """Two answers to one prompt, with the share of people who prefer the first."""

    scene: str
    lang: Lang
    prompt: tuple[Message, ...]
    chosen: str
    rejected: str
    p_chosen: float = Field(ge=0, le=1)
    """Share of people who prefer `chosen`; a soft label from the votes, never binarised. 1 or 0 is
    the choice of one person."""
    weight: float = Field(gt=0)
    support: dict[str, float] = {}
    """Support for the chosen side in each opinion group."""
    group: str | None = None
    """The group of people whose share this is; None where it is everybody's."""
    votes: tuple[PairVote, ...] = ()
    """The choices behind the share, where they are at hand; nobody is named."""
    norms: tuple[str, ...]
    """References of the norms the pair bears on; empty is not allowed for a norm pair."""
    layer: str
    origin: TextOrigin
    process_kind: ProcessKind
    licence: str
    family: str


class Prompt(Record):
    """A prompt that a model answers while it is trained on what its answers are worth."""

    scene: str
    lang: Lang
    prompt: tuple[Message, ...]
    norms: tuple[str, ...] = ()
    """References of the norms the prompt is meant to put to the test."""
    group: str | None = None
    """The group of people who asked it; None where it is not known."""


class ScoredAnswer(Frozen):
    """One of several answers, with what a rule makes of people's preferences for it."""

    text: str
    score: float
    """On the scale of the rule that gave it; only differences carry meaning."""


class ScoredAnswers(Record):
    """Several answers to one prompt, each with a score of social choice."""

    scene: str
    lang: Lang
    prompt: tuple[Message, ...]
    candidates: tuple[ScoredAnswer, ...] = Field(min_length=2)
    temperature: float = Field(default=1.0, gt=0)
    """What the scores are divided by: the target is `softmax(score / temperature)`."""
    weight: float = Field(default=1.0, gt=0)
    group: str | None = None
    """The group of people whose scores these are; None where they are everybody's."""
    rule: str = ""
    """The rule that gave the scores, by name; empty where it is not known."""
    norms: tuple[str, ...] = ()
    origin: TextOrigin
    licence: str
    family: str


class CurationEntry(Frozen):
    """How many rows a norm removed, kept or inverted, and why."""

    norm: str
    action: Literal["removed", "kept", "paired", "refused"]
    reason: str
    rows: int


class Dataset(Record):
    """A set of training rows in the object store, named by the digest of its lines."""

    kind: Literal["demonstrations", "pairs", "held-out", "judgements"]
    """`judgements` are pairs as people judged them, `held-out` those that nothing learns from."""
    rows: int
    content: Digest
    """Digest of the JSON-lines object."""
    curation: tuple[CurationEntry, ...] = ()
    languages: dict[str, int] = {}
    families: dict[str, int] = {}
    left_out: dict[str, int] = {}
    """Rows of the sources that are not here, by the reason."""
    licences: dict[str, int] = {}
    """Rows by licence, as their sources state it."""
    process_kind: ProcessKind


class Forgotten(Frozen):
    """What a model was made to forget of somebody who withdrew, and what is known of that."""

    withdrawals: tuple[Digest, ...]
    """Withdrawals whose rows it was to forget."""
    method: str
    """The loss, one of those of the recipe `unlearn`."""
    rows: int = Field(ge=1)
    """Rows that were there because of them alone, and were forgotten."""
    shares: int = Field(ge=0)
    """Rows that stay and whose share their votes changed. These votes are still in the weights."""
    rebuilt: Digest | None = None
    """Digest of the weights trained again without them, that it was measured against."""
    before: Estimate | None = None
    """KL(model || rebuilt) on the forgotten rows before, in nats a token."""
    after: Estimate | None = None
    """The same after forgetting."""
    kept: Estimate | None = None
    """The same on the rows that stay, after forgetting."""

    @property
    def shown(self) -> bool:
        """Whether it was measured to be nearer to the rebuilt model than before.

        That is the least that has to be shown, and no proof that it forgot. Unknown is never shown.
        """
        one, other = self.before, self.after
        if self.rebuilt is None or one is None or other is None:
            return False
        if one.interval is None or other.interval is None:
            return False
        return other.interval.high < one.interval.low


class ModelRef(Record):
    """A language model by its content; one behind an API by where it is, which `settings` say."""

    outside_digest = frozenset({"seconds"})

    name: Literal["base", "tuned", "aligned", "reward", "control"] | str
    files: dict[str, Digest]
    """Digest of every file of the model directory; weights are safetensors only. None of a model
    behind an API."""
    parameters: int | None
    """None where it is not known."""
    base: Digest | None = None
    """ModelRef digest of the model it was trained from."""
    data: tuple[Digest, ...] = ()
    """Digests of the datasets it was trained on."""
    recipe: str = ""
    settings: dict[str, Any] = {}
    metrics: dict[str, float] = {}
    """What training itself logged at its end (loss, accuracy, leak)."""
    permit: Digest | None = None
    """The permit it was trained under; None of a model that was not trained here."""
    unpermitted: bool = False
    """It, or a model it comes from, was trained without a permit: no release mode is open to it."""
    forgotten: Forgotten | None = None
    """What it, or a model it comes from, was made to forget of people who withdrew."""
    seconds: float = 0.0

    @property
    def resting(self) -> bool:
        """Whether it counts as resting on withdrawn rows, though it was made to forget them."""
        return self.forgotten is not None and not self.forgotten.shown
