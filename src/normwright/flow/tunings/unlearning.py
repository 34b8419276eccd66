"""Settings of `unlearn`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from normwright.flow.setting import Count, Positive
from normwright.flow.tunings.tuning import Tuning, all_read


class Unlearning(Tuning):
    """Forgetting rows, while others are held. What looks forgotten may come back in few steps."""

    method: Literal["npo", "simnpo", "graddiff", "rmu", "idk"] = "npo"
    """The loss on what is to be forgotten."""
    lr: Positive = 1e-4
    """Learning rate at its peak."""
    epochs: Annotated[int, Field(ge=1, le=1000)] = 10
    """Times through the rows to be forgotten."""
    batch: Count = 8
    """Rows to be forgotten in a step, each beside one to be kept."""
    beta: Positive | None = None
    """How soon the pull fades; null is 0.1, and 2.5 of simnpo, which reads it a token."""
    margin: float = 0.0
    """Of simnpo: above 0 it goes further."""
    retain: Annotated[float, Field(ge=0)] | None = None
    """Weight of what is kept; null is 1, and 20 of rmu."""
    retention: Literal["likelihood", "divergence"] = "likelihood"
    """Whether rows are kept by their likelihood, or by KL(start || model)."""
    depth: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Of rmu: the share of the layers after which states are misdirected."""
    steer: Positive = 2.0
    """Of rmu: norm of the random target, as a multiple of the start's."""
    unknown: dict[str, tuple[str, ...]] | None = None
    """Of idk: answers that say nothing, by language; null has those of English and Portuguese."""
    check_every: Annotated[int, Field(ge=0)] = 0
    """Steps between readings that stop training: where the forget loss is nearest to that of the
    reference, if one is given, while the retain loss is within its bound. 0 never stops."""
    retain_bound: Positive | None = None
    """Highest retain loss in nats a token; null has none. Read with `check_every`."""
    relearn: Annotated[int, Field(ge=0)] = 20
    """Steps within which the rows are tried to be brought back, for the card; 0 does not try."""
    band: Positive = 0.1
    """How near to the forget loss of the start counts as back, in nats a token."""

    @model_validator(mode="after")
    def _none_is_ignored(self) -> Unlearning:
        """Refuse settings that the method would not read."""
        readers = {
            "beta": ("npo", "simnpo", "idk"),
            "margin": ("simnpo",),
            "retention": ("npo", "simnpo", "graddiff", "idk"),
            "depth": ("rmu",),
            "steer": ("rmu",),
            "unknown": ("idk",),
        }
        if self.retain_bound is not None and not self.check_every:
            raise ValueError("retain_bound is read every `check_every` steps, which is 0")
        return all_read(self, readers, self.method)
