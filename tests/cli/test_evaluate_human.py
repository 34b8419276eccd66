"""`normwright evaluate human`: from a plan to a result, on the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from tests.cli.conftest import Call

HUMAN = ("evaluate", "human")


def test_a_study_from_its_plan_to_its_result(tmp_path: Path, call: Call) -> None:
    """Prepared, filled and analysed; in words it says the same, in both languages."""
    (tmp_path / "plan.yaml").write_text("id: s\nsystems: [a, b]\nraters: 3\nper_item: 3\n")
    for name in "ab":
        rows = [{"id": f"q{i}", "prompt": "?", "answer": f"={name}{i}"} for i in range(12)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    out = tmp_path / "study"
    prepared = call(
        *HUMAN, "prepare", tmp_path / "plan.yaml", "--first", tmp_path / "a.jsonl",
        "--second", tmp_path / "b.jsonl", "--out", out, "--json",
    )  # fmt: skip
    assert prepared.code == 0
    seal = prepared.value
    assert 0 < seal["power"] < 1
    assert seal["needed"] is None or seal["needed"] > 12

    sheets = sorted((out / "sheets").glob("*.csv"))
    for sheet in sheets:
        filled = list(csv.DictReader(sheet.read_text(encoding="utf-8-sig").splitlines()))
        assert all(row["first"].startswith("'=") for row in filled)
        for i, row in enumerate(filled):
            liked = "first" if row["first"].startswith("'=a") else "second"
            row |= {"choice": "tie" if i == 0 else liked, "at": "2999-01-01T00:00:00+00:00"}
        with sheet.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, filled[0].keys())
            writer.writeheader()
            writer.writerows(filled)

    found = call(*HUMAN, "analyse", out, *sheets, "--json").value
    assert found["confirmatory"] is True
    assert (found["wins"], found["ties"], found["losses"]) == (33, 3, 0)
    for lang, told in (("en", "Done as registered"), ("pt", "Feito como se registou")):
        shown = call(*HUMAN, "analyse", out, *sheets, "--lang", lang)
        assert shown.code == 0
        assert told in shown.out


def test_an_empty_folder_is_told_file_by_file(tmp_path: Path, call: Call) -> None:
    """What is no study names each file that it lacks."""
    refused = call(*HUMAN, "analyse", tmp_path, tmp_path / "x.csv", "--json")

    assert refused.code == 1
    assert len(refused.faults) == 4


def test_recovery_prints_its_coverage_beside_the_naive_one(call: Call) -> None:
    """Twenty studies are enough to see both keys."""
    told = call(*HUMAN, "recover", "--runs", 20, "--json").value

    assert told["coverage"]["n"] == told["naive"]["n"] == 20
