"""A project on a disk that is full, read-only, forbidden: one clear error, nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.disks import as_anybody, call, read_only, small_disk
from tests.flow import consulted, micro

from normwright.flow import (
    RunReport,
    init,
    open_store,
    publish,
    run_steps,
    status_of,
    trace,
    verify,
    withdraw,
)
from normwright.flow.verify import _Verifier
from normwright.records import InputError, PlaceError, digest_json
from normwright.store import FOLDER, HALF_WRITTEN
from normwright.store.migrations import MIGRATIONS

PLACES = {
    "put_": "object",
    "execute": "database",
    "commit": "database",
    "_restore": "export",
    "write_bytes": "scratch",
}
"""Function on the way to a full disk -> what was being written."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 6 MB with nothing on it."""
    with small_disk(tmp_path / "disk", size="6m") as place:
        yield place


def run(project: Path) -> RunReport:
    """Run the micro project with data that fill more than a few kilobytes."""
    return run_steps(project, micro.steps(project, rows=6000), seed=micro.SEED)


def fill(disk: Path, *, leave: int) -> Path:
    """Put a file on a disk that leaves so many bytes free."""
    ballast = disk / "ballast"
    free = shutil.disk_usage(disk).free
    ballast.write_bytes(b"\0" * max(0, free - leave))
    return ballast


def left_half_written(project: Path) -> list[str]:
    """Return the files in a project that are no whole ones."""
    store = project / FOLDER
    return [
        *map(str, (store / "objects" / "incoming").glob("*")),
        *map(str, project.rglob(f"{HALF_WRITTEN}*")),
    ]


def place_of(error: BaseException) -> str:
    """Return what was being written when the disk was full."""
    at = [frame.name for one in _chain(error) for frame in traceback.extract_tb(one.__traceback__)]
    for name in ("_restore", "write_bytes", "put_", "execute", "commit"):
        if any(name in frame for frame in at):
            return PLACES[name]
    return at[-1]


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def test_wherever_the_disk_fills_up_the_same_command_goes_on(disk: Path, tmp_path: Path) -> None:
    """With ever more room a run ends each time in one error, then goes on to the same verdict.

    What is on the disk in between is whole: the books verify, and no file is there in part.
    """
    whole = micro.write_project(tmp_path / "whole")
    end = run(whole).stages[-1].made
    met = set()
    for leave in range(0, 1_800_000, 130_000):
        project = micro.write_project(disk / "micro")
        ballast = fill(disk, leave=leave)
        error = _error_of(project)
        met.add("finished" if error is None else place_of(error))
        if error is not None:
            (fault,) = error.faults
            assert (fault.expected, fault.seen) == ("room on the disk", "none left"), fault
            assert fault.do.startswith("Free some space")
            assert left_half_written(project) == []
        ballast.unlink()
        if (project / FOLDER / "store.db").is_file():
            # Files for people that found no room are missing; of the rest nothing is wrong.
            wrong = [f for f in _faults(project) if not f.startswith("out/")]
            assert wrong == []

        assert run(project).stages[-1].made == end
        assert _faults(project) == []
        shutil.rmtree(project)
    assert met >= {"object", "database", "export", "scratch", "finished"}


def _error_of(project: Path) -> PlaceError | None:
    try:
        run(project)
    except PlaceError as error:
        return error
    return None


def _faults(project: Path) -> list[str]:
    try:
        return [fault.where for fault in verify(project).faults]
    except InputError as error:  # the schema itself found no room yet
        return [] if "no tables" in str(error) else [str(error)]


def test_weights_that_find_no_room_say_so(disk: Path) -> None:
    """Libraries that write weights do not raise what the system said; it is told all the same."""
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    from normwright.store import plainly

    fill(disk, leave=100_000)
    weights = {"w": torch.zeros(200_000)}
    for save in (save_file, torch.save):
        with pytest.raises(PlaceError, match="room on the disk, saw none left"), plainly(disk):
            save(weights, disk / "weights")


