"""Rows with votes: the share follows from them, every fault is told, and a recipe reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from normwright.learn import read_preferences
from normwright.records import InputError

ROW = {"prompt": "When?", "chosen": "At nine.", "rejected": "I cannot say."}


def written(path: Path, *rows: dict[str, Any]) -> Path:
    """A file of rows."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def vote(who: str, choice: str, **more: Any) -> dict[str, Any]:
    """A vote as JSON."""
    return {"participant": who, "choice": choice, **more}


def test_the_share_is_that_of_the_votes_and_a_tie_is_half_of_one(tmp_path: Path) -> None:
    """Weights 2, 1 and 1 for chosen, tie and rejected: a share of 5/8, and the votes are kept."""
    votes = [vote("a", "chosen", weight=2), vote("b", "tie", group="x"), vote("c", "rejected")]
    pair = read_preferences(written(tmp_path / "rows.jsonl", {**ROW, "votes": votes}))[0]

    assert pair.p_chosen == pytest.approx(2.5 / 4)
    assert [v.choice for v in pair.votes] == ["chosen", "tie", "rejected"]
    assert pair.votes[1].group == "x"


def test_every_fault_of_votes_is_told(tmp_path: Path) -> None:
    """Doubled people, unknown choices, stray keys, and a share beside votes: all in one error."""
    path = written(
        tmp_path / "rows.jsonl",
        {**ROW, "probability": 0.5, "votes": [vote("a", "chosen"), vote("a", "maybe")]},
        {**ROW, "votes": [vote("a", "tie", why="so"), vote("b", "tie", weight=0)]},
        {**ROW, "votes": []},
    )
    with pytest.raises(InputError) as raised:
        read_preferences(path)

    assert [f.where for f in raised.value.faults] == [
        "rows.jsonl:1: probability",
        "rows.jsonl:1: votes[1].participant",
        "rows.jsonl:1: votes[1].choice",
        "rows.jsonl:2: votes[0]",
        "rows.jsonl:2: votes[1].weight",
        "rows.jsonl:3: votes",
    ]


def test_an_ensemble_from_a_file_says_over_whom_it_was_resampled(tiny: Any, tmp_path: Path) -> None:
    """Rows and settings in, a plain classifier out, with what its spread means in the run card."""
    from transformers import AutoConfig

    from normwright.flow import learning
    from normwright.models.tuning import save_plain

    save_plain(tiny.weights, tiny.tokenizer, tmp_path / "start")
    rows = [
        {**ROW, "prompt": f"When {i}?", "votes": [vote("a", "chosen"), vote("b", "rejected")]}
        for i in range(4)
    ]
    made = learning.learned(
        "reward", model=tmp_path / "start", data=written(tmp_path / "rows.jsonl", *rows),
        out=tmp_path / "out", settings=None, changes={"head": "ensemble", "steps": 2},
        seed=0, threads=1, permit=None, unpermitted=True, extra={}, progress=None, logs=None,
    )  # fmt: skip
    config = AutoConfig.from_pretrained(tmp_path / "out")

    assert config.num_labels == 5
    assert config.id2label[0] == "member-0"
    assert config.reward["resampled"] == "participants"
    assert made.notes == ("Members were resampled over 2 people.",)
