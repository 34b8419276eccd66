"""The group that is worst off decides: MaxMin over groups of people by exponentiated gradient.

`max_pi min_g E r_g - beta KL` has the optimum pi_ref exp(sum_g w_g r_g / beta) with the weights
that minimise the log partition function over the simplex (Chakraborty et al. 2024, arXiv
2402.08925). Training follows them: a group whose mean reward is low gains weight.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import stdev
from typing import Any

from normwright.learn.rewards.signals import Columns, Signal
from normwright.learn.rewards.statistics import means
from normwright.models.protocol import Model
from normwright.records import Fault, InputError, Message, Prompt


@dataclass(frozen=True)
class Groups:
    """One reward a group of people, of which the lowest mean is raised.

    The rewards must be on one scale (see `on_one_scale`): the minimum compares them.
    """

    rewards: Mapping[str, Signal]
    """By the group's name."""
    rate: float = 0.1
    """Step of the weights for one unit of difference in reward."""
    floor: float = 0.0
    """Least weight of a group; keeps a quiet group in sight."""
    ceiling: float = 1.0
    """Largest weight of a group: a group that nothing satisfies cannot take all of it."""


def faults_of(groups: Groups) -> Iterator[Fault]:
    """Yield what is wrong with groups."""
    n = len(groups.rewards)
    if n < 2:
        yield Fault(where="groups", expected="two groups or more", seen=str(n))
        return
    if not groups.rate > 0:
        yield Fault(where="groups: rate", expected="above 0", seen=str(groups.rate))
    if not (0 <= groups.floor <= 1 / n <= groups.ceiling <= 1):
        yield Fault(
            where="groups: floor and ceiling",
            expected=f"0 <= floor <= {1 / n:.4g} <= ceiling <= 1",
            seen=f"{groups.floor} and {groups.ceiling}",
        )


class GroupWeights:
    """The weights of the groups while a model is trained."""

    def __init__(self, groups: Groups) -> None:
        self.groups = groups
        self.names = sorted(groups.rewards)
        self.logits = [0.0] * len(self.names)
        self.means = [0.0] * len(self.names)
        """Mean reward of each group in the last batch."""

    @property
    def weights(self) -> list[float]:
        """The weight of each group, in the order of the names; they sum to one."""
        top = max(self.logits)
        raw = [math.exp(one - top) for one in self.logits]
        return _within([one / sum(raw) for one in raw], self.groups.floor, self.groups.ceiling)

    def rewards(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str], columns: Columns
    ) -> list[list[float | None]]:
        """Return each group's rewards, in the order of the names."""
        return [
            list(self.groups.rewards[name](prompts, completions, columns)) for name in self.names
        ]

    def learn(self, rewards: Sequence[Sequence[float]]) -> None:
        """Move the weights by the rewards that count, over all processes."""
        self.means = means(rewards, len(rewards[0])) or self.means
        moved = [a - self.groups.rate * m for a, m in zip(self.logits, self.means, strict=True)]
        # Only differences count; kept small, so that a group can come back.
        centre = sum(moved) / len(moved)
        self.logits = [min(30.0, max(-30.0, one - centre)) for one in moved]

    def state_dict(self) -> dict[str, Any]:
        """Return what a killed run needs to go on."""
        return {"logits": dict(zip(self.names, self.logits, strict=True))}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a killed run stood."""
        self.logits = [float(state["logits"][name]) for name in self.names]


def _within(weights: Sequence[float], floor: float, ceiling: float) -> list[float]:
    """Return weights between floor and ceiling that still sum to one, the others in proportion."""
    held: dict[int, float] = {}
    out = list(weights)
    for _ in weights:
        wrong = {
            i: min(max(w, floor), ceiling)
            for i, w in enumerate(out)
            if i not in held and not floor <= w <= ceiling
        }
        if not wrong:
            break
        # The side that is further out is settled first: settling both could overshoot.
        low = sum(v - out[i] for i, v in wrong.items() if v > out[i])
        high = sum(out[i] - v for i, v in wrong.items() if v < out[i])
        held |= {i: v for i, v in wrong.items() if (v > out[i]) == (low >= high)}
        free = sum(w for i, w in enumerate(weights) if i not in held)
        left = 1 - sum(held.values())
        out = [held.get(i, w * left / free if free else w) for i, w in enumerate(weights)]
    return out


def standardised(signal: Signal, *, mean: float, deviation: float) -> Signal:
    """Return a signal less a mean and divided by a deviation."""

    def scaled(
        prompts: Sequence[Sequence[Message]], completions: Sequence[str], columns: Columns
    ) -> list[float | None]:
        values = signal(prompts, completions, columns)
        return [None if v is None else (v - mean) / deviation for v in values]

    return scaled


def on_one_scale(
    rewards: Mapping[str, Signal],
    model: Model,
    prompts: Sequence[Prompt],
    *,
    n: int = 4,
    length: int = 48,
    seed: int,
) -> dict[str, Signal]:
    """Return rewards of which each has mean 0 and deviation 1 over a model's own answers.

    Scores of reward models have no common zero and no common unit, and a minimum over groups
    compares them. The model that training starts from is the natural yardstick.

    Args:
        rewards: by the group's name.
        model: whose answers are the yardstick.
        prompts: what it is asked.
        n: answers a prompt.
        length: longest answer in tokens.
        seed: seed of the answers.

    Raises:
        InputError: for a reward that is the same for all answers, or cannot be told of one.
    """
    asked = [one for one in prompts for _ in range(n)]
    turns = [one.prompt for one in prompts]
    drawn = model.generate(turns, max_new_tokens=length, temperature=1.0, n=n, seed=seed)
    texts = [text for answers in drawn for text in answers]
    columns: dict[str, Sequence[Any]] = {
        "id": [one.scene for one in asked],
        "lang": [one.lang for one in asked],
        "group": [one.group for one in asked],
        "norms": [one.norms for one in asked],
    }
    out: dict[str, Signal] = {}
    faults = []
    for name, signal in rewards.items():
        values = [v for v in signal([one.prompt for one in asked], texts, columns) if v is not None]
        deviation = stdev(values) if len(values) > 1 else 0.0
        if len(values) < len(texts) or not deviation > 0:
            seen = f"{len(values)} with a deviation of {deviation}"
            faults.append(Fault(where=f"groups: {name}", seen=seen,
                                expected=f"{len(texts)} rewards that differ"))  # fmt: skip
            continue
        out[name] = standardised(signal, mean=sum(values) / len(values), deviation=deviation)
    if faults:
        raise InputError(faults)
    return out
