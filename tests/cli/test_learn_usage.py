"""`learn RECIPE` before anything is trained: options that would be passed over, and wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Call

RECIPES = ("sft", "reward", "prefer", "reinforce", "pretrain", "unlearn")


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(
    ("option", "value"), [("--data", "rows.jsonl"), ("--per-device", 1), ("--processes", 2)]
)
def test_a_project_is_not_asked_with_options_of_files(
    call: Call, recipe: str, option: str, value: object, tmp_path: Path
) -> None:
    """What would be passed over is a fault of usage, not a silent default."""
    said = call("learn", recipe, "--project", tmp_path, option, value, "--out", tmp_path / "out",
                "--json")  # fmt: skip

    assert said.code == 2
    assert option in said.value["error"]["faults"][0]["seen"]


@pytest.mark.parametrize("option", ["--steps", "--seed", "--save-every", "--beta"])
def test_a_project_says_the_science_of_its_recipes(call: Call, option: str, tmp_path: Path) -> None:
    """Steps, seed and strength stand in the project file, and only there."""
    said = call("learn", "prefer", "--project", tmp_path, option, 3, "--out", tmp_path / "out",
                "--json")  # fmt: skip

    assert said.code == 2
    assert option in said.value["error"]["faults"][0]["seen"]


@pytest.mark.parametrize("option", [("--seed", -1), ("--seed", 2**32), ("--threads", 0)])
def test_numbers_that_nothing_can_follow_are_usage(
    call: Call, option: tuple[str, int], tmp_path: Path
) -> None:
    """They are refused where they are given."""
    said = call("learn", "sft", "--data", "rows.jsonl", *option, "--out", tmp_path / "out")

    assert said.code == 2
    assert option[0] in said.err
