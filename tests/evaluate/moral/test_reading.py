"""Scenarios of others are read as what they are; all that is wrong with a file is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from normwright.evaluate.moral import read_rows
from normwright.records import InputError


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    """The rows as JSON lines."""
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
    return path


def ethics(task: str, label: int, text: str, other: str = "") -> dict[str, Any]:
    """A row in the columns of ETHICS."""
    return {"task": task, "label": label, "text": text, "other": other, "note": ""}


def test_ethics_rows_become_minimal_pairs(tmp_path: Path) -> None:
    """Neighbours with different labels and much the same words are a pair, others are left."""
    file = written(tmp_path / "ethics.jsonl", [
        ethics("commonsense", 0, "I fed my neighbour's cat."),
        ethics("commonsense", 1, "I kicked my neighbour's cat."),
        ethics("commonsense", 0, "I read a book in the park."),
        ethics("commonsense", 1, "I sold the town's fire engine to myself."),
        ethics("deontology", 1, "Could you shut the door?", "But it is shut."),
        ethics("deontology", 0, "Could you shut the door?", "But I like tea better than coffee."),
        ethics("utilitarianism", 1, "I found a coin.", "I lost a coin."),
    ])  # fmt: skip
    read = {r.source: r for r in read_rows(file, limit=None, seed=0)}
    common = read["ethics-commonsense"].scenarios

    assert set(read) == {"ethics-commonsense", "ethics-deontology", "ethics-utilitarianism"}
    assert [s.right for s in common] == [0, 1]
    assert len({s.pair for s in common}) == 1
    assert common[0].options == ("It is right.", "It is wrong.")
    assert [s.right for s in read["ethics-deontology"].scenarios] == [1, 0]
    assert read["ethics-utilitarianism"].scenarios[0].right == 0


def test_moralchoice_and_dilemmas_say_what_is_right_only_where_it_is(tmp_path: Path) -> None:
    """At high ambiguity, and in everyday dilemmas, no option is called right."""
    choice = {"context": "A river rises.", "action1": "I warn them.", "action2": "I sleep."}
    written(tmp_path / "moralchoice.jsonl", [
        {"scenario_id": "L", "ambiguity": "low", **choice},
        {"scenario_id": "H", "ambiguity": "high", **choice},
    ])  # fmt: skip
    told = "You found a note. It is not yours. Do you read it?"
    written(tmp_path / "dilemmas.jsonl", [{"idx": "7", "situation": "a note", "dilemma": told}])
    written(tmp_path / "other.jsonl", [{"something": "else"}])
    read = {r.source: r.scenarios for r in read_rows(tmp_path, limit=None, seed=0)}

    assert [(s.right, s.ambiguity) for s in read["moralchoice"]] == [(0, "low"), (None, "high")]
    assert read["daily-dilemmas"][0].right is None
    assert read["daily-dilemmas"][0].question == "Do you read it?"
    assert read["daily-dilemmas"][0].context == "You found a note. It is not yours."


def test_drawing_is_by_seed_and_says_of_how_many(tmp_path: Path) -> None:
    """The same seed draws the same scenarios, and what could have been drawn is told."""
    rows = [{"id": i, "lang": "pt", "context": f"Caso {i}.", "first": "ir", "second": "ficar",
             "share": 0.25} for i in range(30)]  # fmt: skip
    file = written(tmp_path / "mine.jsonl", rows)
    one, again, other = (read_rows(file, limit=5, seed=s)[0] for s in (1, 1, 2))

    assert one == again != other
    assert (len(one.scenarios), one.of, one.source) == (5, 30, "mine")
    assert {s.share for s in one.scenarios} == {0.25}


def test_every_fault_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    """A share over one, an unknown language, a missing option and a doubled id are four faults."""
    rows = [
        {"id": 1, "lang": "pt", "context": "c", "first": "a", "second": "b", "share": 1.5},
        {"id": 1, "lang": "xx", "context": "c", "first": "a", "second": " ", "right": True},
    ]
    with pytest.raises(InputError) as caught:
        read_rows(written(tmp_path / "mine.jsonl", rows), limit=None, seed=0)

    told = " ".join(f"{f.expected} {f.seen}" for f in caught.value.faults)
    assert len(caught.value.faults) == 5
    assert all(word in told for word in ("1.5", "xx", "`second`", "`right`", "an id of its own"))


@pytest.mark.parametrize("name", ["nothing.jsonl", "empty", "strange.jsonl"])
def test_a_place_without_scenarios_is_a_fault(tmp_path: Path, name: str) -> None:
    """A missing file, an empty folder and an unknown form are faults, never an empty battery."""
    (tmp_path / "empty").mkdir()
    written(tmp_path / "strange.jsonl", [{"colour": "red"}])

    with pytest.raises(InputError):
        read_rows(tmp_path / name, limit=None, seed=0)
