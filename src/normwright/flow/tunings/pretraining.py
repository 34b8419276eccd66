"""Settings of `pretrain`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from normwright.flow.setting import Count, Positive
from normwright.flow.tunings.tuning import Tuning, all_read


class Pretraining(Tuning):
    """Training on running text, of which parts may be bad."""

    epochs: Annotated[int, Field(ge=1, le=1000)] = 1
    """Times through the text."""
    lr: Positive = 1e-3
    """Learning rate at its peak."""
    objective: Literal["mle", "filtered", "conditional", "unlikelihood", "rwr", "awr"] = "mle"
    """What becomes of bad parts."""
    threshold: float | None = None
    """A part is bad if its score is above this; filtered, conditional and unlikelihood need one."""
    alpha: Positive = 1.0
    """Of unlikelihood, the weight of bad tokens; of awr, that of the value head's loss."""
    temperature: Positive = 1.0
    """Of rwr and awr: the lower, the less is learned from bad parts."""
    dropped: Annotated[float, Field(ge=0, lt=1)] = 0.01
    """Of conditional: share of the control tokens that is left out."""
    row: Count = 256
    """Tokens in a row; texts are packed."""
    shape: Literal["tiny", "small", "medium", "large"] | None = None
    """Start from random weights of this shape, with a tokenizer learned from the text."""

    @model_validator(mode="after")
    def _none_is_ignored(self) -> Pretraining:
        """Refuse settings that the objective would not read."""
        readers = {
            "longest": (),
            "threshold": ("filtered", "conditional", "unlikelihood"),
            "alpha": ("unlikelihood", "awr"),
            "temperature": ("rwr", "awr"),
            "dropped": ("conditional",),
        }
        return all_read(self, readers, self.objective)
