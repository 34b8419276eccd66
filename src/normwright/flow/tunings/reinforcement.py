"""Settings of `reinforce`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from normwright.flow.setting import Count, Outside, Positive, Settings
from normwright.flow.tunings.tuning import Tuning, all_read
from normwright.records import Layer


class Controller(Settings):
    """A controller of a multiplier in the place of the plain step: it damps the swing."""

    proportional: Annotated[float, Field(ge=0)] = 0.1
    """Multiplier for one unit of cost above the limit, smoothed."""
    integral: Annotated[float, Field(ge=0)] = 0.01
    """Growth of the multiplier for one unit of cost above the limit, each step."""
    derivative: Annotated[float, Field(ge=0)] = 0.1
    """Multiplier for one unit by which the cost rises in a step."""
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Weight of the past in the moving means."""


class HeldNorm(Settings):
    """A norm that a model is held to while it is trained on its own answers."""

    norm: str
    """Its reference, as the charter and the rows have it."""
    layer: Layer = "polity"
    """Whose norm it is: `global` is never traded for reward, `polity` has a limit, `organisation` a
    price; an `individual` norm constrains nobody else's answers and is refused."""
    model: Outside | None = None
    """The directory of a cost model, above `threshold` for what breaks the norm."""
    kind: Literal["rate", "score"] = "rate"
    """A cost model's `rate` is 1 for a breach and 0 for none; its `score` counts how far."""
    threshold: float = 0.0
    """Where a breach begins on the cost model's scale."""
    phrases: tuple[str, ...] = ()
    """In the place of a cost model: what an answer must not hold, whatever case and accents."""
    limit: float | None = None
    """Highest mean cost, of the layers `global` and `polity`."""
    price: Annotated[float, Field(ge=0)] | None = None
    """Price of one unit of cost, of the layer `organisation`."""
    among: Literal["all", "named"] = "all"
    """Whose answers count: `all`, or those to prompts whose `norms` name this one."""
    start: Annotated[float, Field(ge=0)] = 0.0
    """Multiplier before the first step."""
    rate: Annotated[float, Field(ge=0)] = 0.1
    """Step of the multiplier for one unit of cost above the limit."""
    cap: Positive | None = None
    """Highest multiplier; null is the layer's."""
    tail: Annotated[float, Field(gt=0, le=1)] | None = None
    """Hold the mean over the worst such share of answers in the place of the mean over all."""
    controller: Controller | None = None
    """A controller in the place of the plain step; null is the plain step."""

    @model_validator(mode="after")
    def _one_judge(self) -> HeldNorm:
        if (self.model is None) == (not self.phrases):
            raise ValueError("give a cost model or phrases, one of the two")
        return self


class Divergence(Settings):
    """How far a model may go from the one it is held to."""

    nats: Positive
    """Highest mean divergence of an answer, in nats."""
    rule: Literal["adapt", "stop"] = "adapt"
    """`adapt` raises beta while the divergence is above, `stop` ends training there."""
    rate: Positive = 0.1
    """Step of beta, relative to beta, at twice the budget."""
    window: Count = 5
    """Steps over which the divergence is averaged."""


class Reinforcement(Tuning):
    """Training on what a model's own answers are worth, with a multiplier for each hard norm."""

    beta: Positive = 0.05
    """How strongly the model is held to the one it starts from, in reward for one nat."""
    lr: Positive = 1e-4
    """Learning rate at its peak."""
    batch: Count = 8
    """Prompts in a step, over all processes."""
    epochs: Annotated[int, Field(ge=1, le=1000)] = 1
    """Times through the prompts."""
    generations: Annotated[int, Field(ge=2)] = 4
    """Answers a prompt in each step."""
    length: Count = 48
    """Longest answer in tokens, its stop token among them."""
    rewards: tuple[Outside, ...] = ()
    """Directories of reward models: one, or several whose doubt is taken off their mean. A project
    has the reward model of its own step if there is none here."""
    doubt: Annotated[float, Field(ge=0)] = 1.0
    """What is taken off the mean of several reward models for one unit of variance among them."""
    groups: dict[str, Outside] = {}
    """Reward models of groups of people: the lowest mean is raised. Each is put on the scale of the
    start's own answers, mean 0 and deviation 1."""
    group_rate: Positive = 0.1
    """Step of the groups' weights for one unit of difference in reward."""
    group_floor: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Least weight of a group."""
    group_ceiling: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Largest weight of a group."""
    norms: tuple[HeldNorm, ...] = ()
    """Norms the model is held to."""
    divergence: Divergence | None = None
    """A budget of divergence; null holds the model by beta alone."""
    token_price: Annotated[float, Field(ge=0)] = 0.0
    """Price of a token of an answer beyond `free_tokens`."""
    free_tokens: Annotated[int, Field(ge=0)] = 0
    """Tokens of an answer that cost nothing."""
    unscored: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest share of a batch whose reward or cost cannot be told; such answers move nothing."""

    @model_validator(mode="after")
    def _none_is_ignored(self) -> Reinforcement:
        """Refuse the length of rows: a prompt with its answer has all of the model's context."""
        return all_read(self, {"longest": ()}, "reinforce")
