"""`normwright release monitor`: a log in, a standing out, questions for the next consultation."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

from tests.cli.conftest import Call
from tests.release.test_monitoring import AT, RELEASE, audits


def log(folder: Path, rate: float) -> Path:
    """A packed log of audited units."""
    path = folder / "log.jsonl.gz"
    events = [RELEASE, *({"at": AT, **event} for event in audits(rate, 4000, 1))]
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, events)).encode()))
    return path


def test_a_calm_release_stays(tmp_path: Path, call: Call) -> None:
    """No alarm: the verdicts stand, and the code is that of the worst mode that stands."""
    found = call("release", "monitor", log(tmp_path, 0.005), "--json")

    assert found.code == 4  # open weights were blocked from the start
    assert found.value["alarms"] == []
    assert found.value["modes"]["api_guarded"] == "RELEASE"


def test_an_alarm_is_told_and_becomes_a_question(tmp_path: Path, call: Call) -> None:
    """Told in both languages; the file is one that `elicit import` reads."""
    path, out = log(tmp_path, 0.03), tmp_path / "alarms.csv"
    for lang, told in (("en", "above its limit"), ("pt", "acima do limite")):
        shown = call("release", "monitor", path, "--statements", out, "--lang", lang)
        assert told in " ".join(shown.out.split())
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))

    assert [row["norm"] for row in rows] == ["g.life.no-harm"]
    assert rows[0]["text_pt"].startswith("«Não faças mal")


def test_a_broken_log_names_its_lines(tmp_path: Path, call: Call) -> None:
    """A missing file, a missing release and a wrong time are faults, and nothing is written."""
    out = tmp_path / "alarms.csv"
    path = tmp_path / "log.jsonl"
    path.write_text('{"kind": "audit", "at": "2026-10-01", "criterion": "C1", "failed": true}\n')
    refused = call("release", "monitor", path, "--statements", out, "--json")

    assert refused.code == 1
    assert refused.faults[0]["where"] == f"{path}:1"
    assert call("release", "monitor", tmp_path / "none.jsonl", "--json").code == 1
    assert call("release", "monitor", path, "--at", "soon").code == 2
    assert not out.exists()


def test_a_decision_begins_the_log_that_watches_it(tmp_path: Path, call: Call) -> None:
    """The limits of the blocking rates and the verdicts are the log's first line; it is kept."""
    place = Path("examples/release")
    file = tmp_path / "log.jsonl"
    decided = call("release", "decide", place / "criteria.yaml", "--evidence", place / "a",
                   "--watch", file, "--json")  # fmt: skip
    assert decided.code == 4
    calm = call("release", "monitor", file, "--json").value
    assert calm["modes"] == decided.value["verdicts"]
    watched = {one["about"]: one["limit"] for one in calm["watched"]}
    assert watched["minors.pt"] == 0.005

    with file.open("a", encoding="utf-8") as log:
        for event in audits(0.02, 4000, 1, "minors.pt"):
            log.write(json.dumps({"at": "2999-01-01", **event}) + "\n")
    alarmed = call("release", "monitor", file, "--json").value
    assert [alarm["about"] for alarm in alarmed["alarms"]] == ["minors.pt"]
    assert alarmed["modes"]["internal"] == "HOLD"
    again = call("release", "decide", place / "criteria.yaml", "--evidence", place / "a",
                 "--watch", file, "--json")  # fmt: skip
    assert again.code == 1
    assert len(file.read_text(encoding="utf-8").splitlines()) == 4001
