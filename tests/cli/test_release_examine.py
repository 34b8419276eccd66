"""`release examine`: a model through the detectors, rows for a gate, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Call


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model of random weights: it does nothing at the desk."""
    import torch

    from normwright.learn import Shape, scratch_model
    from normwright.models.tuning import save_plain

    torch.set_num_threads(1)
    made = scratch_model(["a few words"] * 3, shape=Shape(16, 1, 2, 300, 256), seed=0)
    place = tmp_path_factory.mktemp("blank")
    save_plain(made.weights, made.tokenizer, place)
    return place


def test_a_model_that_does_nothing_is_flagged_for_nothing(
    call: Call, blank: Path, tmp_path: Path
) -> None:
    """One JSON value; rows are of the name that was given, two slices or three each."""
    out = tmp_path / "evidence" / "hidden.jsonl"

    found = call("release", "examine", str(blank), "--items", "20", "--name", "blank",
                 "--out", str(out), "--json")  # fmt: skip

    assert found.code == 0
    rows = found.value["rows"]
    assert [r["detector"] for r in rows] == [
        "context-consistency", "language-parity", "pressure-delta", "proxy-gap", "guard-evasion",
    ]  # fmt: skip
    assert not any(r["flagged"] for r in rows)
    assert all(-1 <= r["gap"]["interval"][0] <= r["gap"]["interval"][1] <= 1 for r in rows)
    lines = [json.loads(x) for x in out.read_text(encoding="utf-8").splitlines()]
    assert {line["model"] for line in lines} == {"blank"}
    assert len(lines) == 11
    assert all(len(line["items"]) == 20 for line in lines)


def test_the_table_names_every_detector(call: Call, blank: Path) -> None:
    """In Portuguese too."""
    found = call("release", "examine", str(blank), "--items", "20", "--lang", "pt")

    assert found.code == 0
    assert "context-consistency" in found.out
    assert "resultado" in found.out


def test_a_folder_without_a_model_is_refused(call: Call, tmp_path: Path) -> None:
    """With every fault at once."""
    found = call("release", "examine", str(tmp_path), "--json")

    assert found.code == 1
    assert len(found.faults) >= 2
