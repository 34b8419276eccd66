"""What was observed, and what was decided from it."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import Field

from normwright.records.base import Digest, Frozen, Record, Text
from normwright.records.estimates import Estimate
from normwright.records.scenes import Message

VerdictWord: TypeAlias = Literal["RELEASE", "HOLD", "BLOCK", "INVALID"]
VERDICTS: tuple[VerdictWord, ...] = ("RELEASE", "HOLD", "BLOCK", "INVALID")
"""From best to worst."""


class Judge(Record):
    """A judge with its measured errors. It is never the model that rewarded."""

    name: str
    architecture: str
    trained_on: str
    """Which split it learned from."""
    files: dict[str, Digest]
    sensitivity: dict[str, Estimate]
    """Per language: P(judge says the act was done | it was done)."""
    specificity: dict[str, Estimate]
    """Per language: P(judge says it was not done | it was not done)."""


class Answer(Frozen):
    """One model's answer to one scene, and what was observed about it."""

    scene: str
    family: str
    template: str
    lang: str
    norm: str | None
    text: str
    expected: Literal["perform", "decline"]
    """What the charter decides for the scene."""
    correct: bool | None = None
    """For a scene to be performed: exactly right. None where the charter says decline."""
    violated: bool | None = None
    """For a scene to be declined: the act was done. For one whose act the charter demands: it was
    not seen done. None where the charter merely allows it."""
    governing: tuple[str, ...] = ()
    """Ids of the norms that decide the scene: those the decision rests on, such as a permission
    that lifts what `norm` forbids, and obligations that demand the act."""
    judged: Literal["perform", "decline", "unclear"]
    """What the judge saw."""
    cited: tuple[str, ...] = ()
    """Norms the guard cited, if a guard answered."""


class EvidenceBasis(Frozen):
    """What a piece of evidence that was brought as a row says it was made on and with.

    Digests are compared letter by letter with what the criteria are about; None is unknown.
    """

    charter: str | None = None
    """The charter that was in force."""
    evalset: str | None = None
    """The items that were asked."""
    judge: str | None = None
    """The judge that counted, as the row names it."""
    guard: str | None = None
    """The guard that stood before the model."""
    protocol: str | None = None
    """How it was measured: rows with one protocol may be counted together."""
    at: str | None = None
    """When, in UTC (ISO 8601)."""


class Measurement(Record):
    """One number about one model on one suite, with what is needed to believe it."""

    outside_digest = frozenset({"seconds"})

    suite: str
    """`help`, `harm`, `over-refusal`, `bits-per-byte`, `degeneracy`, `attack`, `norm-behaviour`."""
    metric: str
    model: str
    """Role of the model: base, tuned, aligned, guarded, or `control:<name>`."""
    model_digest: Digest
    lang: str | None = None
    """None: all languages together."""
    norm: str | None = None
    count: int | None = None
    """Number of hits, for a rate."""
    estimate: Estimate
    cluster: str = ""
    """The unit of independence, for example `template`."""
    baselines: dict[str, float] = {}
    """Constant-answer, majority and chance baselines by name."""
    judge: Digest | None = None
    answers: Digest | None = None
    """Digest of the stored answers this number was counted from."""
    details: dict[str, Any] = {}
    slice: dict[str, str] = {}
    """Which part of the items, beside language and norm: `{"env": "E3"}`. Empty: all."""
    basis: EvidenceBasis | None = None
    """What it was made on, where it was brought as a row; None where a run made it."""
    seconds: float = 0.0


class Contrast(Record):
    """A paired comparison of two models on the same scenes."""

    suite: str
    better: str
    """Role of the model that is claimed to be better (its rate minus the other's is reported)."""
    worse: str
    lang: str | None = None
    norm: str | None = None
    difference: Estimate
    """Rate(better) - rate(worse), paired by scene, bootstrapped by template."""
    discordant: tuple[int, int] = (0, 0)
    p_value: float | None = None
    """Exact McNemar p-value."""


class Finding(Record):
    """One attack on one model: the transcript, what was breached, how bad it is."""

    attack: str
    model: str
    lang: str
    norm: str | None
    transcript: tuple[Message, ...]
    succeeded: bool
    turn: int | None = None
    """The turn at which it succeeded, from 1."""
    severity: int = 1
    judge: Digest | None = None
    seed: int = 0
    scene: str = ""
    """Id of the scene whose request the attack wrapped."""
    template: str = ""
    """The scene's wording; attack and template together are the unit of independence."""
    expected: Literal["perform", "decline"] = "decline"
    """What the charter decides. `perform` marks the benign twin of an attack: the same wrapper
    around an allowed request, which has succeeded in doing damage if the request was refused."""


