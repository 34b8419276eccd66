"""One preference run that is killed at a step, or goes on from where it was: see test_prefer."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any


def main(method: str, folder: Path, kill_at: int) -> None:
    """Train, and print the final figures by name."""
    import torch
    from tests.learn.recipes.test_prefer import ROBUST, opposed, run, scored

    from normwright.learn import Shape, scratch_model
    from normwright.models.tuning.loop import Loop, Running

    torch.set_num_threads(1)
    texts = ["When does it open? At nine. I cannot say. It is free.", "Onde fica? Quanto custa?"]
    start = scratch_model(texts, shape=Shape(32, 2, 2, 400, 256), seed=0)
    begun: list[int] = []

    def progress(step: int, steps: int, loss: float) -> None:
        begun.append(step)
        if step == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    rows: Any = [scored(i) for i in range(44)] if method == "listwise" else opposed()
    more = {"robustness": ROBUST} if method == "robust" else {}
    loop = Loop(epochs=3, lr=2e-3, batch=11, save_every=3)
    _, metrics, report = run(
        start, rows, method=method, loop=loop, running=Running(progress=progress, workdir=folder),
        **more,
    )  # fmt: skip
    figures = {"begun": begun[0], **{n: metrics[n] for n in ("first_loss", "last_loss", "leak")}}
    figures |= {f"weight_{name}": weight for name, weight in report.group_weights.items()}
    sys.stdout.writelines(f"{name} {value!r}\n" for name, value in figures.items())


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[3]))
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
