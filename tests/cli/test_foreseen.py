"""What a run will take, as it is said: one line in each language, a table, a JSON value."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from tests.cli.conftest import Call

from normwright.cli.foreseen import line_of, time_of
from normwright.cli.words import languages, words
from normwright.flow import Forecast, StepForecast
from normwright.store import FOLDER

Usage = namedtuple("Usage", "total used free")
KNOWN = Forecast(
    steps=(
        StepForecast("learn.sft", (200.0, 300.0), "model"),
        StepForecast("evaluate", (40.0, 60.0), "earlier"),
    ),
    seconds=(240.0, 360.0),
    memory_bytes=int(1.6 * 2**30),
    disk_bytes=60 * 10**6,
    scratch_bytes=0,
)
UNKNOWN = Forecast((StepForecast("learn.sft", None, "unknown"),), None, None, None, None)


@pytest.fixture
def fresh(call: Call, tmp_path: Path) -> Path:
    """A micro project nobody has run."""
    call("init", tmp_path / "fresh", "--template", "micro")
    return tmp_path / "fresh"


def test_the_line_says_time_memory_and_disk() -> None:
    """The line as people read it, in both languages that ship."""
    assert line_of(KNOWN, "en") == (
        "To be expected: about 4–6 minutes, 1.6 GiB of memory, 60 MB of disk "
        "(an estimate from earlier runs and the settings)"
    )
    assert line_of(KNOWN, "pt").startswith(
        "É de esperar: cerca de 4–6 minutos, 1.6 GiB de memória, 60 MB de disco ("
    )


@pytest.mark.parametrize("lang", languages())
def test_unknown_is_said_and_no_number(lang: str) -> None:
    """What is not known has no digit in its line, in any language."""
    line = line_of(UNKNOWN, lang)

    assert line.count(words(lang)["unknown"]) == 3
    assert not any(letter.isdigit() for letter in line)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ((0.2, 0.6), "about 1 seconds"),
        ((2.4, 7.2), "about 2–8 seconds"),
        ((44.0, 158.0), "about 40–160 seconds"),
        ((240.0, 360.0), "about 4–6 minutes"),
        ((3700.0, 9000.0), "about 60–150 minutes"),
        ((18000.0, 64800.0), "about 5–18 hours"),
    ],
)
def test_a_time_is_rounded_outwards(seconds: tuple[float, float], said: str) -> None:
    """The unit follows the length, and a range never looks narrower than it is."""
    assert time_of(seconds, "en") == said


@pytest.mark.parametrize("lang", languages())
def test_a_run_says_it_before_its_first_step(call: Call, fresh: Path, lang: str) -> None:
    """The line is the first on stderr; with `--json` there is none."""
    called = call("run", fresh, "--until", "elicit", "--lang", lang)
    again = call("run", fresh, "--until", "elicit", "--lang", lang)
    silent = call("run", fresh, "--until", "elicit", "--json")

    first, *others = called.err.splitlines()
    assert first.startswith(words(lang)["foreseen"].split("{")[0])
    assert first not in others
    assert again.err.splitlines()[0] == words(lang)["nothing-to-do"]
    assert silent.err == ""
    assert set(silent.value) == {"verdicts", "stages", "report", "signed"}


@pytest.mark.parametrize("lang", languages())
def test_a_forecast_only_says(call: Call, fresh: Path, lang: str) -> None:
    """`--forecast` shows each step and the whole, is code 0 and writes nothing."""
    called = call("run", fresh, "--forecast", "--lang", lang)

    assert called.code == 0
    assert called.err == ""
    assert all(name in called.out for name in ("elicit", "learn.sft", "release"))
    assert called.out.splitlines()[-1].startswith(words(lang)["foreseen"].split("{")[0])
    assert not (fresh / FOLDER).exists()


def test_a_forecast_as_json(call: Call, fresh: Path, micro_project: Path, tmp_path: Path) -> None:
    """Steps with ranges, the whole, memory and disk; zeros and no steps where nothing is to do."""
    value = call("run", fresh, "--forecast", "--json").value
    some = call("run", fresh, "--forecast", "--until", "charter", "--json").value
    done = shutil.copytree(micro_project, tmp_path / "done")

    assert set(value) == {"steps", "seconds", "memory_bytes", "disk_bytes"}
    for step in value["steps"]:
        assert set(step) == {"name", "seconds", "basis"}
        low, high = step["seconds"]
        assert 0 <= low <= high
    assert value["seconds"][0] < value["seconds"][1]
    assert isinstance(value["memory_bytes"], int)
    assert isinstance(value["disk_bytes"], int)
    assert [step["name"] for step in some["steps"]] == ["elicit", "aggregate", "charter"]
    assert call("run", done, "--forecast", "--json").value == {
        "steps": [],
        "seconds": [0.0, 0.0],
        "memory_bytes": 0,
        "disk_bytes": 0,
    }


def test_a_forecast_of_what_is_no_project(call: Call, tmp_path: Path) -> None:
    """Faults are told as by any other command."""
    called = call("run", tmp_path, "--forecast", "--json")

    assert called.code == 1
    assert "normwright init" in called.faults[0]["do"]


def test_too_little_disk_is_one_error(
    call: Call, fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run on a full disk is code 1 with one fault, and nothing is written."""
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(10**9, 10**9 - 10**6, 10**6))
    called = call("run", fresh, "--json")

    assert called.code == 1
    assert len(called.faults) == 1
    assert called.faults[0]["seen"] == "1 MB"
    assert not (fresh / FOLDER).exists()
