"""What no kept result speaks of goes, what anything speaks of stays, and the books say so."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.disks import small_disk
from tests.flow import crash, micro
from tests.flow.test_disks import fill

from normwright.flow import RunReport, Step, locked, run_steps, status_of, trace, verify
from normwright.flow.compare import RunName, compare
from normwright.flow.gc import Collection, collect_of
from normwright.records import InputError, Process
from normwright.store import FOLDER, Store


def run(project: Path, rows: int, *, until: str | None = None) -> RunReport:
    """Run the micro project with so many rows of data."""
    return run_steps(project, micro.steps(project, rows=rows), seed=micro.SEED, until=until)


def collect(project: Path, rows: int, *, keep: int = 1, remove: bool = True) -> Collection:
    """Collect in the micro project, as its settings stand."""
    steps = micro.steps(project, rows=rows)
    return collect_of(project, steps, seed=micro.SEED, keep_runs=keep, remove=remove)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that was run three times, each time with other data."""
    made = micro.write_project(tmp_path / "micro")
    for rows in (5, 6, 7):
        run(made, rows)
    return made


def objects(project: Path) -> set[str]:
    with Store.open(project) as store:
        return set(store.objects)


def test_only_what_the_last_run_rests_on_is_kept(project: Path) -> None:
    """Older results go with their records and objects; what is kept verifies, and is skipped."""
    last = run(project, 7)
    before = verify(project).checked
    found = collect(project, 7)

    assert found.done
    assert {one.stage for one in found.waste.results} == {
        "learn.data", "learn.sft", "evaluate", "release"
    }  # fmt: skip
    assert len(found.waste.results) == 8
    assert found.waste.runs == (1, 2)
    assert found.waste.objects
    assert found.after_bytes is not None
    assert found.after_bytes < found.before_bytes
    after = verify(project)
    assert after.faults == ()
    assert after.checked < before
    assert all(line.skipped for line in run(project, 7).stages)
    assert trace(project, last.stages[-1].made[-1]).roots


def test_looking_removes_nothing(project: Path) -> None:
    """Unless asked to remove, what would go is said, and not a byte is changed."""
    files = {p: p.read_bytes() for p in (project / FOLDER).rglob("*") if p.is_file()}
    found = collect(project, 7, remove=False)

    assert not found.done
    assert found.after_bytes is None
    assert found.waste.objects
    same = {p: p.read_bytes() for p in (project / FOLDER).rglob("*") if p.is_file()}
    assert {p.name for p in same} == {p.name for p in files}
    assert all(same[p] == data for p, data in files.items() if p.name != "store.db-shm")
    assert collect(project, 7).waste == found.waste


def test_a_second_time_there_is_nothing(project: Path) -> None:
    """What was let go once is not let go again, and the ledger has one entry for each result."""
    first = collect(project, 7).waste
    again = collect(project, 7).waste
    with Store.open(project) as store:
        told = [entry.kind for entry in store.ledger()]

    assert (again.results, again.records, again.objects, again.runs) == ((), (), (), ())
    assert told.count("gc") == len(first.results)


def test_what_was_let_go_can_be_made_again(project: Path) -> None:
    """Going back to old settings makes the results anew, under the same keys, and it verifies."""
    collect(project, 7)
    report = run(project, 5)

    assert [line.name for line in report.stages if not line.skipped] == [
        "learn.data", "learn.sft", "evaluate", "release"
    ]  # fmt: skip
    assert verify(project).faults == ()


def test_a_result_removed_after_it_was_made_again_is_missed(project: Path) -> None:
    """An old entry that let a result go is no excuse for one that was made again since."""
    collect(project, 7)
    run(project, 5)
    with sqlite3.connect(project / FOLDER / "store.db") as connection:
        connection.execute("DELETE FROM results WHERE rowid = (SELECT max(rowid) FROM results)")
    connection.close()

    assert any("result" in fault.where for fault in verify(project).faults)


def test_more_runs_can_be_kept_and_compared(project: Path) -> None:
    """The runs that are kept can be compared as before; the others are said to be gone."""
    collect(project, 7, keep=2)

    kept = compare(RunName(project, 2), RunName(project, 3))
    assert [(cause.name, cause.before, cause.after) for cause in kept.why] == [("rows", 6, 7)]
    with pytest.raises(InputError, match="run 1: expected one of 2, 3, saw 1"):
        compare(RunName(project, 1), RunName(project, 3))


def test_a_run_that_stopped_early_keeps_what_it_rests_on(project: Path) -> None:
    """After a run that ended at an early step, the verdict of the one before is kept whole."""
    verdict = run(project, 7).stages[-1].made[-1]
    run(project, 7, until="aggregate")
    collect(project, 7)

    assert trace(project, verdict).tree["kind"] == "Verdict"
    assert verify(project).faults == ()
    assert all(line.skipped for line in run(project, 7).stages)


def test_what_the_present_settings_would_skip_is_kept(project: Path) -> None:
    """Results of an old run to which the project file has gone back are not thrown away."""
    collect(project, 6)

    assert all(line.skipped for line in run(project, 6).stages)
    assert verify(project).faults == ()


def test_a_step_off_the_way_to_the_verdict(tmp_path: Path) -> None:
    """A result on which nothing rests is kept with the run that reached it."""
    project = micro.write_project(tmp_path / "micro")
    steps = micro.steps(project)

    def aside(rows: int) -> Step:
        return Step("aside", lambda ctx: [ctx.put_bytes(b"a" * rows)], parameters={"rows": rows})

    run_steps(project, [aside(1), *steps], seed=micro.SEED)
    run_steps(project, [aside(2), *steps], seed=micro.SEED, until="aside")
    collect_of(project, [aside(2), *steps], seed=micro.SEED, remove=True)

    assert verify(project).faults == ()
    assert run_steps(project, [aside(1), *steps], seed=micro.SEED).stages[0].skipped


