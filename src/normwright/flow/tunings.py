"""The science of each recipe as settings: the same in a project file and for `normwright learn`.

Hardware is no setting: it is resolved where a run takes place and written beside the weights.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from normwright.flow.setting import Count, Positive, Settings


class Adapters(Settings):
    """Low-rank adapters: few weights are trained, and they are folded in before the export."""

    rank: Count = 8
    """Rank of each adapter."""
    alpha: Positive = 16.0
    """Scale of an adapter, divided by its rank."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Dropout before an adapter while it is trained."""


class Tuning(Settings):
    """One pass of training."""

    epochs: Annotated[int, Field(ge=1, le=1000)] = 2
    """Times through the data."""
    steps: Count | None = None
    """Optimizer steps, in the place of `epochs`; null follows `epochs`."""
    lr: Positive = 5e-4
    """Learning rate at its peak."""
    batch: Count = 32
    """Rows in a step, over all processes."""
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Share of the steps over which the rate rises from zero."""
    decay: Literal["cosine", "linear", "constant", "warmup_stable_decay"] = "cosine"
    """How the rate falls afterwards."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """Pull of the weights towards zero; norms and biases are spared."""
    longest: Count | None = None
    """Longest row in tokens; null is the model's context. A longer row is an error, never cut."""
    lora: Adapters | None = None
    """Train low-rank adapters; null trains all weights."""
    save_every: Annotated[int, Field(ge=0)] = 0
    """Steps between checkpoints from which a killed run goes on; 0 keeps none."""


class Imitation(Tuning):
    """Instruction tuning on demonstrations."""

    packing: bool = False
    """Lay rows behind one another instead of padding each; they do not see each other."""


class Reward(Tuning):
    """A reward model of the shares of people who prefer each answer."""

    epochs: Annotated[int, Field(ge=1, le=1000)] = 1
    """Times through the pairs."""


class Preference(Tuning):
    """Preference optimisation on the shares of people who prefer each answer."""

    beta: Positive = 0.1
    """How strongly the model is held to the one it starts from."""
    lr: Positive = 1e-4
    """Learning rate at its peak."""
    epochs: Annotated[int, Field(ge=1, le=1000)] = 1
    """Times through the pairs."""
    sft_anchor: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the likelihood of demonstrations that no norm speaks against."""
    majority_anchor: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the likelihood of the answer a majority prefers, scaled by its margin."""
