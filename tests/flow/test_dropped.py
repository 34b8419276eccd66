"""What a project no longer has, or has yet to do again, is neither signed nor watched over."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.flow import signed

from normwright import flow, web
from normwright.flow import FILE, run, sign, status, verify
from normwright.records import InputError
from normwright.store import KeyHome

CHARTER = "out/charter.html"
POLICY = "out/policy.dsse.json"


@pytest.fixture(scope="module")
def enacted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of people and norms alone, run and signed, and the keys; never to be touched."""
    folder = tmp_path_factory.mktemp("enacted")
    home = signed.home_of(folder / "home")
    project = signed.write_project(folder / "town")
    edit(project, "sources: {scenes: []}\n")
    (project / "criteria.yaml").unlink()
    run(project, home=home)
    web.publish(project)
    return folder


@pytest.fixture
def project(enacted: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(enacted / "town", tmp_path / "town"))


@pytest.fixture
def home(enacted: Path, tmp_path: Path) -> KeyHome:
    return KeyHome(Path(shutil.copytree(enacted / "home", tmp_path / "home")))


def edit(project: Path, more: str) -> None:
    """Have the project file end with other sources."""
    text = (project / FILE).read_text(encoding="utf-8").split("sources:")[0]
    (project / FILE).write_text(text + more, encoding="utf-8")


def drop_norms(project: Path, tmp_path: Path) -> None:
    edit(project, "sources: {norms: null, scenes: []}\n")
    shutil.move(project / "norms", tmp_path / "norms")


def change_votes(project: Path) -> None:
    """Leave out the last vote."""
    votes = project / "consultation/votes.csv"
    votes.write_text("".join(votes.read_text(encoding="utf-8").splitlines(True)[:-1]), "utf-8")


def test_what_stands_is_signed(project: Path, home: KeyHome) -> None:
    """Before anything changes: a policy that is signed, and a clean verification."""
    found = verify(project, home=home)

    assert set(status(project).signed) == {"policy", "permit"}
    assert (project / CHARTER).is_file()
    assert (project / POLICY).is_file()
    assert found.faults == ()
    assert [one.kind for one in found.signatures.signers] == ["policy", "permit"]


def test_a_dropped_part_is_gone_after_the_next_whole_run(
    project: Path, home: KeyHome, tmp_path: Path
) -> None:
    """Its files are removed and watched no more, nothing of it is signed, and all verifies."""
    drop_norms(project, tmp_path)
    report = run(project, home=home)
    web.publish(project)
    found = verify(project, home=home)

    assert report.signed == {}
    assert status(project).signed == {}
    assert not (project / CHARTER).exists()
    assert not (project / POLICY).exists()
    assert found.faults == ()
    assert found.signatures.signers == ()
    assert found.signatures.good == 2  # over what once stood


def test_diff_says_that_the_norms_are_gone(project: Path, home: KeyHome, tmp_path: Path) -> None:
    """The run before had a charter, the run after has none."""
    drop_norms(project, tmp_path)
    run(project, home=home)
    found = flow.compare(flow.RunName(project, 1), flow.RunName(project, 2))

    assert found.norms
    assert {norm.after for norm in found.norms} == {"absent"}


def test_a_part_that_comes_back_counts_again(project: Path, home: KeyHome, tmp_path: Path) -> None:
    """Also when the run that brings it back stops early."""
    drop_norms(project, tmp_path)
    run(project, home=home)
    shutil.move(tmp_path / "norms", project / "norms")
    edit(project, "sources: {scenes: []}\n")
    report = run(project, until="charter", home=home)

    assert set(report.signed) == {"policy", "permit"}
    assert (project / POLICY).is_file()
    assert verify(project, home=home).faults == ()


def test_a_file_that_somebody_changed_is_left_where_it_is(
    project: Path, home: KeyHome, tmp_path: Path
) -> None:
    """It is theirs by then; only nobody watches over it."""
    (project / CHARTER).write_text("mine", encoding="utf-8")
    drop_norms(project, tmp_path)
    run(project, home=home)
    web.publish(project)

    assert (project / CHARTER).read_text(encoding="utf-8") == "mine"
    assert verify(project, home=home).faults == ()


def test_what_is_still_to_be_done_is_not_signed(
    project: Path, home: KeyHome, tmp_path: Path
) -> None:
    """Votes change and a run stops before the policy: a second key signs nothing."""
    other = signed.home_of(tmp_path / "other")
    change_votes(project)
    report = run(project, until="elicit", home=other)
    with flow.open_store(project, create=False) as store:
        keys = {one.keyid for one in store.signatures()}

    assert report.signed == {}
    assert status(project).signed == {}
    assert keys == {home.named("default").keyid}
    assert not (project / POLICY).exists()
    assert not [f for f in verify(project, home=home).faults if "dsse" in f.where]


def test_nothing_is_signed_by_hand_whose_sources_changed(project: Path, tmp_path: Path) -> None:
    """The policy was made from other votes than those that lie there."""
    other = signed.home_of(tmp_path / "other")
    change_votes(project)

    with pytest.raises(InputError, match="policy"):
        sign(project, what=["policy"], home=other)


def test_it_stays_dropped_when_room_is_made(project: Path, home: KeyHome, tmp_path: Path) -> None:
    """What tells that a part was dropped is kept, also behind a later run that stopped early."""
    drop_norms(project, tmp_path)
    run(project, home=home)
    change_votes(project)
    run(project, until="elicit", home=home)
    flow.collect(project, keep_runs=1, remove=True)
    with flow.open_store(project, create=False) as store:
        steps = list(store.current_steps())

    assert steps == ["elicit", "aggregate"]
    assert verify(project, home=home).faults == ()
