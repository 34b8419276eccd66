"""A project is signed as far as its parts go, and a passphrase is asked only where it is used."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.flow import signed

from normwright.flow import FILE, run, sign, verify
from normwright.records import InputError
from normwright.store import KeyHome


def without(project: Path, sources: str, more: str = "") -> Path:
    """Write the small project with other sources, and without what only a verdict needs."""
    signed.write_project(project)
    text = (project / FILE).read_text(encoding="utf-8")
    (project / FILE).write_text(f"{text}sources: {sources}\n{more}", encoding="utf-8")
    (project / "criteria.yaml").unlink()
    return project


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    """A project of votes alone."""
    project = without(tmp_path / "votes", "{norms: null, scenes: []}")
    shutil.rmtree(project / "norms")
    return project


@pytest.fixture
def norms(tmp_path: Path) -> Path:
    """A project of votes and norms."""
    return without(tmp_path / "norms", "{scenes: []}")


@pytest.fixture
def unasked(tmp_path: Path) -> KeyHome:
    """A home whose only key has a passphrase."""
    home = KeyHome(tmp_path / "home")
    home.create("default", passphrase="four plain words here")
    return home


def never() -> str | None:
    """A person who must not be asked."""
    raise AssertionError("asked for a passphrase")


def test_a_project_with_nothing_to_sign_asks_for_no_passphrase(
    votes: Path, unasked: KeyHome
) -> None:
    """Votes are read and counted; neither is signed."""
    report = run(votes, home=unasked, passphrase=never)

    assert [line.name for line in report.stages] == ["elicit", "aggregate"]
    assert report.signed == {}
    assert verify(votes, home=unasked, require_signed=True).faults == ()


def test_nor_does_a_run_that_stops_before_it(norms: Path, unasked: KeyHome) -> None:
    """Until the policy is to be made; then the passphrase is asked before any work."""
    asked = []

    def once() -> str | None:
        asked.append("passphrase")
        return "four plain words here"

    run(norms, until="aggregate", home=unasked, passphrase=never)
    report = run(norms, home=unasked, passphrase=once)

    assert asked == ["passphrase"]
    assert set(report.signed) == {"policy", "permit"}


def test_a_policy_is_signed_where_there_are_no_criteria(norms: Path, tmp_path: Path) -> None:
    """Nothing is decided by criteria there, so none are looked for, nor required."""
    home = signed.home_of(tmp_path / "home")
    run(norms, home=KeyHome(tmp_path / "nobody"))
    missing = verify(norms, home=home, require_signed=True).faults
    done = sign(norms, home=home)

    assert [fault.where for fault in missing] == ["policy", "permit"]
    assert done.new == ("policy", "permit")
    assert verify(norms, home=home, require_signed=True).faults == ()


def test_criteria_that_lie_there_are_signed_all_the_same(norms: Path, tmp_path: Path) -> None:
    """Somebody may fix them before anything is measured."""
    home = signed.home_of(tmp_path / "home")
    other = signed.write_project(tmp_path / "whole")
    shutil.copy(other / "criteria.yaml", norms / "criteria.yaml")

    assert sign(norms, home=home).new == ("criteria",)


def test_votes_alone_have_nothing_to_sign(votes: Path, tmp_path: Path) -> None:
    """The message does not send anybody to a run that would make nothing more."""
    home = signed.home_of(tmp_path / "home")
    run(votes, home=home)

    with pytest.raises(InputError, match="no norms, no scenes"):
        sign(votes, home=home)


def test_where_no_release_is_decided_the_split_may_be_dev(tmp_path: Path) -> None:
    """It is refused only for a run that would come to a verdict."""
    project = without(tmp_path / "p", "{norms: null, scenes: []}")
    text = (project / FILE).read_text(encoding="utf-8")
    dev = text.replace("evaluate: {", "evaluate: {split: dev, ")
    assert dev != text
    (project / FILE).write_text(dev, encoding="utf-8")

    assert [line.name for line in run(project).stages] == ["elicit", "aggregate"]


def test_a_run_to_a_verdict_refuses_the_split_dev(tmp_path: Path) -> None:
    """Before anything is done."""
    project = signed.write_project(tmp_path / "p")
    text = (project / FILE).read_text(encoding="utf-8")
    (project / FILE).write_text(text.replace("evaluate: {", "evaluate: {split: dev, "), "utf-8")

    with pytest.raises(InputError, match="split"):
        run(project)
