"""Which rows each step takes, and how a step is shared among processes and accumulated.

The composition of a step depends on the seed and the global batch alone. Every process draws the
same order by itself, so one process and many train on the same rows in the same steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch.utils.data import Dataset

from normwright.models.tuning.hardware import Resolved

Counts = Callable[[Any], Mapping[str, float]]
"""From a row to what it adds to the denominators of a loss, by name."""


@dataclass(frozen=True)
class Part:
    """What one process computes at once: some rows of one step."""

    step: int
    places: tuple[int, ...]
    """Where its rows stand in the data."""
    rows: list[Any]
    share: float
    """Its rows as a share of the step's; 0 for an idle part: a step with fewer rows than parts."""
    total: Mapping[str, float]
    """Denominators of the whole step, by name."""


class Parts(Dataset[Part]):
    """The parts of all steps of a run, in the order in which processes take them in turn."""

    def __init__(
        self,
        rows: Any,
        *,
        batch: int,
        steps: int,
        seed: int,
        shuffle: bool,
        on: Resolved,
        counts: Counts | None,
    ) -> None:
        self.rows, self.batch, self.steps = rows, batch, steps
        self.seed, self.shuffle, self.on, self.counts = seed, shuffle, on, counts
        self._order: tuple[int, Sequence[int]] = (-1, ())

    @cached_property
    def steps_an_epoch(self) -> int:
        """Steps in which every row is taken once; the last may take fewer than a batch."""
        return -(-len(self.rows) // self.batch)

    def __len__(self) -> int:
        return self.steps * self.on.world * self.on.accumulation

    def places(self, step: int) -> Sequence[int]:
        """Return where the rows of a step, counted from 0, stand in the data."""
        epoch, within = divmod(step, self.steps_an_epoch)
        if self._order[0] != epoch:
            self._order = (epoch, self._drawn(epoch))
        return self._order[1][within * self.batch : (within + 1) * self.batch]

    def _drawn(self, epoch: int) -> Sequence[int]:
        if not self.shuffle:
            return range(len(self.rows))
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        order: list[int] = torch.randperm(len(self.rows), generator=generator).tolist()
        return order

    def __getitem__(self, index: int) -> Part:
        step, within = divmod(index, self.on.world * self.on.accumulation)
        turn, process = divmod(within, self.on.world)
        places = self.places(step)
        taken = places[process + turn * self.on.world :: self.on.world * self.on.accumulation]
        total: dict[str, float] = {}
        for place in places if self.counts else ():
            for name, value in self.counts(self.rows[place]).items():  # type: ignore[misc]
                total[name] = total.get(name, 0.0) + value
        # An idle part carries a row, as a batch cannot be empty; no loss is computed on it.
        used = taken or places[:1]
        rows = [self.rows[place] for place in used]
        return Part(step + 1, tuple(used), rows, len(taken) / len(places), total)

    def idle(self) -> bool:
        """Say whether some step has fewer rows than parts."""
        left = len(self.rows) % self.batch if self.steps >= self.steps_an_epoch else 0
        return (left or min(self.batch, len(self.rows))) < self.on.world * self.on.accumulation
