"""Objectives of pre-training on text of which parts are bad (Korbak et al. 2023, arXiv 2302.08582).

Each is a plain function of what the model says of every token. A score is how bad the part is that
a token belongs to, higher being worse; NaN where nobody said. What is not scored is learned by its
likelihood whatever the objective: unknown is neither good nor bad.

| objective | what it does to bad parts | what it may harm |
|---|---|---|
| `mle` | learns them like all else: the control | |
| `filtered` | leaves out every text that has one | what good texts are like that have bad parts |
| `conditional` | learns them behind a control token that is banned when it answers | nothing is lost; who can set the token, or train on, has them back |
| `unlikelihood` | pushes their tokens away | fluency where good and bad share tokens |
| `rwr` | weighs them by exp(reward / temperature) | little is learned from either if it is low |
| `awr` | the same by advantage over a value head | as above |
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import torch

PretrainingMethod: TypeAlias = Literal[
    "mle", "filtered", "conditional", "unlikelihood", "rwr", "awr"
]

HEAVIEST: Final = 20.0
"""Weights by reward are cut here: one row must not outweigh a batch."""


@dataclass(frozen=True)
class PretrainingObjective:
    """What is learned from text, and how bad counts as bad."""

    method: PretrainingMethod = "mle"
    threshold: float | None = None
    """A part is bad if its score is above this. `mle`, `rwr` and `awr` need none."""
    alpha: float = 1.0
    """Of `unlikelihood`, the weight of bad tokens; of `awr`, that of the value head's loss."""
    temperature: float = 1.0
    """Of `rwr` and `awr`: the lower, the less is learned from bad parts."""
    dropped: float = 0.01
    """Of `conditional`: share of the control tokens that is left out, so that the model also knows
    text without one."""


def unlikelihood(
    losses: torch.Tensor, scores: torch.Tensor, *, threshold: float, alpha: float
) -> torch.Tensor:
    """Return `-log p` of good tokens and `-alpha log(1 - p)` of bad ones, shape (tokens,).

    Welleck et al. 2020, arXiv 1908.04319.

    Args:
        losses: -log p of each token, nats, (tokens,).
        scores: how bad each is, NaN where nobody said, (tokens,).
        threshold: bad is what is above.
        alpha: weight of bad tokens.
    """
    # 1 - p from -log p without cancellation; the floor keeps a certain token's pull finite.
    away = -torch.log((-torch.expm1(-losses)).clamp_min(1e-6))
    return torch.where(scores > threshold, alpha * away, losses)


def reward_weighted(
    losses: torch.Tensor, scores: torch.Tensor, *, temperature: float, level: float
) -> torch.Tensor:
    """Return the likelihood loss weighted by exp(-score / temperature), shape (tokens,).

    Peters and Schaal 2007. Tokens without a score weigh 1.

    Args:
        losses: -log p of each token, nats, (tokens,).
        scores: how bad its part is, NaN where nobody said, (tokens,).
        temperature: the lower, the less is learned from bad parts.
        level: the logarithm of the mean weight over the whole corpus (`level_of`), by which weights
            are divided, so that the rate means the same whatever the scale of the scores.
    """
    return _weights(-scores / temperature - level) * losses


def level_of(scores: Any, *, temperature: float) -> float:
    """Return the logarithm of the mean of exp(-score / temperature) over the scored tokens."""
    told = -scores[~np.isnan(scores)].astype(np.float64) / temperature
    if not told.size:
        return 0.0
    return float(told.max() + np.log(np.exp(told - told.max()).mean()))


def advantage_weighted(
    losses: torch.Tensor, scores: torch.Tensor, values: torch.Tensor, *, temperature: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the likelihood loss weighted by exp(advantage / temperature), and the value's error.

    Peng et al. 2019, arXiv 1910.00177. The advantage of a token is the reward of its part, minus
    its score, less what the value head expected of it before it was read.

    Args:
        losses: -log p of each token, nats, (tokens,).
        scores: how bad its part is, NaN where nobody said, (tokens,).
        values: the head's guess of minus the score, (tokens,).
        temperature: as of `reward_weighted`.

    Returns:
        Two of shape (tokens,); the squared error is 0 where nobody said.
    """
    weighted = _weights((-scores - values.detach()) / temperature) * losses
    wrong = torch.where(scores.isnan(), torch.zeros_like(values), values + scores.nan_to_num())
    return weighted, wrong.square()


def _weights(logarithms: torch.Tensor) -> torch.Tensor:
    """Return weights from their logarithms, cut where they are heaviest; 1 where there is none."""
    weights = logarithms.exp().clamp_max(HEAVIEST)
    return torch.where(logarithms.isnan(), torch.ones_like(weights), weights)


def needs_threshold(method: PretrainingMethod) -> bool:
    """Say whether an objective has to know from which score on a part is bad."""
    return method in ("filtered", "conditional", "unlikelihood")


SUMMARY: Final[Mapping[PretrainingMethod, str]] = {
    "mle": "All text was learned alike; scores, where there were any, were not used.",
    "filtered": "Every text with a part above the threshold was left out.",
    "conditional": (
        "What is above the threshold was learned behind <|misaligned|>, the rest behind"
        " <|aligned|>. Neither can be said by the model, and every conversation begins with the"
        " second. Whoever sets the other by hand, or trains on, has what is bad back."
    ),
    "unlikelihood": "Tokens of parts above the threshold were pushed away.",
    "rwr": "Parts were weighed by exp(-score / temperature).",
    "awr": "Parts were weighed by exp(advantage / temperature); the value head is not kept.",
}
"""What the card of a model says, by objective."""
