"""Where a charter is found: every command takes the same places."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.charter.builders import cases, seed, write
from tests.cli.conftest import Call

HOLDS = {"fact": "clinician", "eq": False}
TOLD = [*cases(("hit", "deny"), clinician=False), *cases(("miss", "allow", "tell"))]
COMMANDS = {
    "lint": ("--class", "UNTESTED"),
    "enact": (),
    "show": (),
    "cases": ("--count", "1"),
}
"""Commands that take a charter, with what keeps them short."""


def norms(folder: Path, status: str) -> Path:
    """A directory with one norm."""
    return write(folder, seed(status=status, condition=HOLDS, cases=TOLD))


@pytest.mark.parametrize("command", ["enact", "lint", "show"])
def test_the_norms_that_ship_have_a_name(call: Call, command: str) -> None:
    """`seeds` stands for them wherever a directory does."""
    called = call("charter", command, "seeds", *COMMANDS[command], "--json")

    assert called.code == 0, called.err
    assert called.value


def test_a_ratified_charter_is_asked_by_its_record(call: Call, tmp_path: Path) -> None:
    """What `charter show --json` prints is a charter to every command that takes one."""
    place = norms(tmp_path / "norms", "in_force")
    shown = call("charter", "show", place, "--json").value
    record = tmp_path / "charter.json"
    record.write_text(json.dumps(shown), encoding="utf-8")
    (act,) = (norm["act"] for norm in shown["norms"])
    asked = ("--act", act, "--fact", "clinician=false", "--json")

    assert call("charter", "decide", record, *asked).value["charter"] == shown["digest"]
    assert call("charter", "enact", record, "--json").value["charter"] == shown["digest"]
    assert call("charter", "diff", place, record, "--json").value["proved_unchanged"]
    for command, short in COMMANDS.items():
        assert call("charter", command, record, *short, "--json").code == 0


def test_where_nothing_holds_a_decision_says_so(call: Call, tmp_path: Path) -> None:
    """Drafts alone forbid nothing: the answer is as before, and a note on stderr tells why."""
    place = norms(tmp_path / "norms", "draft")
    act = call("charter", "show", place, "--json").value["norms"][0]["act"]
    asked = ("charter", "decide", place, "--act", act, "--fact", "clinician=false", "--json")

    alone, drafted = call(*asked, "--lang", "en"), call(*asked, "--drafts")

    assert (alone.value["verdict"], drafted.value["verdict"]) == ("allow", "deny")
    assert "No norm is in force here" in alone.err
    assert drafted.err == ""


def test_a_check_speaks_the_language_asked_for(call: Call, tmp_path: Path) -> None:
    """Counts and failures are told in it."""
    place = norms(tmp_path / "norms", "in_force")

    assert "1 normas" in call("charter", "check", place, "--lang", "pt").out
