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
    looks: Literal["once", "any"] = "once"
    """`any`: the evidence may be looked at while it grows, and the bound holds at every look."""


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


class ControlResult(Frozen):
    """A model that must not pass, sent through the same gate."""

    name: str
    expected: Literal["fail", "pass"]
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
