"""The commands on a finished project whose disk is full, read-only, or whose clock is wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Call
from tests.disks import read_only, small_disk
from tests.flow.test_disks import fill, left_half_written

from normwright.store import FOLDER, Store


@pytest.fixture
def copy(micro_project: Path, tmp_path: Path) -> Path:
    """A copy of the finished project that a test may change."""
    return Path(shutil.copytree(micro_project, tmp_path / "micro"))


def test_a_read_only_project_answers(call: Call, copy: Path) -> None:
    """Whatever only reads works where nothing can be written; a run is refused with one fault."""
    verdict = call("status", copy, "--json").value["stages"][-1]["made"][0]
    with read_only(copy):
        stages = call("status", copy, "--json").value["stages"]
        assert {stage["state"] for stage in stages} == {"done"}
        assert call("verify", copy, "--json").value["faults"] == []
        assert call("trace", verdict, "--project", copy, "--json").value["roots"]
        assert call("charter", "show", copy, "--json").code == 0
        assert call("run", copy, "--forecast", "--json").value["steps"] == []
        assert call("diff", copy, copy, "--json").value["why"] == []
        assert call("gc", copy, "--json").code == 0
        said = call("chat", copy, "--say", "When does the library open?", "--json")
        assert len(said.value) == 4
        for command in (("run", copy), ("gc", copy, "--yes")):
            called = call(*command, "--json")
            assert called.code == 1
            (fault,) = called.faults
            assert fault["seen"] == "a read-only place"
            assert "Traceback" not in called.err


def test_pages_that_find_no_room(call: Call, micro_project: Path, tmp_path: Path) -> None:
    """A report that does not fit is one error; with room again the same command writes it whole."""
    with small_disk(tmp_path / "disk", size="40m") as disk:
        project = Path(shutil.copytree(micro_project, disk / "micro"))
        page = project / "out/report.html"
        size = page.stat().st_size
        page.unlink()
        ballast = fill(disk, leave=size // 2)
        called = call("run", project, "--json")
        (fault,) = called.faults

        assert called.code == 1
        assert (fault["expected"], fault["seen"]) == ("room on the disk", "none left")
        assert not page.exists()
        assert left_half_written(project) == []
        ballast.unlink()
        assert call("run", project, "--json").code in (0, 3, 4)
        assert page.stat().st_size == size
        assert call("verify", project, "--json").value["faults"] == []


def test_a_page_about_an_older_verdict_is_drawn_again(call: Call, copy: Path) -> None:
    """A run stopped after its verdict and before its page leaves an old one; that is noticed."""
    from normwright import flow

    criteria = copy / "criteria.yaml"
    criteria.write_text(criteria.read_text().replace("limit: 0.10", "limit: 0.11", 1))
    report = flow.run(copy)  # as far as the verdict, without the pages
    verdict = report.stages[-1].made[0]
    page = copy / "out/report.html"

    assert verdict not in page.read_text()
    call("run", copy, "--json")
    assert verdict in page.read_text()


def ledger_ahead(project: Path) -> str:
    """Have the last entry of the ledger written by a clock that is far ahead."""
    from datetime import UTC, datetime

    ahead = datetime(2099, 1, 1, tzinfo=UTC)
    with Store.open(project, now=lambda: ahead) as store:
        return store.append("replaced", "sha256:" + "0" * 64).at


def test_a_clock_before_the_ledger(call: Call, copy: Path) -> None:
    """A run is refused naming both times, until the ledger is told that its clock was ahead."""
    at = ledger_ahead(copy)
    (fault,) = call("run", copy, "--json").faults

    assert fault["where"] == "the clock of this machine"
    assert at in fault["expected"]
    assert fault["seen"] < at
    assert "--accept-clock" in fault["do"]
    assert call("run", copy, "--accept-clock", "--json").code in (0, 3, 4)
    assert call("run", copy, "--json").code in (0, 3, 4)
    found = call("verify", copy, "--json").value
    assert not [one for one in found["faults"] if one["where"].endswith(": at")]


def test_a_page_that_cannot_be_made_in_the_temporary_folder(
    call: Call, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full temporary folder is told like any other full disk, and the project stays as it was."""
    import tempfile

    (copy / "out/report.html").unlink()
    with small_disk(tmp_path / "tmp", size="64k") as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk))
        called: Any = call("run", copy, "--json")
    (fault,) = called.faults

    assert fault["seen"] == "none left"
    assert left_half_written(copy) == []
    assert (copy / FOLDER).is_dir()
    assert json.loads((copy / "out/verdict.json").read_text())
