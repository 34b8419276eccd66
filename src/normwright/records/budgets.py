"""How far a trained model may be from what people prefer, part by part."""

from __future__ import annotations

from typing import Literal, TypeAlias

from normwright.records.base import Digest, Record
from normwright.records.estimates import Estimate

Doubt: TypeAlias = Literal[
    "votes-unknown", "disconnected", "separable", "unexplained", "unsupported", "method"
]
"""Why nothing is guaranteed: `votes-unknown`, shares without the number of votes behind them;
`disconnected`, answers to one prompt that no chain of comparisons joins; `separable`, answers that
won or lost everything, so that no finite score fits best; `unexplained`, preferences that no score
explains (cycles among them); `unsupported`, judged answers the reference would hardly ever write;
`method`, a model that was trained towards another target than this one."""


class ErrorBudget(Record):
    """The chain from votes to a model on the answers people judged, in nats a prompt.

    Every part is a divergence between distributions over the judged answers to one prompt: what the
    votes say, what more votes would say, what a reward model says, what the model does. Nothing
    here speaks of answers that nobody judged.
    """

    model: Digest | None
    """ModelRef digest of the model that was measured, where it has one."""
    beta: float
    """How strongly it was held to its reference."""
    prompts: int
    """Prompts measured; of all if fewer than all were drawn."""
    prompts_in_all: int
    answers: int
    """Judged answers to them."""
    votes: float | None
    """Votes on them; None where no number is known."""
    noise: Estimate
    """Expected divergence of the fitted target from the one that ever more votes would give."""
    reward: Estimate | None
    """Divergence among an ensemble of reward models; None without one."""
    optimiser: Estimate
    """Divergence of softmax(beta h) from the target, h the log-ratio of model and reference."""
    regret: Estimate
    """Divergence of the model from the tilted reference, both on the judged answers: what it loses
    of its objective, over beta."""
    total: float | None
    """(sum of the roots of the parts)^2: first order, no bound; None while a part is unknown."""
    guaranteed: bool
    """The assumptions of the theorems hold on these votes. The optimiser's part is measured."""
    doubts: tuple[Doubt, ...]
    """Why not; empty if guaranteed."""
