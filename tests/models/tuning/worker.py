"""A small training in a process of its own, for tests that kill it or run several beside another.

    python -m tests.models.tuning.worker '{"out": ..., "steps": ...}'

Writes the final loss of the whole run, its losses, and the weights it ended with.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch
from tests.models.tuning.conftest import PAD, made
from tests.models.tuning.rows import drawn

from normwright.models.tuning import Gold, Hardware, Loop, Running, everywhere, fit
from normwright.models.tuning.batches import AnswerRow, group_rows
from normwright.models.tuning.losses import grouped_logprobs


class Tally:
    """What a recipe might learn beside the weights: a figure that depends on every step."""

    def __init__(self) -> None:
        self.value = torch.ones(2, dtype=torch.float64)
        self.seen = torch.zeros(2, dtype=torch.float64)

    def state_dict(self) -> dict[str, Any]:
        return {"value": self.value}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.value = state["value"]

    def after(self, step: int) -> None:
        self.value = 0.9 * self.value + 0.1 * everywhere(self.seen)
        self.seen = torch.zeros_like(self.seen)


def main(given: dict[str, Any]) -> None:
    """Train as given says."""
    torch.set_num_threads(1)
    model = made(given.get("model", "llama"))
    if given.get("dropout"):
        model.config.attention_dropout = given["dropout"]
        for layer in model.model.layers:
            layer.self_attn.attention_dropout = given["dropout"]
    tally = Tally()

    def collate(batch: list[AnswerRow]) -> dict[str, Any]:
        return group_rows(batch, PAD)

    def loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
        scores = grouped_logprobs(model, batch)
        with torch.no_grad():
            tally.seen[0] += float(scores.sum()) / 1000
            tally.seen[1] += len(scores)
        value: torch.Tensor = -float(tally.value[0]) * scores.sum() / batch["total"]["tokens"]
        return value

    def told(step: int, steps: int, value: float) -> None:
        if step == given.get("die"):
            os.kill(os.getpid(), signal.SIGKILL)

    def by_rows(model: Any, batch: dict[str, Any]) -> torch.Tensor:
        return -grouped_logprobs(model, batch).mean()

    def measure(model: Any) -> float:
        return -abs(float(sum(p.double().sum() for p in model.parameters())) - 40.0)

    running = Running(
        progress=told,
        workdir=Path(given["workdir"]) if "workdir" in given else None,
        hardware=Hardware(
            precision=given.get("precision", "fp32"), per_device=given.get("per_device")
        ),
    )
    loop = Loop(
        steps=given.get("steps", 6), lr=3e-3, batch=given.get("batch", 7), seed=3,
        save_every=given.get("every", 0), warmup=0.2,
    )  # fmt: skip
    mean = given.get("mean", False)
    metrics = fit(
        model, drawn(given.get("rows", 30)), loss=by_rows if mean else loss, collate=collate,
        loop=loop, running=running, state=tally, after_step=tally.after,
        counts=None if mean else lambda row: {"tokens": len(row.ids) - row.start},
        gold=Gold(measure, every=2, patience=9) if given.get("gold") else None,
    )  # fmt: skip
    if int(os.environ.get("RANK", "0")) == 0:
        out = Path(given["out"])
        torch.save({n: p.detach() for n, p in model.named_parameters()}, out.with_suffix(".pt"))
        found = {"metrics": metrics, "tally": tally.value.tolist(), "curves": running.history}
        out.write_text(json.dumps(found))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
