"""Several processes of one training on this machine, through torchrun's own launcher."""

from __future__ import annotations

import logging
import os
import runpy
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from normwright.models.tuning.hardware import process_environment, rank

FAILED: Final = 1
"""What is returned for a process that a signal ended."""
_SHOWN = 2000
"""Characters of what a failed process said that are passed on."""


def launch(module: str, arguments: Sequence[str], *, processes: int) -> int:
    """Run a module as a program in several processes and return the exit code of them all.

    Each finds its number in RANK and theirs in WORLD_SIZE. The first, which writes, speaks on this
    process' screen; what another says is shown only if it fails first. One that fails ends all.

    Args:
        module: as after `python -m`.
        arguments: its arguments.
        processes: how many.
    """
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    for name in ("torch.distributed.elastic", "torch.distributed.launcher"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        run_id="normwright",
        max_restarts=0,
        monitor_interval=0.1,
    )
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= process_environment(processes)
        run = elastic_launch(config, sys.executable)
        try:
            run("-m", "normwright.models.tuning.processes", folder, module, *arguments)
        except ChildFailedError as failed:
            return _passed_on(failed, Path(folder))
        finally:
            os.environ.clear()
            os.environ.update(before)
    return 0


def _passed_on(failed: Any, folder: Path) -> int:
    """Pass on what the first process that failed said, and return its exit code."""
    number, first = failed.get_first_failure()
    if number != 0:
        said = (folder / f"{number}.log").read_text(encoding="utf-8", errors="replace")
        sys.stderr.write(said[-_SHOWN:])
    return int(first.exitcode) if first.exitcode > 0 else FAILED


def _beside(folder: Path, module: str, arguments: Sequence[str]) -> None:
    """Run a module as one of several processes; all but the first speak into a file."""
    if rank() > 0:
        log = os.open(folder / f"{rank()}.log", os.O_WRONLY | os.O_CREAT)
        os.dup2(log, 1)
        os.dup2(log, 2)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _beside(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
