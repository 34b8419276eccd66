"""`normwright learn` on a project: what it would not follow is refused, not ignored."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Call


@pytest.mark.parametrize(
    "beside",
    [
        ("--epochs", "3"),
        ("--lr", "0.1"),
        ("--seed", "4"),
        ("--threads", "1"),
        ("--logs", "logs"),
        ("--per-device", "2"),
        ("--hardware", "cpu"),
        ("--strategy", "fsdp2"),
        ("--checkpointing",),
        ("--data", "rows.jsonl"),
    ],
)
def test_a_project_refuses_what_it_says_itself(
    call: Call, tmp_path: Path, beside: tuple[str, ...]
) -> None:
    """Settings, seed and machine beside --project are a usage error that names the option."""
    made = call("learn", "sft", "--project", tmp_path, *beside, "--out", tmp_path / "out",
                "--unpermitted", "--json")  # fmt: skip

    assert made.code == 2
    assert beside[0] in made.faults[0]["seen"]


@pytest.mark.parametrize("beside", [("--processes", "2"), ("--hardware", "cpu2")])
@pytest.mark.parametrize("recipe", ["sft", "unlearn"])
def test_a_project_is_run_by_one_process(
    call: Call, tmp_path: Path, recipe: str, beside: tuple[str, ...]
) -> None:
    """Several would run its steps side by side; nothing is launched."""
    made = call("learn", recipe, "--project", tmp_path, *beside, "--out", tmp_path / "out",
                "--unpermitted", "--json")  # fmt: skip

    assert made.code == 2
    assert "a project is run by one process" in made.faults[0]["seen"]
