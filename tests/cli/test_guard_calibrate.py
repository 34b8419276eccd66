"""`guard calibrate` from labelled lines to a record, a diagram and a screen in two languages."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typer.testing import CliRunner

from normwright.cli.app import app
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


def run(*arguments: object) -> tuple[int, str]:
    """The exit code and what was printed on stdout."""
    done = CliRunner().invoke(app, ["guard", "calibrate", *map(str, arguments)])
    return done.exit_code, done.stdout


def test_it_writes_a_record_that_the_guard_of_the_folder_picks_up(
    labelled: Path, tmp_path: Path
) -> None:
    """The record of an enacted folder has the printed digest, and its diagram is valid XML."""
    out = tmp_path / "policy"
    out.mkdir()
    (out / "policy.json").write_text(policy().model_dump_json(), encoding="utf-8")
    options = [labelled, "--norm", NORM, "--cost", 1, "--cost", 4, "--cost", 2, "--policy", out]

    code, told = run(*options, "--out", out, "--json")
    shown = json.loads(told)
    record = GuardCalibration.model_validate_json((out / "calibration.json").read_bytes())

    assert code == 0
    assert shown["digest"] == record.digest
    assert shown["signals"][0]["cost"] == 2
    assert shown["thresholds"] == {"harm.hate": {"en": record.signals[0].threshold}}
    assert ET.parse(out / "reliability.en.svg").getroot().tag.endswith("svg")
    # A second run reads the folder with the thresholds it wrote, and comes to the same record.
    assert json.loads(run(*options, "--json")[1])["digest"] == record.digest


@pytest.mark.parametrize(("lang", "word"), [("en", "median of 1 answers"), ("pt", "mediana de 1")])
def test_the_screen_says_what_was_asked_and_what_is_promised(
    labelled: Path, lang: str, word: str
) -> None:
    """Cost, promise and limits stand on the screen in the reader's language."""
    code, told = run(labelled, "--norm", NORM, "--cost", 0.5, "--lang", lang)

    assert code == 0
    assert word in told


def test_who_is_neither_user_nor_assistant_is_refused(labelled: Path) -> None:
    """A speaker that the guard does not know is a usage error."""
    assert run(labelled, "--norm", NORM, "--cost", 1, "--said-by", "nobody")[0] == 2
