"""`charter draft` and `charter ratify`: on a project, on files, in both languages, as JSON."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cli.conftest import Call
from tests.flow.twice import EARLIER, NORM, consultation, write_project

REF = f"{NORM}@1"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one vote of people, under the default rules; its tests change nothing."""
    return write_project(tmp_path_factory.mktemp("ratify") / "town")


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with an earlier vote."""
    directory = write_project(tmp_path_factory.mktemp("ratify") / "town", **EARLIER)
    consultation(directory / "first", "first")
    return directory


def norms(called: Any) -> dict[str, Any]:
    assert called.code == 0, called.err
    return {one["norm"]: one for one in json.loads(called.out)["norms"]}


def test_norms_without_votes_are_not_ratified(town: Path, call: Call) -> None:
    """A directory of norms has no consultation: the fault names the option that gives one."""
    for command in ("ratify", "draft"):
        for place in (town / "norms", Path("seeds")):
            (fault,) = call("charter", command, str(place), "--json").faults

            assert fault["where"] == str(place)
            assert "--reading" in fault["do"]


def test_a_ratified_project_is_looked_back_on_and_compared(town: Path, call: Call) -> None:
    """The charter that a project ratified is dated, compared with its files, asked and shown."""
    made = call("charter", "ratify", str(town), "--json").value["charter"]
    since = call("charter", "as-of", "2126-01-01", str(town), "--json").value
    against = call("charter", "diff", str(town), str(town), "--json").value
    shown = call("charter", "show", str(town), "--json").value

    assert [one["digest"] for one in since["governed"]] == [made]
    assert against["before"] == against["after"] == shown["digest"] == made
    assert call("charter", "diff", str(town), "--json").code == 0


def test_project_is_carried_to_its_charter_and_each_norm_told(town: Path, call: Call) -> None:
    """State, rule, level, numbers and readings of every norm there is."""
    called = call("charter", "ratify", str(town), "--json")

    told = norms(called)
    files = [p for p in (town / "norms").rglob("*.yaml") if p.parent.name != "norms"]
    assert len(told) == len(files)
    waiting = told[REF]
    assert (waiting["state"], waiting["awaits"]) == ("proposed", "2026-11-15")
    assert (waiting["level"], waiting["readings"][0]["people"]) == ("L3", 60)
    assert waiting["support"]["all"]["value"] == 0.9
    assert len(waiting["support"]["all"]["interval"]) == 2
    assert "66.7 %" in waiting["rule"]["en"]
    assert "66,7 %" in waiting["rule"]["pt"]
    assert told["o.fees.no-promise@1"]["state"] == "rejected"
    assert "No statement asked" in told["o.fees.no-promise@1"]["reasons"]["en"]
    assert told["g.honesty.not-human@1"]["state"] == "ratified"


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", ("proposed", "not ratified", "2026-11-15", "66.7 %")),
     ("pt", ("proposta", "não ratificada", "2026-11-15", "66,7 %"))],
)  # fmt: skip
def test_screen_tells_it_in_either_language(
    town: Path, call: Call, lang: str, words: tuple[str, ...]
) -> None:
    """What a norm waits for, by which rule, and with which numbers."""
    called = call("charter", "ratify", str(town), "--lang", lang)

    assert called.code == 0
    assert all(word in called.out for word in (REF, *words))


def test_readings_in_files_come_to_the_same_charter_as_the_project(
    twice: Path, call: Call, tmp_path: Path
) -> None:
    """No ballot is needed to check who was ratified: two saved readings are enough."""
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    assert call("charter", "draft", str(twice), "--save", str(second)).code == 0
    alone = write_project(tmp_path / "alone")
    file = alone / "normwright.yaml"
    settings = yaml.safe_load(file.read_text(encoding="utf-8"))
    settings["charter_date"] = "2026-10-01"
    file.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    votes = (alone / "consultation").rename(alone / "away")
    consultation(alone / "consultation", "first")
    assert votes.is_dir()
    assert call("charter", "draft", str(alone), "--save", str(first)).code == 0
    packed = tmp_path / "first.json.gz"
    packed.write_bytes(gzip.compress(first.read_bytes()))

    called = call("charter", "ratify", str(twice / "norms"), "--reading", str(packed),
                  "--reading", str(second), "--json")  # fmt: skip

    whole = call("charter", "ratify", str(twice), "--json")
    assert norms(called) == norms(whole)
    assert norms(called)[REF]["state"] == "ratified"
    assert "v003" not in second.read_text(encoding="utf-8")
    one = call("charter", "ratify", str(twice / "norms"), "--reading", str(second), "--json")
    assert norms(one)[REF]["state"] == "proposed"


def test_charter_that_was_written_can_be_amended(twice: Path, call: Call, tmp_path: Path) -> None:
    """The next version names the charter before; an existing file is not overwritten."""
    saved, before = tmp_path / "reading.json", tmp_path / "charter.json"
    call("charter", "draft", str(twice), "--save", str(saved))
    assert call("charter", "ratify", str(twice), "--out", str(before)).code == 0

    called = call("charter", "ratify", str(twice / "norms"), "--reading", str(saved),
                  "--parent", str(before), "--json")  # fmt: skip

    made = json.loads(called.out)
    digest = json.loads(call("charter", "ratify", str(twice), "--json").out)["charter"]
    assert (made["version"], made["parent"]) == (2, digest)
    assert norms(called)[REF]["state"] == "ratified"
    again = call("charter", "ratify", str(twice), "--out", str(before), "--json")
    assert again.code == 1
    assert json.loads(again.out)["error"]["faults"][0]["seen"] == "one that is there"


def test_norm_that_fails_its_own_cases_ratifies_nothing(call: Call, tmp_path: Path) -> None:
    """Exit 1 with the norm and every failing case by file and line."""
    directory = write_project(tmp_path / "town")
    path = directory / "norms" / "town-hall" / "o.fees.no-promise.yaml"
    text = path.read_text(encoding="utf-8")
    assert "expect: deny" in text
    path.write_text(text.replace("expect: deny", "expect: ask"), encoding="utf-8")

    called = call("charter", "ratify", str(directory), "--json")

    faults = json.loads(called.out)["error"]["faults"]
    assert called.code == 1
    assert len(faults) == text.count("expect: deny")
    assert all("o.fees.no-promise" in fault["where"] for fault in faults)


def test_lower_layer_that_repeals_a_floor_ratifies_nothing(call: Call, tmp_path: Path) -> None:
    """Exit 1 and ULTRA_VIRES, whatever the votes."""
    directory = write_project(tmp_path / "town")
    path = directory / "norms" / "vila-clara" / f"{NORM}.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "supersedes: [g.honesty.not-human]\n", encoding="utf-8")
    head = directory / "norms" / "charter.yaml"
    rules = yaml.safe_load(head.read_text(encoding="utf-8"))
    rules["amendment"] = {"constitutional": {"readings": 1}}
    head.write_text(yaml.safe_dump(rules), encoding="utf-8")

    called = call("charter", "ratify", str(directory), "--json")

    (fault,) = json.loads(called.out)["error"]["faults"]
    assert called.code == 1
    assert "ULTRA_VIRES" in fault["seen"]
    assert NORM in fault["where"]


@pytest.mark.parametrize(
    "more", [("--on", "2026-11-01"), ("--parent", "x.json"), ("--reading", "x.json", "--on", "x")]
)
def test_what_a_project_says_itself_is_not_said_again(
    town: Path, call: Call, more: tuple[str, ...]
) -> None:
    """A date or a parent by option is for readings in files; a day is a day."""
    assert call("charter", "ratify", str(town), *more).code == 2


def test_file_that_is_no_reading_is_one_fault_a_field(
    town: Path, call: Call, tmp_path: Path
) -> None:
    """Garbage, a missing file and a wrong field: all are named, none is a traceback."""
    (tmp_path / "a.json").write_text("{", encoding="utf-8")
    (tmp_path / "b.json").write_text('{"held_on": "x", "process": {}}', encoding="utf-8")
    (tmp_path / "c.json.gz").write_bytes(b"no gzip")
    given = [arg for name in ("a.json", "b.json", "c.json.gz", "d.json")
             for arg in ("--reading", str(tmp_path / name))]  # fmt: skip

    called = call("charter", "ratify", str(town / "norms"), *given, "--json")

    where = [f["where"] for f in json.loads(called.out)["error"]["faults"]]
    assert called.code == 1
    for name in ("a.json", "b.json: held_on", "b.json: process.id", "c.json.gz", "d.json"):
        assert any(name in one for one in where), (name, where)


def test_draft_writes_what_no_norm_says_and_never_twice(
    town: Path, call: Call, tmp_path: Path
) -> None:
    """The supported statement about nothing becomes a file; a second call refuses."""
    called = call("charter", "draft", str(town), "--out", str(tmp_path / "to"), "--json")

    told = json.loads(called.out)
    (path,) = told["written"]
    assert [d["asked"] for d in told["drafts"]] == ["c2"]
    assert yaml.safe_load(Path(path).read_text(encoding="utf-8"))["schema"] == "norm-draft/v1"
    assert {one["norm"]: one["carried"] for one in told["norms"]}[REF] is True
    assert [one["norm"] for one in told["dissents"]] == [REF]
    assert call("charter", "draft", str(town), "--out", str(tmp_path / "to")).code == 1


@pytest.mark.parametrize(
    ("lang", "title"), [("en", "# Minority report"), ("pt", "# Relatório da minoria")]
)
def test_minority_report_is_markdown_alone(town: Path, call: Call, lang: str, title: str) -> None:
    """Nothing else stands on stdout, so that it can be sent to a file."""
    called = call("charter", "draft", str(town), "--report", "--lang", lang)

    assert called.code == 0
    assert called.out.startswith(title)
    assert f"## `{REF}`" in called.out
