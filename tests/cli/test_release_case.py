"""`normwright release case`: the same argument for people and for tools, with its holes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from tests.cli.conftest import Call

EXAMPLES = Path("examples/release")
CRITERIA = EXAMPLES / "criteria.yaml"


@pytest.mark.parametrize(("lang", "open_word"), [("en", "undeveloped"), ("pt", "por desenvolver")])
def test_evidence_taken_away_is_a_hole_in_every_notation(
    tmp_path: Path, call: Call, lang: str, open_word: str
) -> None:
    """Of a folder without what the known attack budget asks, each notation shows the hole."""
    holed = tmp_path / "evidence"
    shutil.copytree(EXAMPLES / "c", holed)
    whole, case = (
        call("release", "case", CRITERIA, "--evidence", place, "--json").value
        for place in (EXAMPLES / "a", holed)
    )
    assert set(case["open"]) - set(whole["open"]) >= {"G-api_guarded-watched"}

    written = {}
    for notation in ("md", "gsn", "tea", "svg"):
        out = tmp_path / f"case.{notation}"
        done = call("release", "case", CRITERIA, "--evidence", holed, "--as", notation,
                    "--out", out, "--lang", lang)  # fmt: skip
        assert done.code == 0
        written[notation] = out.read_text(encoding="utf-8")
    assert open_word in written["md"]
    assert yaml.safe_load(written["gsn"])["G-api_guarded-watched"]["undeveloped"] is True
    assert open_word in json.dumps(json.loads(written["tea"])["tree"], ensure_ascii=False)
    assert "</svg>" in written["svg"]


def test_who_answers_for_a_doubt_stands_in_the_criteria(tmp_path: Path, call: Call) -> None:
    """A known doubt gets its owner, a doubt of one's own its text; others have nobody."""
    raw = yaml.safe_load(CRITERIA.read_text(encoding="utf-8"))
    raw["defeaters"] = {
        "tamper": {"owner": "Ana", "status": "accepted"},
        "dialects": {"owner": "Rui", "text": {"en": "No dialect was asked in.",
                                              "pt": "Nenhum dialeto foi usado."}},
    }  # fmt: skip
    file = tmp_path / "criteria.yaml"
    file.write_text(yaml.safe_dump(raw), encoding="utf-8")
    case = call("release", "case", file, "--evidence", EXAMPLES / "a", "--json").value
    doubts = {n["id"]: n for n in case["nodes"] if n["defence"] is not None}

    assert doubts["CG-tamper"]["defence"]["owner"] == "Ana"
    assert doubts["CG-dialects"]["text"]["pt"] == "Nenhum dialeto foi usado."
    assert doubts["CG-facts"]["defence"]["owner"] == ""
    assert "CG-tamper" not in case["open"]
    assert {"CG-dialects", "CG-facts"} <= set(case["open"])


@pytest.mark.parametrize(
    ("entry", "where"),
    [
        ({"weather": {"owner": "Ana"}}, "defeaters.weather"),
        ({"tamper": {"owner": "Ana", "status": "answered"}}, "defeaters.tamper.note"),
        ({"tamper": {"text": {"en": "x", "pt": "x"}}}, "defeaters.tamper.text"),
        ({"tamper": {"owner": 3}}, "defeaters.tamper.owner"),
        ({"tamper": {"status": "gone"}}, "defeaters.tamper.status"),
        (["tamper"], "defeaters"),
    ],
)
def test_a_doubt_that_cannot_be_is_a_fault_at_its_key(
    tmp_path: Path, call: Call, entry: object, where: str
) -> None:
    """Unknown names, answers without a reason, a second text: each is named where it stands."""
    raw = yaml.safe_load(CRITERIA.read_text(encoding="utf-8"))
    raw["defeaters"] = entry
    file = tmp_path / "criteria.yaml"
    file.write_text(yaml.safe_dump(raw), encoding="utf-8")
    refused = call("release", "case", file, "--evidence", EXAMPLES / "a", "--json")

    assert refused.code == 1
    assert [fault["where"] for fault in refused.faults] == [f"{file}: {where}"]
