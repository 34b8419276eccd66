"""What every recipe is set by: how long, how fast, which weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

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
    warmup: Annotated[float, Field(ge=0)] = 0.05
    """Over how many of the steps the rate rises from zero: a share below 1, a number from 1 on."""
    decay: Literal["cosine", "linear", "constant", "warmup_stable_decay"] = "cosine"
    """How the rate falls afterwards."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """Pull of the weights towards zero; norms and biases are spared."""
    longest: Count | None = None
    """Longest row in tokens; null is the model's context. A longer row is an error, never cut; but
    an encoder leaves out the beginning of a conversation, and how often is told."""
    lora: Adapters | None = None
    """Train low-rank adapters; null trains all weights."""
    save_every: Annotated[int, Field(ge=0)] = 0
    """Steps between checkpoints from which a killed run goes on; 0 keeps none."""


_Read = TypeVar("_Read", bound=Tuning)


def all_read(settings: _Read, readers: Mapping[str, tuple[str, ...]], method: str) -> _Read:
    """Return the settings if the method reads all that were given and differ from the default."""
    fields = type(settings).model_fields
    ignored = sorted(
        name
        for name in settings.model_fields_set & set(readers)
        if getattr(settings, name) != fields[name].default and method not in readers[name]
    )
    if ignored:
        raise ValueError(f"{method} would ignore {', '.join(ignored)}")
    return settings
