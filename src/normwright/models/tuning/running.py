"""Where a run leaves its checkpoints and logs, what it notes on the way, and what it may bring.

Nothing here belongs to the science of a run: two runs that differ in it alone train the same model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch

from normwright.models.tuning.hardware import Hardware

Progress = Callable[[int, int, float], None]
"""Called with (step, steps in all, loss)."""


class Stateful(Protocol):
    """What a recipe learns beside the weights: multipliers, weights of groups, moving averages.

    Its state is saved with every checkpoint and put back when a run goes on. It holds numbers,
    texts, tensors, and lists and mappings of these, as nothing else is ever loaded.
    """

    def state_dict(self) -> dict[str, Any]:
        """Return the state."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take on a state that `state_dict` returned."""


@dataclass(frozen=True)
class Gold:
    """What a run is stopped by: a measure on held-out rows that training must not see.

    What a proxy rewards and what people want part at some step (Gao et al. 2023, arXiv 2210.10760);
    the weights from before that step are the ones to keep.
    """

    measure: Callable[[Any], float]
    """From the model, in evaluation mode and without gradients, to a figure: more is better."""
    every: int
    """Steps between measurements; the start is measured too."""
    patience: int = 3
    """Measurements in a row without a new best after which training stops."""


@dataclass
class Curves:
    """Figures by name, each with the steps at which it was noted."""

    step: int = 0
    lines: dict[str, list[tuple[int, float]]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        """Note a figure at the step that runs; the last one noted in a step stands."""
        line = self.lines.setdefault(name, [])
        if line and line[-1][0] == self.step:
            line.pop()
        line.append((self.step, float(value)))


@dataclass(frozen=True)
class Running:
    """Where a run leaves its checkpoints and logs, on what, and who is told."""

    progress: Progress | None = None
    """Told of every step."""
    workdir: Path | None = None
    """Where checkpoints go if the loop saves any: a run that was killed and is started again with
    the same directory goes on where its last whole checkpoint stands."""
    logs: Path | None = None
    """Where TensorBoard logs go; None writes none."""
    hardware: Hardware = field(default_factory=Hardware)
    """What the run may use; the default takes what is there."""
    science: str = ""
    """Names all that the loop does not see: the recipe's settings, the rows' file, the start. A
    checkpoint that was made under another name is refused."""
    curves: Curves = field(default_factory=Curves, compare=False, repr=False)
    """What was noted."""

    def note(self, name: str, value: float) -> None:
        """Note a figure of the step that runs, for the logs and the history; losses may call it."""
        self.curves.add(name, value)

    @property
    def history(self) -> dict[str, list[tuple[int, float]]]:
        """Every figure noted, by name, as (step, value)."""
        return self.curves.lines


def everywhere(tensor: torch.Tensor) -> torch.Tensor:
    """Return the sum of a tensor over all processes; for one process it is the tensor itself.

    Every process must call it equally often. No gradient flows through it.
    """
    import torch.distributed as dist

    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return tensor
    total = tensor.detach().clone()
    dist.all_reduce(total)
    return total
