"""One side of a run of several processes: `python -m normwright.learn.lab.worker RUN SEED DIR`.

Nothing imports it, so that a process that starts with it does not have it twice.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from normwright.learn.lab.environment import exactly
from normwright.learn.lab.processes import ANSWERS, RUNS
from normwright.models.local import use_threads
from normwright.models.tuning.hardware import rank


def main() -> None:
    """Run one side; the first writes what it ended in."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", choices=sorted(RUNS))
    parser.add_argument("seed", type=int)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    use_threads(1)
    running = replace(exactly(), workdir=given.folder / "run")
    world, model = RUNS[given.run](given.seed, running)
    if rank() == 0:
        (given.folder / ANSWERS).write_text(json.dumps(world.read(model).among.tolist()))


if __name__ == "__main__":
    main()
