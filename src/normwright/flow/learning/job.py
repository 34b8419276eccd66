"""What one training outside a project's run is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from normwright.flow.tunings import Tuning
from normwright.flow.tunings.arguments import loop_of, lora_of
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

    place: Path | None
    """The directory of the model it starts from; None for one that was made for this job."""
    data: Path
    """The file of rows, as it was given."""
    settings: Science
    seed: int
    running: Running
    permit: Permit | None = None
    unpermitted: bool = False
    extra: Mapping[str, Path] = field(default_factory=dict)
    """Further files and directories a recipe reads, by the option that gave them."""
    departed: Departed | None = None
    """Of `unlearn`: whose rows are to be forgotten, if they withdrew from a project."""
    base: Digest | None = None
    """Digest of that directory; it must be the same when training ends."""
    begun: LocalModel | None = None
    """A model made for this job, where it starts from no directory."""

    @cached_property
    def start(self) -> LocalModel:
        """The language model it starts from, opened when it is first asked for.

        Raises:
            InputError: naming everything the directory lacks.
        """
        from normwright.models.local import LocalModel

        if self.begun is not None:
            return self.begun
        assert self.place is not None
        return LocalModel.open(self.place)

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
    folder: str = ""
    """Where in the directory weights and tokenizer go; empty for the directory itself."""
    beside: Callable[[Path], None] | None = None
    """Writes what belongs to the model beyond weights and tokenizer."""
