"""`normwright gc`: shown first, removed when told to, with what it took up before and after."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.cli.conftest import Call

from normwright.cli.words import languages, words


@pytest.fixture
def twice(micro_project: Path, tmp_path: Path, call: Call) -> Path:
    """A project that was run with two versions of its criteria."""
    copy = Path(shutil.copytree(micro_project, tmp_path / "micro"))
    criteria = copy / "criteria.yaml"
    criteria.write_text(criteria.read_text().replace("limit: 0.10", "limit: 0.11", 1))
    assert call("run", copy, "--json").code in (3, 4)
    return copy


def test_it_is_shown_then_done_then_nothing_is_left(call: Call, twice: Path) -> None:
    """First what would go, then that it went, then nothing; the project verifies and forecasts."""
    shown = call("gc", twice, "--json")
    done = call("gc", twice, "--yes", "--json")
    again = call("gc", twice, "--yes", "--json")

    assert (shown.code, done.code, again.code) == (0, 0, 0)
    assert [one["stage"] for one in shown.value["results"]] == ["release"]
    assert (shown.value["done"], shown.value["after_bytes"]) == (False, None)
    assert {**done.value, "done": False, "after_bytes": None} == shown.value
    assert done.value["after_bytes"] < done.value["before_bytes"]
    assert (again.value["results"], again.value["objects"]) == ([], 0)
    assert call("verify", twice, "--json").value["faults"] == []
    assert call("run", twice, "--forecast", "--json").value["steps"] == []
    stages = call("status", twice, "--json").value["stages"]
    assert {stage["state"] for stage in stages} == {"done"}
    verdict = stages[-1]["made"][0]
    assert call("trace", verdict, "--project", twice, "--json").value["roots"]


@pytest.mark.parametrize("lang", languages())
def test_the_screen_says_what_and_how_much(call: Call, twice: Path, lang: str) -> None:
    """Without a terminal nothing is asked and nothing removed; with `--yes` sizes are told."""
    say = words(lang)
    shown = call("gc", twice, "--lang", lang).out
    done = call("gc", twice, "--yes", "--lang", lang).out
    nothing = call("gc", twice, "--lang", lang).out

    assert say["gc-would"] in shown
    assert "release 1" in shown
    assert say["gc-would"] not in done
    assert done.splitlines()[-1].startswith(say["gc-done"].partition("{")[0])
    assert nothing.strip() == say["gc-nothing"]
