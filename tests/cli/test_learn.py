"""`normwright learn`: faults are one error in words, and what was kept before them stays."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.disks import small_disk

from .conftest import Call, Called

RECIPES = ("sft", "prefer")
SAID = (("When does it open?", "At nine."), ("Onde fica?", "No centro."), ("Who is it?", "Ana."))


def rows(recipe: str, count: int = 12) -> list[dict[str, Any]]:
    found = []
    for i in range(count):
        prompt, answer = SAID[i % len(SAID)]
        answers = {"completion": answer} if recipe == "sft" else {
            "chosen": answer, "rejected": "No.", "probability": 0.7}  # fmt: skip
        found.append({"prompt": prompt, **answers})
    return found


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model on disk whose checkpoints take 1.4 MB."""
    from normwright.learn import Shape, scratch_model
    from normwright.models.tuning import save_plain

    made = scratch_model([text for pair in SAID for text in pair],
                         shape=Shape(64, 2, 2, 300, 64), seed=0)  # fmt: skip
    place = tmp_path_factory.mktemp("start")
    save_plain(made.weights, made.tokenizer, place)
    return place


def learn(
    call: Call, recipe: str, start: Path, place: Path, given: list[dict[str, Any]], *more: object
) -> Called:
    data = place.parent / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in given), encoding="utf-8")
    settings = place.parent / "settings.yaml"
    settings.write_text("{checked_prompts: 1}" if recipe == "prefer" else "{}", encoding="utf-8")
    return call("learn", recipe, "--model", start, "--data", data, "--out", place, "--settings",
                settings, "--unpermitted", "--threads", 1, "--batch", 4, "--json",
                *more)  # fmt: skip


@pytest.mark.parametrize("recipe", RECIPES)
def test_rows_that_are_too_long_are_all_named(
    call: Call, start: Path, tmp_path: Path, recipe: str
) -> None:
    """Nothing is cut and nothing written; each row beyond the context is a fault of its own."""
    given = rows(recipe)
    for i in (2, 7):
        given[i]["prompt"] = "When does it open? " * 40
    made = learn(call, recipe, start, tmp_path / "out", given, "--save-every", 1)

    assert made.code == 1
    answers = [""] if recipe == "sft" else [", first answer", ", second answer"]
    named = [f"row {i}{answer}" for i in (2, 7) for answer in answers]
    assert [fault["where"] for fault in made.faults] == named
    assert {fault["expected"] for fault in made.faults} == {"at most 64 tokens"}
    assert {path.name for path in tmp_path.iterdir()} == {"rows.jsonl", "settings.yaml"}


@pytest.mark.parametrize("recipe", RECIPES)
def test_no_rows_are_a_fault(call: Call, start: Path, tmp_path: Path, recipe: str) -> None:
    """An empty file is one fault that names it."""
    made = learn(call, recipe, start, tmp_path / "out", [])

    assert made.code == 1
    assert "rows.jsonl" in made.faults[0]["where"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_loss_that_is_no_number_leaves_the_last_checkpoint(
    call: Call, start: Path, tmp_path: Path, recipe: str
) -> None:
    """A rate beyond all measure: step and rows are named, and there is no model."""
    made = learn(call, recipe, start, tmp_path / "out", rows(recipe), "--lr", "1e30",
                 "--save-every", 1, "--steps", 6)  # fmt: skip
    kept = [p.name for p in (tmp_path / "out.checkpoints").glob("checkpoint-*/whole.json")]

    assert made.code == 1
    assert ", rows " in made.faults[0]["where"]
    assert made.faults[0]["expected"] == "a finite loss and finite gradients"
    assert kept == ["whole.json"]
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_full_disk_leaves_the_last_checkpoint_and_room_lets_it_go_on(
    call: Call, start: Path, tmp_path: Path, recipe: str
) -> None:
    """One checkpoint fits, two do not: the first stays, and the same call ends as it would have."""
    asked = ("--steps", 4, "--save-every", 1)
    with small_disk(tmp_path / "disk", size="2200k") as disk:
        full = learn(call, recipe, start, disk / "out", rows(recipe), *asked)
        left = [p.name for p in (disk / "out.checkpoints").iterdir()]
        subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
        again = learn(call, recipe, start, disk / "out", rows(recipe), *asked)
    (tmp_path / "other").mkdir()
    whole = learn(call, recipe, start, tmp_path / "other" / "out", rows(recipe), *asked)

    assert full.code == 1
    assert "checkpoint-1 is whole" in full.faults[0]["do"]
    assert left == ["checkpoint-1"]
    assert (again.code, whole.code) == (0, 0)
    assert again.value["model"]["files"] == whole.value["model"]["files"]
    assert again.value["metrics"] == whole.value["metrics"]


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
