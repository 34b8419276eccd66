"""What one training outside a project's run is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from normwright.flow.loops import loop_of, lora_of
from normwright.flow.tunings import Tuning
from normwright.records import Digest, Forgotten, Permit

if TYPE_CHECKING:
    from normwright.models.local import LocalModel
    from normwright.models.tuning import Loop, Lora, Running

Science = TypeVar("Science", bound=Tuning)


@dataclass(frozen=True)
class Departed:
    """Whose rows a model is to forget, as a project knows it."""

    withdrawals: tuple[Digest, ...]
    """Their withdrawals."""
    shares: int
    """Rows that stay and whose share their votes changed."""


@dataclass(frozen=True)
class Job(Generic[Science]):
    """A model, rows and settings, and by what right."""

    start: LocalModel
    data: Path
    """The file of rows, as it was given."""
    settings: Science
    seed: int
    running: Running
    permit: Permit | None = None
    unpermitted: bool = False
    extra: Mapping[str, Path] = field(default_factory=dict)
    """Further files and directories a recipe reads, by the option that gave them."""
    place: Path | None = None
    """The directory of the model it starts from; None where it came from elsewhere."""
    departed: Departed | None = None
    """Of `unlearn`: whose rows are to be forgotten, if they withdrew from a project."""

    @property
    def loop(self) -> Loop:
        """How long and how fast."""
        return loop_of(self.settings, seed=self.seed)

    @property
    def limit(self) -> int:
        """The longest row in tokens that the settings and the model's context allow."""
        context = int(self.start.weights.config.max_position_embeddings)
        return min(self.settings.longest or context, context)

    @property
    def lora(self) -> Lora | None:
        """The adapters that are trained, if any."""
        return lora_of(self.settings)


@dataclass(frozen=True)
class Made:
    """What a recipe made: weights with a tokenizer, and what training logged."""

    weights: Any
    tokenizer: Any
    rows: int
    metrics: Mapping[str, float]
    notes: tuple[str, ...] = ()
    """What whoever uses the model has to know, for its card."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Findings beyond single figures, as JSON values; they stand in the run card."""
    forgotten: Forgotten | None = None
    """What it, or the model it comes from, was made to forget of people who withdrew."""
    unpermitted: bool = False
    """The model it comes from was trained without a permit."""
