"""Unlearning and pre-training that were stopped go on where their last checkpoint stands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.learn.killed import train


class Stopped(Exception):
    """Raised in the place of a kill."""


def stop(step: int, steps: int, loss: float) -> None:
    if step == 6:
        raise Stopped


@pytest.mark.parametrize("recipe", ["unlearn", "conditional", "awr"])
def test_a_run_that_was_stopped_ends_as_one_that_was_not(recipe: str, tmp_path: Path) -> None:
    """Stopped after a checkpoint and started again: the same weights to the bit, the same loss."""
    whole, metrics = train(recipe, tmp_path / "whole")
    with pytest.raises(Stopped):
        train(recipe, tmp_path / "parts", stop)
    assert any((tmp_path / "parts").iterdir())
    again, resumed = train(recipe, tmp_path / "parts")

    assert again == whole
    assert resumed["last_loss"] == pytest.approx(metrics["last_loss"], abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["unlearn", "unlikelihood", "awr"])
def test_a_killed_process_goes_on_to_the_same_weights(recipe: str, tmp_path: Path) -> None:
    """Kill -9 in the middle, the same call again: final loss and weights as without it."""

    def run(folder: str, at: int) -> Any:
        command = [sys.executable, "-m", "tests.learn.killed", recipe, str(tmp_path / folder)]
        return subprocess.run(
            [*command, str(at)], capture_output=True, text=True, check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    whole = json.loads(run("whole", 0).stdout)
    assert run("parts", 7).returncode == -signal.SIGKILL
    again = json.loads(run("parts", 0).stdout)

    assert again["digest"] == whole["digest"]
    assert again["loss"] == pytest.approx(whole["loss"], abs=1e-6)