class Criterion(Record):
    """One condition of release, written before the evidence."""

    id: str
    group: str
    kind: str = Field(pattern=r"^[a-z0-9][a-z0-9_]*$")
    """Which plug-in of kind `criteria` decides it, with `_` for `-`."""
    suite: str
    """Which suite measured it. Where it is the same as `metric`, evidence is found by that name
    alone, and `norm` only says what it is asked for."""
    metric: str | None = None
    """Which metric of the suite; None where the suite has one only."""
    model: str
    """Role of the model it is asked of; `guarded` in mode api_guarded."""
    norm: str | None = None
    lang: str | None = None
    limit: float = 0.0
    """Limit for a rate, margin for non-inferiority."""
    baseline: str | None = None
    """The other model of a comparison."""
    on_fail: Literal["block", "hold", "report"] = "hold"
    statement: Text = {}
    """What it asks, in every language."""
    of: str | None = None
    """Id of the criterion in the file, where this is one slice of it."""
    slice: dict[str, str] = {}
    """The part of the items it asks about, beside the language."""
    cluster: str | None = None
    """The unit of independence that the evidence must be counted by; None: whatever it says."""
    judge: str | None = None
    """Name of the judge that must have counted; None: whoever did."""
    looks: Literal["once", "any"] = "once"
    """`any`: the evidence may be looked at while it grows, and the bound holds at every look."""
    options: dict[str, Any] = {}
    """What its kind asks beside: a budget, contexts, environments, an expression."""


class Adjudication(Frozen):
    """Flags that people have not looked at yet, and the fewest labels that would decide."""

    scope: dict[str, str] = {}
    """The language and part of the items that the flags are of."""
    flagged: int
    """Units that the judge flagged."""
    confirmed: int = 0
    """Those that people found to be violations."""
    cleared: int = 0
    """Those that people found to be none."""
    to_fail: int | None = None
    """How many more, confirmed, prove that the limit is broken; None: not even all."""
    to_pass: int | None = None
    """How many more, cleared, prove that it is kept; None: not even all."""
    items: tuple[str, ...] = ()
    """Ids of the flagged units to look at first, where the evidence names them."""

    @property
    def ask(self) -> int:
        """The fewest labels that would decide one way or the other."""
        return min(n for n in (self.to_fail, self.to_pass) if n is not None)


class CriterionResult(Frozen):
    """How one criterion came out."""

    criterion: str
    group: str
    state: Literal["pass", "fail", "inconclusive", "missing"]
    on_fail: Literal["block", "hold", "report"]
    observed: float | None
    bound: float | None
    """The confidence bound that is compared with the limit."""
    bound_side: Literal["upper", "lower"]
    limit: float
    n: int
    n_needed: int | None = None
    """Units needed in all for the bound to clear the limit at this rate; None if no n would."""
    reason: Text
    evidence: tuple[Digest, ...] = ()
    labels: Adjudication | None = None
    """The flags that people should look at, where that would decide."""


class ControlResult(Frozen):
    """A model that must not pass, sent through the same gate."""

    name: str
    expected: Literal["fail", "block", "pass"]
    """`fail`: it must not be released. `block`: a criterion must fail it, on evidence."""
    verdict: VerdictWord
    deciding: str
    """The criterion that stopped it."""
    as_expected: bool


class ModeVerdict(Frozen):
    """The verdict for one release mode."""

    mode: str
    verdict: VerdictWord
    deciding: str
    """Id of the criterion that decides (the worst one)."""
    results: tuple[CriterionResult, ...]
    reason: Text


class Verdict(Record):
    """The decision to release, per mode, with bounds, controls and evidence."""

    outside_digest = frozenset({"decided_at", "signature"})

    modes: tuple[ModeVerdict, ...]
    controls: tuple[ControlResult, ...]
    alpha: float
    candidates: int
    charter: Digest
    model: Digest
    evidence: tuple[Digest, ...]
    decided_at: str = ""
    signature: str = ""


class Fault(Frozen):
    """One thing `verify` or a reader of input found wrong."""

    where: str
    expected: str
    seen: str
    do: str = ""
    digest: Digest | None = None
