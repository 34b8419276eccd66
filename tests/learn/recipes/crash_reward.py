"""One fit of a reward model that is killed at a step, or goes on: see test_reward."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any


def main(head: Any, folder: Path, kill_at: int) -> None:
    """Train, and print the final figures by name."""
    import torch

    from normwright.learn import Reading, Shape, reward, scratch_model
    from normwright.learn.reward_models.planted import planted_pairs, planted_world
    from normwright.models.tuning.loop import Loop, Running

    torch.set_num_threads(1)
    rows = planted_pairs(planted_world(seed=0, ties=0.5), count=40, votes=3, seed=1)
    texts = [t for p in rows for t in (p.prompt[0].content, p.chosen, p.rejected)]
    start = scratch_model(texts, shape=Shape(32, 2, 2, 400, 256), seed=0)
    begun: list[int] = []

    def progress(step: int, steps: int, loss: float) -> None:
        begun.append(step)
        if step == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    reading = Reading("votes" if head == "spread" else "davidson")
    weights, metrics = reward(
        start, rows, head=head, reading=reading, members=3, unpermitted=True,
        loop=Loop(epochs=2, lr=2e-3, batch=11, save_every=3),
        running=Running(progress=progress, workdir=folder),
    )  # fmt: skip
    size = sum(float(v.double().abs().sum()) for v in weights.state_dict().values())
    figures = {"begun": begun[0], "last_loss": metrics["last_loss"], "size": size}
    for i, tie in enumerate(weights.config.reward.get("tie", [])):
        figures[f"tie-{i}"] = tie
    sys.stdout.writelines(f"{name} {value!r}\n" for name, value in figures.items())


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
