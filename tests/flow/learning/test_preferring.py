"""`learn prefer` on files: methods by settings, rows by method, and what is refused before it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from normwright.flow.learning import learned
from normwright.records import InputError

PAIRS: list[dict[str, Any]] = [
    {"prompt": q, "chosen": "I cannot say.", "rejected": "At nine.", "probability": 0.8,
     "group": "few" if i % 3 == 0 else "many"}
    for i, q in enumerate(["When does it open?", "Onde fica?", "Who is it?"] * 4)
]  # fmt: skip
SCORED: list[dict[str, Any]] = [
    {"prompt": q, "candidates": [{"text": "At nine.", "score": 0.1}, {"text": "No.", "score": 0.9}],
     "temperature": 0.5, "rule": "approval"}
    for q in ("When does it open?", "Onde fica?")
]  # fmt: skip


def written(place: Path, rows: list[dict[str, Any]]) -> Path:
    place.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return place


def run(start: Path, place: Path, rows: list[dict[str, Any]], **more: Any) -> Any:
    changes = {"steps": 2, "batch": 4, "checked_prompts": 1, **more.pop("changes", {})}
    return learned(
        "prefer", model=start, data=written(place / "rows.jsonl", rows), out=place / "out",
        changes=changes, unpermitted=True, threads=1, **more,
    )  # fmt: skip


def test_the_run_card_holds_likelihood_and_behaviour(start: Path, tmp_path: Path) -> None:
    """Of held-out prompts, by group, with intervals; the figures are in the metrics too."""
    held = written(tmp_path / "held.jsonl", [{**PAIRS[0], "prompt": "Is it far?"}])
    made = run(start, tmp_path, PAIRS, extra={"held_out": held})
    card = json.loads((made.out / "run.json").read_text(encoding="utf-8"))
    report = card["preferences"]

    assert report["behaviour_of"] == "held-out"
    assert report["after"]["tokens"]["n"] == 1
    assert set(report["by_group"]) == {"few", "many"}
    assert {"leak", "kl", "mass_after", "stopped_after"} <= set(card["model"]["metrics"])
    assert any("robust" in note for note in card["notes"])
    assert card["model"]["settings"]["method"] == "soft"


@pytest.mark.parametrize(
    ("rows", "changes"),
    [(PAIRS, {"method": "robust", "robust": {"least": 4}}), (SCORED, {"method": "listwise"})],
)
def test_methods_are_settings(
    start: Path, tmp_path: Path, rows: Any, changes: dict[str, Any]
) -> None:
    """A method reads its own rows and leaves a plain model."""
    made = run(start, tmp_path, rows, changes=changes)

    assert made.extra["preferences"]["method"] == changes["method"]
    assert (made.out / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("rows", "changes", "said"),
    [
        (PAIRS, {"method": "ipo", "width": 0.5}, "would ignore width"),
        (PAIRS, {"method": "condorcet"}, "soft"),
        (PAIRS, {"robust": {"cap": 0.5}}, "would ignore robust"),
        (PAIRS, {"method": "kto"}, "a share that would be ignored"),
        (SCORED, {}, "candidates"),
        (PAIRS, {"method": "listwise"}, "chosen"),
        ([{**SCORED[0], "candidates": SCORED[0]["candidates"][:1]}], {"method": "listwise"}, "two"),
        ([{**SCORED[0], "probability": 1}], {"method": "listwise"}, "ignored"),
        ([{**SCORED[0], "temperature": 0}], {"method": "listwise"}, "above 0"),
        (
            [{**SCORED[0], "candidates": [SCORED[0]["candidates"][0]] * 2}],
            {"method": "listwise"},
            "the same again",
        ),
    ],
)
def test_what_a_method_would_ignore_is_refused(
    start: Path, tmp_path: Path, rows: Any, changes: dict[str, Any], said: str
) -> None:
    """Settings and columns alike, and nothing is written."""
    with pytest.raises(InputError, match=said):
        run(start, tmp_path, rows, changes=changes)

    assert not (tmp_path / "out").exists()


def test_a_preferred_model_must_say_what_it_is_held_to(start: Path, tmp_path: Path) -> None:
    """A second run from an aligned model counts preferences twice unless a reference is named."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    once = run(start, tmp_path / "one", PAIRS).out

    with pytest.raises(InputError, match="preferences count twice"):
        run(once, tmp_path / "two", PAIRS)
    assert run(once, tmp_path / "two", PAIRS, extra={"reference": start}).rows == len(PAIRS)
