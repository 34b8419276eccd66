"""Every recipe goes on where its last checkpoint stands, also when it was killed while it ran."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.learn.alone import RECIPES, train


class Stopped(Exception):
    """Raised in the place of a kill."""


def stop(step: int, steps: int, loss: float) -> None:
    if step == 6:
        raise Stopped


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(part, other[name]) for name, part in one.items())


@pytest.mark.parametrize("recipe", ["npo", "awr", "kto"])
def test_a_run_that_was_stopped_ends_as_one_that_was_not(recipe: str, tmp_path: Path) -> None:
    """Stopped after a checkpoint and started again: the same weights to the bit, the same loss."""
    whole, metrics = train(recipe, tmp_path / "whole", save_every=4)
    with pytest.raises(Stopped):
        train(recipe, tmp_path / "parts", stop, save_every=4)
    (kept,) = (tmp_path / "parts").glob("checkpoint-*")
    assert (kept / "whole.json").is_file()
    again, resumed = train(recipe, tmp_path / "parts", save_every=4)

    assert kept.name == "checkpoint-4"
    assert same(again, whole)
    assert resumed["last_loss"] == pytest.approx(metrics["last_loss"], abs=1e-6)
    assert resumed["steps"] == metrics["steps"]


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_killed_process_goes_on_to_the_same_weights(recipe: str, tmp_path: Path) -> None:
    """Kill -9 in the middle, the same call again: loss within 1e-6, weights to the bit."""

    def run(name: str, die: int = 0) -> int:
        told = {"recipe": recipe, "out": str(tmp_path / f"{name}.pt"), "save_every": 4,
                "workdir": str(tmp_path / name), "die": die}  # fmt: skip
        command = [sys.executable, "-m", "tests.learn.alone", json.dumps(told)]
        return subprocess.run(
            command, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}
        ).returncode

    codes = [run("whole"), run("parts", die=7), run("parts")]
    whole, again = (read(tmp_path / f"{name}.pt") for name in ("whole", "parts"))

    assert codes == [0, -signal.SIGKILL, 0]
    assert same(again["weights"], whole["weights"])
    assert again["metrics"]["last_loss"] == pytest.approx(whole["metrics"]["last_loss"], abs=1e-6)


def read(place: Path) -> Any:
    return torch.load(place, weights_only=True)
