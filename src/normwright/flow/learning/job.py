"""What one training outside a project's run is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from normwright.flow.loops import loop_of, lora_of
from normwright.flow.tunings import Tuning
from normwright.records import Permit

if TYPE_CHECKING:
    from normwright.models.local import LocalModel
    from normwright.models.tuning import Loop, Lora, Running

Science = TypeVar("Science", bound=Tuning)


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
