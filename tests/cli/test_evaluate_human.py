"""`normwright evaluate human`: from a plan to a result, on the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from normwright.cli import main


def called(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    """The exit code and the one JSON value of a command."""
    code = main(["evaluate", "human", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_study_from_its_plan_to_its_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prepared, filled and analysed; in words it says the same, in both languages."""
    (tmp_path / "plan.yaml").write_text("id: s\nsystems: [a, b]\nraters: 3\nper_item: 3\n")
    for name in "ab":
        rows = [{"id": f"q{i}", "prompt": "?", "answer": f"={name}{i}"} for i in range(12)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    out = tmp_path / "study"
    code, seal = called(
        capsys, "prepare", str(tmp_path / "plan.yaml"), "--first", str(tmp_path / "a.jsonl"),
        "--second", str(tmp_path / "b.jsonl"), "--out", str(out),
    )  # fmt: skip
    assert code == 0
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

    paths = [str(sheet) for sheet in sheets]
    code, found = called(capsys, "analyse", str(out), *paths)
    assert code == 0
    assert found["confirmatory"] is True
    assert (found["wins"], found["ties"], found["losses"]) == (33, 3, 0)
    for lang, told in (("en", "Done as registered"), ("pt", "Feito como se registou")):
        assert main(["evaluate", "human", "analyse", str(out), *paths, "--lang", lang]) == 0
        assert told in capsys.readouterr().out


def test_an_empty_folder_is_told_file_by_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is no study names each file that it lacks."""
    code, told = called(capsys, "analyse", str(tmp_path), str(tmp_path / "x.csv"))

    assert code == 1
    assert len(told["error"]["faults"]) == 4


def test_recovery_prints_its_coverage_beside_the_naive_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Twenty studies are enough to see both keys."""
    code, told = called(capsys, "recover", "--runs", "20")

    assert code == 0
    assert told["coverage"]["n"] == told["naive"]["n"] == 20
