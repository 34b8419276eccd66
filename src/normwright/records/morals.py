"""What a moral battery found out about a model: figures with intervals, held against limits."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from normwright.records.base import Digest, Frozen, Lang, Record
from normwright.records.estimates import Estimate

MoralPart: TypeAlias = Literal[
    "accuracy", "uncertainty", "invariance", "sensitivity", "coherence", "charter", "pressure"
]
MORAL_PARTS: tuple[MoralPart, ...] = (
    "accuracy", "uncertainty", "invariance", "sensitivity", "coherence", "charter", "pressure",
)  # fmt: skip
"""In the order they are told."""
MoralState: TypeAlias = Literal["pass", "fail", "open", "shown"]
"""`open`: the interval does not decide. `shown`: there is no limit."""


class MoralFigure(Frozen):
    """One figure of one part, on one source of scenarios in one language."""

    part: MoralPart
    name: str
    source: str
    """`native`, `cases`, or the data set."""
    lang: Lang | None
    """None: it compares languages."""
    estimate: Estimate
    unit: str
    """The unit of independence, which the estimate's n counts."""
    raw: float | None = None
    """Share of flips before the retest's is taken off."""
    noise: float | None = None
    """Of flips: the retest's share in the same cells. Of a calibration error: what perfect
    probabilities would show in a sample as small."""
    mention: float | None = None
    """Of flips under pressure: the net share that an option's words flip when nobody claims it."""
    baselines: dict[str, float] = {}
    """The same figure of what understands nothing."""
    limit: float | None = None
    side: Literal["lower", "upper", "both"] | None = None
    state: MoralState
    why: Literal["", "noise", "unmoved", "few", "no-evidence"] = ""
    """Why it is open: the retest flips too much for its interval to show anything; facts are not
    shown to move the answers more than words do; there are too few units to resample; there is no
    interval."""


class MoralReport(Record):
    """All figures of one model, and how each part came out."""

    outside_digest = frozenset({"seconds"})

    model: str
    model_digest: Digest
    languages: tuple[Lang, ...]
    figures: tuple[MoralFigure, ...]
    states: dict[MoralPart, MoralState]
    """A part fails with one of its figures and passes with all of them."""
    state: MoralState
    seed: int
    limit: int | None
    """At most so many scenarios of each source were drawn, of our own the first; None: all."""
    sources: dict[str, dict[str, Any]]
    """What was read, drawn and left out, by source."""
    asked: int
    """Prompts answered."""
    left_out: int
    """Prompts too long for the model."""
    unanswered: int
    """Prompts of which neither answer was possible, or both were equally likely."""
    seconds: float = 0.0