def test_a_withdrawal_that_finds_no_room_is_completed_by_the_same_command(
    disk: Path, tmp_path: Path
) -> None:
    """Wherever the disk fills up, emptying the database included: one error, and on it goes."""
    whole = consulted.finished(tmp_path / "whole")
    size = (whole / FOLDER / "store.db").stat().st_size
    ends = set()
    for leave in range(0, 3 * size, size // 6):
        project = Path(shutil.copytree(whole, disk / "bridge"))
        ballast = fill(disk, leave=leave)
        try:
            withdraw(project, consulted.WHO, then="rebuild")
            ends.add("finished")
        except PlaceError as error:
            (fault,) = error.faults
            assert (fault.expected, fault.seen) == ("room on the disk", "none left"), fault
            ballast.unlink()
            ends.add(withdraw(project, consulted.WHO, then="rebuild").state)
        assert consulted.mentions(project) == []
        shutil.rmtree(project)
        ballast.unlink(missing_ok=True)
    assert ends == {"withdrawn", "completed", "finished"}


def test_a_mistake_on_a_healthy_disk_stays_a_mistake(tmp_path: Path) -> None:
    """Only what speaks of the disk is said in its words; a defect keeps its own name."""
    from normwright.store import plainly

    for error in (RuntimeError("no"), FileNotFoundError(2, "gone"), ValueError("os error")):
        with pytest.raises(type(error)), plainly(tmp_path):
            raise error


def test_a_report_that_finds_no_room_comes_back_whole(disk: Path) -> None:
    """Pages published on a full disk are missing, never half there, and come with the next run."""
    project = micro.write_project(disk / "micro")
    run(project)
    page = b"<html>" + b"x" * 300_000
    ballast = fill(disk, leave=400_000)

    with pytest.raises(PlaceError, match="room on the disk"):
        publish(project, {"out/report.html": page, "out/charter.html": page + b"!"})
    ballast.unlink()
    for name in ("report", "charter"):
        assert not (project / f"out/{name}.html").exists()
    assert left_half_written(project) == []
    assert run(project).report is None
    publish(project, {"out/report.html": page, "out/charter.html": page + b"!"})
    assert run(project).report == "out/report.html"
    assert _faults(project) == []


def test_a_project_is_begun_whole_or_not_at_all(disk: Path) -> None:
    """On a full disk `init` leaves nothing, not even the folders it would have lain in."""
    ballast = fill(disk, leave=200_000)

    with pytest.raises(PlaceError, match="room on the disk") as caught:
        init(disk / "new" / "town", "town")
    assert caught.value.faults[0].where == str(disk / "new" / "town")
    assert list(disk.iterdir()) == [ballast]
    ballast.unlink()
    assert init(disk / "new" / "town", "town").files


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A finished project."""
    project = micro.write_project(tmp_path / "micro")
    run(project)
    return project


def test_a_read_only_project_can_be_read(finished: Path) -> None:
    """Where nothing can be written, reading goes on and finds the same; a run is refused once."""
    steps = micro.steps(finished, rows=6000)
    before = status_of(finished, steps, seed=micro.SEED)
    with read_only(finished):
        assert status_of(finished, steps, seed=micro.SEED) == before
        assert trace(finished, before.stages[-1].made[-1]).roots
        assert verify(finished).faults == ()
        with pytest.raises(PlaceError, match="can be written to, saw a read-only place"):
            run(finished)
        with pytest.raises(PlaceError, match="can be written to"):
            publish(finished, {"out/report.html": b"<html>"})
    assert verify(finished).faults == ()


def test_what_a_killed_run_left_is_read_too(finished: Path) -> None:
    """A database with a journal nobody has merged is read with it where nothing is writable."""
    import sqlite3

    file = finished / FOLDER / "store.db"
    # A reader that stays keeps the journal from being merged, as a killed writer would.
    reader = sqlite3.connect(file)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM ledger").fetchone()
    source = finished / micro.VOTES
    source.write_text(source.read_text().replace("p1,s0,agree", "p1,s0,pass"))
    report = run(finished)
    assert file.with_name("store.db-wal").stat().st_size

    with read_only(finished):
        found = status_of(finished, micro.steps(finished, rows=6000), seed=micro.SEED)
        assert [stage.made for stage in found.stages] == [line.made for line in report.stages]
        assert verify(finished).faults == ()
    reader.close()


def interrupted(finished: Path, place: Path, *, without: str = "-none") -> Path:
    """A copy of a project as a killed run left it: its last result stands in the journal alone."""
    import sqlite3

    reader = sqlite3.connect(finished / FOLDER / "store.db")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM ledger").fetchone()
    source = finished / micro.VOTES
    source.write_text(source.read_text().replace("p1,s0,agree", "p1,s0,pass"))
    run(finished)
    ignore = shutil.ignore_patterns(f"store.db{without}")
    copy = Path(shutil.copytree(finished, place, ignore=ignore))
    reader.close()
    return copy


@pytest.mark.parametrize("without", ["-shm", "-none"])
def test_a_journal_that_was_copied_without_its_shared_memory_is_read(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without: str
) -> None:
    """A backup may have left it out; what is made to read it is gone when the store is closed."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    copy = interrupted(finished, tmp_path / "copy", without=without)
    assert (copy / FOLDER / "store.db-wal").stat().st_size
    with read_only(copy):
        with open_store(copy, create=False) as store:
            assert len(store.runs()) == 2
            assert len(list(scratch.iterdir())) == (without == "-shm")
        assert list(scratch.iterdir()) == []
        assert verify(copy).faults == ()
    assert list(scratch.iterdir()) == []


def test_no_room_to_read_a_journal_in_is_said(
    finished: Path, disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the temporary folder that is full, and nothing stays in it."""
    copy = interrupted(finished, tmp_path / "copy", without="-shm")
    fill(disk, leave=20_000)
    monkeypatch.setattr("tempfile.tempdir", str(disk))
    with read_only(copy), pytest.raises(PlaceError, match=f"{disk}: expected room on the disk"):
        verify(copy)
    assert [path.name for path in disk.iterdir()] == ["ballast"]


@pytest.mark.parametrize("journal", ["empty", "missing"])
def test_what_an_owner_without_a_journal_left_is_read(finished: Path, journal: str) -> None:
    """Shared memory beside no journal, or beside an empty one, keeps nobody from reading."""
    file = finished / FOLDER / "store.db"
    file.with_name("store.db-shm").write_bytes(b"\0" * 32768)
    if journal == "empty":
        file.with_name("store.db-wal").touch()
    with read_only(finished):
        assert verify(finished).faults == ()


def test_a_snapshot_is_one_where_only_reading_is_possible(finished: Path, tmp_path: Path) -> None:
    """While the owner writes, what is read inside comes from one moment, and later from another."""
    with (
        read_only(finished, at=tmp_path / "seen") as seen,
        open_store(finished) as owner,
    ):
        owner.append("clock", digest_json("two"))
        with open_store(seen, create=False) as store:
            assert store.backend.sealed
            with store.snapshot():
                before = len(store.ledger())
                owner.append("clock", digest_json("three"))
                assert len(store.ledger()) == before
            assert len(store.ledger()) == before + 1


def test_a_database_its_owner_writes_to_is_not_called_damaged(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read as one that nobody changes and changed all the same: that is said, and no corruption."""
    look = _Verifier.rows
    source = finished / micro.VOTES

    def meanwhile(verifier: _Verifier) -> None:
        source.write_text(source.read_text().replace("p1,s0,agree", "p1,s0,pass"))
        run(finished)
        look(verifier)

    with read_only(finished, at=tmp_path / "seen") as seen:
        with monkeypatch.context() as patch:
            patch.setattr(_Verifier, "rows", meanwhile)
            with pytest.raises(PlaceError, match="saw one that is being written to"):
                verify(seen)
        assert verify(seen).faults == ()


def test_damage_is_named_where_only_reading_is_possible(finished: Path) -> None:
    """What does not fit in a database that nobody touches is a fault there as anywhere."""
    micro.tamper(finished, "UPDATE votes SET at = 5 WHERE place = 0")
    with read_only(finished):
        assert [f.where.partition(": ")[2] for f in verify(finished).faults] == [
            "votes: row 0 of process micro"
        ]


def test_a_read_only_store_of_another_version_is_refused(finished: Path) -> None:
    """A schema that cannot be brought up to date there is said to be so."""
    import sqlite3

    with sqlite3.connect(finished / FOLDER / "store.db") as connection:
        connection.execute("DELETE FROM migrations WHERE seq = (SELECT max(seq) FROM migrations)")
    connection.close()
    with read_only(finished), pytest.raises(PlaceError, match=f"without {MIGRATIONS[-1].__name__}"):
        verify(finished)


@pytest.mark.parametrize(
    "name",
    [
        "normwright.yaml",
        "consultation",
        "consultation/votes.csv",
        "norms",
        FOLDER,
        f"{FOLDER}/store.db",
    ],
)
def test_what_may_not_be_read_is_one_fault(tmp_path: Path, name: str) -> None:
    """Without the right to a file or folder, a run ends in one fault that names it."""
    before = as_anybody()
    project = tmp_path / "micro"
    init(project, "micro")
    (project / FOLDER).mkdir()
    (project / FOLDER / "store.db").touch()
    (project / name).chmod(0)
    try:
        done = call("run", project, "--json", before=before)
    finally:
        (project / name).chmod(0o755)
    (fault,) = json.loads(done.stdout)["error"]["faults"]

    assert done.returncode == 1
    assert fault["where"].startswith(str(project / name))
    assert fault["seen"] == "permission denied"
    assert "chmod" in fault["do"]
    assert "Traceback" not in done.stderr


def test_an_object_that_may_not_be_read_is_a_fault(finished: Path) -> None:
    """`verify` names what it may not read and still checks the rest."""
    objects = finished / FOLDER / "objects"
    objects.chmod(0)
    try:
        done = call("verify", finished, "--json", before=as_anybody())
    finally:
        objects.chmod(0o755)
    found = json.loads(done.stdout)

    assert done.returncode == 1
    assert all(".normwright/objects" in fault["where"] for fault in found["faults"])
    assert found["faults"]
    assert found["checked"] > 30


def test_a_forbidden_place_takes_no_project(tmp_path: Path) -> None:
    """`init` where nothing may be written is one fault; where a file is in the way, another."""
    before = as_anybody()
    place = tmp_path / "theirs"
    place.mkdir(mode=0o555)
    (tmp_path / "file").touch()

    denied = call("init", place / "town", "--json", before=before)
    in_the_way = call("init", tmp_path / "file" / "town", "--json", before=before)
    too_long = call("init", tmp_path / ("x" * 300), "--json", before=before)
    for done, seen in (
        (denied, "permission denied"),
        (in_the_way, "a file in its place"),
        (too_long, "one that is too long"),
    ):
        (fault,) = json.loads(done.stdout)["error"]["faults"]
        assert (done.returncode, fault["seen"]) == (1, seen)
    assert os.listdir(place) == []
