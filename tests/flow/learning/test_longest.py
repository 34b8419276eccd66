"""`longest` binds in every recipe that reads rows, and is refused where none would be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from normwright.flow.learning import learned
from normwright.records import InputError

SHOWN = {"prompt": "Onde fica?", "completion": "At nine."}
PAIR = {"prompt": "Onde fica?", "chosen": "No.", "rejected": "At nine.", "probability": 1.0}


def run(recipe: str, start: Path, place: Path, row: dict[str, Any], longest: int) -> Any:
    data = place / "rows.jsonl"
    data.write_text((json.dumps(row) + "\n") * 4, encoding="utf-8")
    extra = {"retain": data} if recipe == "unlearn" else {}
    return learned(
        recipe, model=start, data=data, out=place / "out", threads=1, unpermitted=True,
        changes={"longest": longest, "steps": 1, "batch": 2}, extra=extra,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("recipe", "row"), [("sft", SHOWN), ("reward", PAIR), ("prefer", PAIR), ("unlearn", SHOWN)]
)
def test_a_longer_row_is_an_error(
    start: Path, tmp_path: Path, recipe: str, row: dict[str, Any]
) -> None:
    """The setting is what the recipe compares rows with: nothing is cut and nothing is written."""
    with pytest.raises(InputError, match="at most 6 tokens"):
        run(recipe, start, tmp_path, row, 6)

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("recipe", "row"), [("pretrain", {"text": "a"}), ("reinforce", PAIR)])
def test_it_is_refused_where_it_is_not_read(
    start: Path, tmp_path: Path, recipe: str, row: dict[str, Any]
) -> None:
    """Packed text has `row`, and a prompt with its answer all of the context."""
    with pytest.raises(InputError, match="would ignore longest"):
        run(recipe, start, tmp_path, row, 6)
