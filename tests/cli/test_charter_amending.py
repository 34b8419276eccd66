"""`normwright charter diff` and `as-of`: the screens and the JSON that others call."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.charter.builders import seed, write

from normwright.cli import main
from normwright.flow import ratified

pytest.importorskip("z3")


def ran(capsys: pytest.CaptureFixture[str], *args: str, code: int = 0) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["charter", *args])
    assert (ended.value.code or 0) == code
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


def test_diff_fails_where_a_version_was_altered_and_still_says_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1 for the same id and version with other content; the JSON holds it and the regions."""
    old = made(tmp_path / "v6")
    new = made(tmp_path / "v7", condition={"fact": "clinician", "eq": False}, cases=[])
    found = json.loads(ran(capsys, "diff", old, new, "--json", code=1))
    screen = ran(capsys, "diff", old, new, code=1)

    assert [one["where"] for one in found["faults"]] == ["g.no-advice@1: condition"]
    assert found["changed"]
    assert "g.no-advice@1: condition" in screen


# --- a project ---


@pytest.fixture
def project(micro_project: Path, tmp_path: Path) -> Path:
    """A copy of a project that has ratified a charter."""
    return Path(shutil.copytree(micro_project, tmp_path / "micro"))


@pytest.mark.slow
def test_a_project_remembers_the_charters_it_ratified(project: Path) -> None:
    """One charter for one run, with the instant and the run; none for a place without a store."""
    (only,) = ratified(project)

    assert only.charter.digest == ratified(project)[-1].charter.digest
    assert any(norm.status in ("in_force", "demonstration") for norm in only.charter.norms)
    assert only.run >= 1
    assert ratified(project / "norms") == ()


@pytest.mark.slow
def test_as_of_of_a_project_asks_which_charter_stood(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before the first charter nothing is in force; on its day and after, what it holds."""
    (only,) = ratified(project)
    day = only.at.date()
    before = json.loads(ran(capsys, "as-of", str(day - timedelta(1)), str(project), "--json"))
    after = json.loads(ran(capsys, "as-of", str(day + timedelta(1)), str(project), "--json"))
    unknown = json.loads(ran(capsys, "as-of", str(day + timedelta(1)), str(project), "--known",
                             str(day - timedelta(1)), "--json"))  # fmt: skip

    assert before["in_force"] == []
    assert {one["norm"] for one in after["in_force"]} <= {n.ref for n in only.charter.norms}
    assert after["in_force"]
    assert unknown["in_force"] == []


@pytest.mark.slow
def test_diff_of_a_project_compares_the_norms_on_disk_with_what_was_ratified(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A draft that lifts a ratified norm's condition shows as a change; the disk as it was not."""
    (only,) = ratified(project)
    held = next(n for n in only.charter.norms if n.status in ("in_force", "demonstration")
                and n.kind == "prohibition")  # fmt: skip
    path = next(p for p in project.rglob("*.yaml")
                if f"id: {held.id}\n" in p.read_text(encoding="utf-8"))  # fmt: skip
    same = json.loads(ran(capsys, "diff", str(project), str(project), "--json"))
    path.unlink()
    without = json.loads(ran(capsys, "diff", str(project), "--json"))

    assert same["proved_unchanged"]
    assert held.ref in without["removed"]
    assert any(held.ref in region["before"]["governing"] for region in without["changed"])
    assert without["drafts"] == {"before": False, "after": True}
