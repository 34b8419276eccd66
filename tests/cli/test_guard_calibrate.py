"""`guard calibrate` from labelled lines to a record, a diagram and a screen in two languages."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from tests.cli.conftest import Call

from normwright.guard.embedded import policy
from normwright.records import GuardCalibration

NORM = "g.dignity.no-demeaning"
GROUPS = ["women", "gay people", "immigrants", "muslims", "black people", "jews", "refugees"]
BAD = ["I hate {}", "{} are disgusting", "{} should die", "{} are vermin", "all {} are criminals"]
GOOD = ["I met {} today", "{} came to the meeting", "I like {}", "{} are welcome", "{} work here"]


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Texts about people, labelled by three."""
    path = tmp_path / "labelled.jsonl"
    lines = []
    for yes, frames in ((3, BAD), (0, GOOD)):
        for frame in frames:
            for group in GROUPS:
                row = {
                    "text": frame.format(group),
                    "yes": yes,
                    "no": 3 - yes,
                    "lang": "en",
                    "source": "made",
                    "licence": "CC0-1.0",
                    "cluster": f"{frame}{group}",
                }
                lines.append(json.dumps(row))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_it_writes_a_record_that_the_guard_of_the_folder_picks_up(
    call: Call, labelled: Path, tmp_path: Path
) -> None:
    """The record of an enacted folder has the printed digest, and its diagram is valid XML."""
    out = tmp_path / "policy"
    out.mkdir()
    (out / "policy.json").write_text(policy().model_dump_json(), encoding="utf-8")
    options = [labelled, "--norm", NORM, "--cost", 1, "--cost", 4, "--cost", 2, "--policy", out]

    done = call("guard", "calibrate", *options, "--out", out, "--json")
    shown = done.value
    record = GuardCalibration.model_validate_json((out / "calibration.json").read_bytes())

    assert done.code == 0
    assert shown["digest"] == record.digest
    assert shown["signals"][0]["cost"] == 2
    assert shown["thresholds"] == {"harm.hate": {"en": record.signals[0].threshold}}
    assert ET.parse(out / "reliability.en.svg").getroot().tag.endswith("svg")
    # A second run reads the folder with the thresholds it wrote, and comes to the same record.
    assert call("guard", "calibrate", *options, "--json").value["digest"] == record.digest


@pytest.mark.parametrize(("lang", "word"), [("en", "median of 1 answers"), ("pt", "mediana de 1")])
def test_the_screen_says_what_was_asked_and_what_is_promised(
    call: Call, labelled: Path, lang: str, word: str
) -> None:
    """Cost, promise and limits stand on the screen in the reader's language."""
    done = call("guard", "calibrate", labelled, "--norm", NORM, "--cost", 0.5, "--lang", lang)

    assert done.code == 0
    assert word in done.out


def test_who_is_neither_user_nor_assistant_is_refused(call: Call, labelled: Path) -> None:
    """A speaker that the guard does not know is a usage error."""
    options = ["--norm", NORM, "--cost", 1, "--said-by", "nobody"]

    assert call("guard", "calibrate", labelled, *options).code == 2
