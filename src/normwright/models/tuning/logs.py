"""What a run writes for TensorBoard: loss, rate, gradient norm, speed, and whatever was noted."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

from normwright.models.tuning.running import Curves
from normwright.records import MissingExtra


class Board:
    """A TensorBoard log; only the first process keeps one."""

    def __init__(self, folder: Path) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ModuleNotFoundError as error:
            raise MissingExtra("A TensorBoard log", "learn") from error
        self._writer = SummaryWriter(str(folder))
        self._began = time.perf_counter()
        self._tokens = 0

    def saw(self, batch: Any) -> None:
        """Count the tokens of a batch, padding included: they are what is computed on."""
        if isinstance(batch, dict):
            ids = batch.get("ids")
            self._tokens += ids.numel() if isinstance(ids, torch.Tensor) else 0
            for part in batch.values():
                self.saw(part)
        elif isinstance(batch, list):
            for part in batch:
                self.saw(part)

    def step(self, step: int, curves: Curves) -> None:
        """Write down a step: its speed, and what was noted in it."""
        now = time.perf_counter()
        speed = self._tokens / max(now - self._began, 1e-9)
        self._began, self._tokens = now, 0
        noted = {name: line[-1][1] for name, line in curves.lines.items() if line[-1][0] == step}
        for name, value in {"tokens_per_second": speed, **noted}.items():
            self._writer.add_scalar(name, value, step)

    def rates(self, step: int, logs: dict[str, float]) -> None:
        """Write down what the trainer knows of a step: learning rate and gradient norm."""
        for name in ("learning_rate", "grad_norm"):
            if name in logs:
                self._writer.add_scalar(name, logs[name], step)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()