def test_what_other_tables_name_is_kept(project: Path) -> None:
    """A record and an object that a table of its own names, in whatever spelling, stay."""
    with Store.open(project) as store:
        old = next(
            one
            for one in store.results()
            if one.stage == "learn.data" and one.parameters["rows"] == 5
        )
        content = old.objects[0]
    with sqlite3.connect(project / FOLDER / "store.db") as connection:
        connection.execute("CREATE TABLE notices (payload TEXT, statement TEXT)")
        statement = json.dumps({"subject": [{"digest": {"sha256": content[7:]}}]})
        connection.execute("INSERT INTO notices VALUES (?, ?)", (old.made[0], statement))
    connection.close()
    collect(project, 7)
    with Store.open(project) as store:
        assert store.stored([old.made[0]])
        assert store.objects.exists(content)
    assert verify(project).faults == ()


def test_records_that_no_step_made_are_kept(project: Path) -> None:
    """Whatever was written down beside the steps stays, with all that it mentions."""
    with Store.open(project) as store:
        old = next(one for one in store.results() if one.parameters.get("rows") == 5).made[0]
        note = Process(
            id="n", kind="simulated", title={"en": "A note"}, seed=1, derived_from=(old,)
        )
        (digest,) = store.put_records("elsewhere", [note])
    collect(project, 7)
    with Store.open(project) as store:
        assert set(store.stored([digest, old])) == {digest, old}
    assert verify(project).faults == ()


def test_leftovers_go_but_not_what_a_run_resumes_from(project: Path) -> None:
    """Scratch of killed runs and half-written files go; that of the step to come stays."""
    from normwright.flow.engine import plan_step
    from normwright.flow.status import standing

    steps = micro.steps(project, rows=8)
    with Store.open(project) as store:
        results = standing(store, steps, seed=micro.SEED)
        key = plan_step(steps[2], results=results, seed=micro.SEED).key.removeprefix("sha256:")
    for place in (f"work/{key}/state", "work/0abc/state", "objects/incoming/tmp1"):
        (project / FOLDER / place).parent.mkdir(parents=True, exist_ok=True)
        (project / FOLDER / place).write_bytes(b"x" * 10)
    (project / "out/.incoming-1").write_bytes(b"x")
    found = collect(project, 8)

    assert found.waste.leftovers == (
        f"{FOLDER}/objects/incoming/tmp1", f"{FOLDER}/work/0abc", "out/.incoming-1"
    )  # fmt: skip
    assert found.waste.leftover_bytes == 21
    assert (project / FOLDER / f"work/{key}/state").is_file()
    assert not (project / FOLDER / "work/0abc").exists()
    assert not (project / "out/.incoming-1").exists()


def test_it_waits_for_nobody_and_disturbs_nobody(project: Path) -> None:
    """While a run holds the lock, looking works and removing is refused."""
    with locked(project):
        assert collect(project, 7, remove=False).waste.objects
        with pytest.raises(InputError, match="no other run in this project"):
            collect(project, 7)


def test_a_project_that_was_never_run_is_told(tmp_path: Path) -> None:
    """There is nothing to collect, and nothing is made by asking."""
    project = micro.write_project(tmp_path / "micro")
    for remove in (False, True):
        with pytest.raises(InputError, match="normwright run"):
            collect(project, 5, remove=remove)

    assert not (project / FOLDER).exists()


def test_a_clock_before_the_ledger_removes_nothing(project: Path) -> None:
    """What is let go is dated in the ledger, so a clock that stands before it stops all."""
    before = objects(project)
    with pytest.raises(InputError, match="the clock of this machine"):
        collect_of(
            project,
            micro.steps(project, rows=7),
            seed=micro.SEED,
            remove=True,
            now=lambda: datetime(2025, 6, 1, tzinfo=UTC),
        )

    assert objects(project) == before


def test_a_full_disk_is_helped(tmp_path: Path) -> None:
    """On a disk with hardly any room, what nothing mentions makes the room that the books need."""
    with small_disk(tmp_path / "disk", size="6m") as disk:
        project = micro.write_project(disk / "micro")
        run(project, 5)
        run(project, 6)
        with Store.open(project) as store:
            store.objects.put_bytes(b"a step that failed" * 50_000)
        fill(disk, leave=100_000)
        found = collect(project, 6)

        assert found.done
        assert len(found.waste.results) == 4
        assert verify(project).faults == ()


def test_killed_anywhere_it_verifies_and_goes_on(tmp_path: Path) -> None:
    """Killed at each of its durable acts the project is whole, and the same command finishes."""
    done = subprocess.run(
        [sys.executable, crash.__file__, "collect", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)

    assert told["killed"] > 8
    assert told["faults"] == []
    assert told["kept"] == 1


@settings(
    max_examples=5,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 3),
            st.sampled_from(["elicit", "learn.data", "learn.sft", "evaluate", None]),
            st.sampled_from([0, 1, 2]),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_whatever_was_run_it_verifies_and_nothing_that_stood_is_lost(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[int, str | None, int]]
) -> None:
    """Runs of any settings and length, with collections between: what stood before stands after."""
    project = micro.write_project(tmp_path_factory.mktemp("gc") / "micro")
    for rows, until, keep in acts:
        run(project, rows, until=until)
        steps = micro.steps(project, rows=rows)
        before = status_of(project, steps, seed=micro.SEED)
        if keep:
            collect(project, rows, keep=keep)
        assert status_of(project, steps, seed=micro.SEED) == before
        assert verify(project).faults == ()
        made = [digest for stage in before.stages for digest in stage.made]
        assert trace(project, made[-1]).tree
