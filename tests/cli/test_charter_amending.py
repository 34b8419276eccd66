"""`normwright charter diff` and `as-of`: the screens and the JSON that others call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.charter.builders import seed, write

from normwright.cli import main

pytest.importorskip("z3")


def ran(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["charter", *args])
    assert ended.value.code in (0, None)
    return capsys.readouterr().out


def made(folder: Path, **fields: Any) -> str:
    return str(write(folder, seed(status="in_force", **fields)))


def test_diff_prints_a_witness_for_a_change_and_none_for_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The contract: changed regions with both decisions, and whether no change was proved."""
    old = made(tmp_path / "v6")
    new = made(tmp_path / "v7", version=2, condition={"fact": "clinician", "eq": False},
               cases=[])  # fmt: skip
    found = json.loads(ran(capsys, "diff", old, new, "--json"))
    same = json.loads(ran(capsys, "diff", old, old, "--json"))

    assert found["changed"][0]["situation"]["facts"] == {"clinician": True}
    assert found["changed"][0]["before"]["verdict"] == "deny"
    assert found["changed"][0]["after"]["verdict"] == "allow"
    assert not found["proved_unchanged"]
    assert (same["changed"], same["proved_unchanged"]) == ([], True)


def test_diff_speaks_the_language_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The screen says what is newly allowed, in Portuguese too."""
    old = made(tmp_path / "v6")
    new = made(tmp_path / "v7", version=2, condition={"fact": "clinician", "eq": False},
               cases=[])  # fmt: skip

    assert "newly allow" in ran(capsys, "diff", old, new, "--lang", "en")
    assert "passaria a permitir" in ran(capsys, "diff", old, new, "--lang", "pt")
    assert "provado" in ran(capsys, "diff", old, old, "--lang", "pt")


def test_as_of_leaves_out_what_is_not_yet_in_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Absent on 30 November 2026, present on 2 December."""
    place = made(tmp_path / "norms", valid_from="2026-12-02")
    early = json.loads(ran(capsys, "as-of", "2026-11-30", place, "--json"))
    late = json.loads(ran(capsys, "as-of", "2026-12-02", place, "--json"))

    assert early["in_force"] == []
    assert early["next"] == [{"day": "2026-12-02", "norm": "g.no-advice@1", "what": "begins"}]
    assert [one["norm"] for one in late["in_force"]] == ["g.no-advice@1"]
    assert early["digest"] != late["digest"]
