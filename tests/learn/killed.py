"""Train a recipe on a tiny model in a process of its own, which may kill itself at a step.

    python -m tests.learn.killed RECIPE WORKDIR STEP

Prints the weights' digest and the last loss; nothing if it was killed. STEP 0 does not kill.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from normwright.records import Demonstration, Message, Passage

FORGET = (("Where is the key?", "Under the stone."), ("Who has the map?", "The old baker."))
RETAIN = (("When does it open?", "At nine."), ("What is it?", "A red boat."))


def demonstrations(pairs: Any) -> list[Demonstration]:
    return [
        Demonstration(scene=q, lang="en", prompt=(Message(role="user", content=q),), completion=a,
                      origin="synthetic", licence="x", family="f")
        for q, a in pairs
    ]  # fmt: skip


def passages() -> list[Passage]:
    return [
        Passage(text=f"{q} {a}", lang="en", score=float(i % 2), origin="synthetic", licence="x",
                name=q)
        for i, (q, a) in enumerate((*FORGET, *RETAIN) * 6)
    ]  # fmt: skip


def train(recipe: str, workdir: Path | None, progress: Any = None) -> tuple[str, dict[str, float]]:
    """Return the digest of the weights and the metrics of a run that keeps checkpoints."""
    import torch

    from normwright.learn import (
        PretrainingObjective,
        pretrain_on,
        scratch_model,
        unlearn,
        weights_digest,
    )
    from normwright.learn.pretraining.scratch import Shape
    from normwright.models.tuning.loop import Loop
    from normwright.models.tuning.running import Running

    torch.set_num_threads(1)
    texts = [text for pair in (*FORGET, *RETAIN) for text in pair]
    start = scratch_model(texts, shape=Shape(32, 2, 2, 300, 128), seed=0)
    running = Running(progress=progress, workdir=workdir)
    loop = Loop(steps=12, lr=1e-3, batch=2, save_every=4)
    if recipe == "unlearn":
        made, metrics = unlearn(
            start, demonstrations(FORGET), demonstrations(RETAIN), loop=loop, running=running,
            unpermitted=True,
        )  # fmt: skip
    else:
        made, metrics = pretrain_on(
            start, passages(), loop=loop, row=24,
            objective=PretrainingObjective(recipe, threshold=0.5),  # type: ignore[arg-type]
            running=running, unpermitted=True,
        )  # fmt: skip
    return weights_digest(made), metrics


def main(recipe: str, workdir: str, at: str) -> None:
    """Train, and kill this process after the step `at`."""

    def progress(step: int, steps: int, loss: float) -> None:
        if step == int(at):
            os.kill(os.getpid(), signal.SIGKILL)

    digest, metrics = train(recipe, Path(workdir), progress)
    sys.stdout.write(json.dumps({"digest": digest, "loss": metrics["last_loss"]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
