"""Steps are skipped by key, resumed after any death, and end at the same digests."""

from __future__ import annotations

import fcntl
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.flow import micro

from normwright.flow import (
    Context,
    Event,
    RunReport,
    Step,
    StepDone,
    StepProgress,
    StepSkipped,
    StepStarted,
    code_digest,
    open_store,
    publish,
    run_steps,
    status_of,
    verify,
)
from normwright.flow.engine import plan_step
from normwright.records import InputError, IntegrityError, Outcome, Polity, Record, digest_json
from normwright.store import FOLDER, Address

CRASH = Path(__file__).parent / "crash.py"


@pytest.fixture
def project(tmp_path: Path, address: Address | None) -> Path:
    return micro.write_project(tmp_path / "micro", address)


def run(
    project: Path, *, until: str | None = None, seed: int = micro.SEED, **extra: Any
) -> RunReport:
    return run_steps(project, micro.steps(project, **extra), seed=seed, until=until)


def made(report: RunReport) -> dict[str, tuple[str, ...]]:
    return {line.name: line.made for line in report.stages}


def skipped(report: RunReport) -> list[str]:
    return [line.name for line in report.stages if line.skipped]


def names(project: Path) -> list[str]:
    return [step.name for step in micro.steps(project)]


def test_a_run_reports_what_it_made(project: Path) -> None:
    """A run gives the verdict by mode and, for each step, time, whether skipped, and digests."""
    report = run(project)
    told = json.loads(json.dumps(report.as_json()))

    assert told["verdicts"] == {"internal": "HOLD"}
    assert [stage["name"] for stage in told["stages"]] == names(project)
    assert all(stage.keys() == {"name", "seconds", "skipped", "made"} for stage in told["stages"])
    assert all(stage["made"] and not stage["skipped"] for stage in told["stages"])
    assert told["report"] is None
    assert json.loads((project / "out/verdict.json").read_text())["modes"][0]["verdict"] == "HOLD"
    assert (project / "out/model/deep/config.json").is_file()
    assert not (project / FOLDER / "work").exists()


def test_a_second_run_skips_everything(project: Path) -> None:
    """With nothing changed, every step is skipped, says so, and the digests are the same."""
    first = run(project)
    events: list[Event] = []
    second = run_steps(project, micro.steps(project), seed=micro.SEED, watch=events.append)

    assert made(second) == made(first)
    assert skipped(second) == names(project)
    assert second.verdicts == first.verdicts
    assert [type(event) for event in events] == [StepSkipped] * 6


def test_two_projects_of_one_content_end_at_the_same_digests(tmp_path: Path) -> None:
    """Same sources, same seed: same digests, wherever the project lies."""
    one = run(micro.write_project(tmp_path / "a"))
    other = run(micro.write_project(tmp_path / "b"))

    assert made(one) == made(other)


def test_events_tell_the_story(project: Path) -> None:
    """Whoever watches hears each step start, come along and end, in order, with its place."""
    events: list[Event] = []
    run_steps(project, micro.steps(project), seed=1, watch=events.append, until="learn.data")

    assert [type(event) for event in events if not isinstance(event, StepProgress)] == [
        StepStarted,
        StepDone,
    ] * 3
    assert [e for e in events if isinstance(e, StepProgress)] == [
        StepProgress("learn.data", number, 5, "rows") for number in range(1, 6)
    ]
    assert events[0] == StepStarted("elicit", 1, 3)


@pytest.mark.parametrize(
    ("change", "first"),
    [
        ("vote", "elicit"),
        ("parameter", "learn.data"),
        ("input", "learn.sft"),
        ("seed", "elicit"),
        ("code", "aggregate"),
    ],
)
def test_what_changes_is_made_again_from_there(
    project: Path, monkeypatch: pytest.MonkeyPatch, change: str, first: str
) -> None:
    """A changed source, parameter, input, seed or code redoes its step and what depends on it."""
    run(project)
    seed, steps = micro.SEED, list(micro.steps(project))
    match change:
        case "vote":
            text = (project / micro.VOTES).read_text()
            (project / micro.VOTES).write_text(text.replace("p1,s0,agree", "p1,s0,pass"))
            steps = list(micro.steps(project))
        case "parameter":
            steps = list(micro.steps(project, rows=6))
        case "input":
            steps[3] = replace(steps[3], inputs={"base": digest_json("another base")})
        case "seed":
            seed += 1
        case "code":
            monkeypatch.setattr(
                "normwright.flow.engine.code_digest",
                lambda rooms: digest_json("edited") if "stats" in rooms else code_digest(rooms),
            )
    report = run_steps(project, steps, seed=seed)
    redone = [line.name for line in report.stages if not line.skipped]

    before = names(project)[: names(project).index(first)]
    assert redone[0] == first
    assert skipped(report)[: len(before)] == before
    # The micro model and its outcome do not depend on what changed here, so the rest stands.
    assert (len(redone) == 1) == (change in ("input", "code"))


def test_a_change_without_consequence_stops_there(project: Path) -> None:
    """If a step made again makes the same, what rests on it is skipped."""
    run(project)
    steps = list(micro.steps(project))
    steps[1] = replace(steps[1], parameters={"comment": "changes the key, not the outcome"})
    report = run_steps(project, steps, seed=micro.SEED)

    assert [line.name for line in report.stages if not line.skipped] == ["aggregate"]


def test_returning_to_old_settings_finds_the_old_results(project: Path) -> None:
    """Results stand under their keys: going back to earlier settings skips everything."""
    first = run(project)
    run(project, rows=7)
    back = run(project)

    assert skipped(back) == names(project)
    assert made(back) == made(first)


def test_returning_to_old_settings_is_watched_over(project: Path) -> None:
    """The files of a result that stands again are those that `verify` expects."""
    for rows in (5, 6, 5):
        run_steps(project, micro.steps(project, rows=rows), seed=micro.SEED)

    assert verify(project).faults == ()


def test_until_stops_after_the_named_step(project: Path) -> None:
    """`until` runs up to and with a step; an unknown one is refused with the nearest name."""
    report = run(project, until="aggregate")

    assert [line.name for line in report.stages] == ["elicit", "aggregate"]
    assert report.verdicts == {}
    with pytest.raises(InputError, match=r"Nearest: aggregate\."):
        run(project, until="agregate")


def test_status_says_what_the_next_run_would_skip(project: Path) -> None:
    """Status knows which results count, before and after a change, without running anything."""
    steps = micro.steps(project)
    before = status_of(project, steps, seed=micro.SEED)
    run(project, until="learn.sft")
    half = status_of(project, steps, seed=micro.SEED)
    run(project)
    done = status_of(project, steps, seed=micro.SEED).as_json()
    changed = status_of(project, micro.steps(project, rows=9), seed=micro.SEED)

    assert [stage.state for stage in before.stages] == ["waiting"] * 6
    assert [stage.state for stage in half.stages] == ["done"] * 4 + ["waiting"] * 2
    assert {stage["state"] for stage in done["stages"]} == {"done"}
    assert done["verdicts"] == {"internal": "HOLD"}
    assert [stage.state for stage in changed.stages] == ["done"] * 2 + ["waiting"] * 4
    assert not (project / "nowhere").exists()


def test_a_failed_step_leaves_nothing_visible(project: Path) -> None:
    """A step that fails stores no record, row or export; the steps before it stand."""
    steps = list(micro.steps(project))

    def broken(ctx: Context) -> Iterator[Record]:
        ctx.export("out/half.txt", b"half")
        yield Polity(id="half", name={"en": "Half"}, layer="polity")
        raise InputError([])

    steps[2] = replace(steps[2], run=broken)
    with pytest.raises(InputError):
        run_steps(project, steps, seed=micro.SEED)
    with open_store(project, create=False) as store:
        kinds = {stored.kind for stored in store.all_stored()}
        results = {result.stage for result in store.results()}

    assert kinds == {"Process", "Consultation", "Outcome", "Decision"}
    assert results == {"elicit", "aggregate"}
    assert not (project / "out/half.txt").exists()


def test_lost_or_changed_exports_are_written_again(project: Path) -> None:
    """A file for people that is gone or changed comes back on the next run, which says so."""
    run(project)
    (project / "out/verdict.json").unlink()
    (project / "out/model/model.safetensors").write_bytes(b"changed")
    events: list[Event] = []
    run_steps(project, micro.steps(project), seed=micro.SEED, watch=events.append)
    restored = [event.restored for event in events if isinstance(event, StepSkipped)]

    assert [files for files in restored if files] == [
        ("out/model/model.safetensors",),
        ("out/verdict.json",),
    ]
    assert verify(project).faults == ()


def test_a_result_whose_objects_are_gone_is_made_again(project: Path) -> None:
    """A step is not skipped when the weights it made have been lost."""
    report = run(project)
    with open_store(project) as store:
        sft = next(result for result in store.results() if result.stage == "learn.sft")
        store.objects.path(sft.objects[-1]).unlink()
    again = run(project)

    assert [line.name for line in again.stages if not line.skipped] == ["learn.sft"]
    assert made(again) == made(report)
    assert verify(project).faults == ()


def test_a_step_may_only_read_what_its_key_covers(project: Path) -> None:
    """Reading a step that is not named in `after` is refused: its changes would go unseen."""
    steps = list(micro.steps(project))
    steps[2] = replace(steps[2], run=lambda ctx: [ctx.one("elicit", Outcome)])
    with pytest.raises(KeyError, match="without naming it in `after`"):
        run_steps(project, steps, seed=1)


def test_a_digest_of_nothing_is_refused(project: Path) -> None:
    """A step that returns a digest it never stored is an error, and has no result."""
    steps = [Step("elicit", lambda ctx: [digest_json("air")])]
    with pytest.raises(IntegrityError, match="stored no such thing"):
        run_steps(project, steps, seed=1)


def test_steps_out_of_order_are_refused(project: Path) -> None:
    """A step before the one it follows, or twice, is a mistake of the caller."""
    steps = micro.steps(project)
    with pytest.raises(ValueError, match="comes before elicit"):
        run_steps(project, steps[1:], seed=1)
    with pytest.raises(ValueError, match="two steps are called elicit"):
        run_steps(project, (steps[0], *steps), seed=1)


@pytest.mark.parametrize("path", ["../out.txt", "/tmp/out.txt", ".normwright/store.db", ""])
def test_files_for_people_stay_in_the_project(project: Path, path: str) -> None:
    """Neither a step nor a publisher writes outside the project or into its store."""
    steps = [Step("elicit", lambda ctx: [ctx.export(path, b"x")])]
    with pytest.raises(ValueError, match="not a place"):
        run_steps(project, steps, seed=1)
    with pytest.raises(ValueError, match="not a place"):
        publish(project, {path: b"x"})


def test_what_is_published_is_watched_over(project: Path) -> None:
    """A report drawn after the run is named by the next run and verified like the rest."""
    run(project)
    publish(project, {"out/report.html": b"<html>"})
    report = run(project)
    (project / "out/report.html").write_bytes(b"<html >")

    assert report.report == "out/report.html"
    assert [fault.where for fault in verify(project).faults] == ["out/report.html"]


def test_the_key_names_every_part(project: Path) -> None:
    """Name, files, inputs, parameters, code and seed each change the key; their order does not."""
    step = Step(
        "a", micro.data, files={"f": "1", "g": "2"}, inputs={"i": "1"}, parameters={"p": 1, "q": 2}
    )

    def key(one: Step, seed: int = 1) -> str:
        return plan_step(one, results={}, seed=seed).key

    changed = {
        key(replace(step, name="b")),
        key(replace(step, files={"f": "1", "g": "3"})),
        key(replace(step, inputs={"i": "2"})),
        key(replace(step, parameters={"p": 1, "q": 3})),
        key(replace(step, rooms=("stats",))),
        key(step, seed=2),
    }

    assert len(changed | {key(step)}) == 7
    assert key(replace(step, parameters={"q": 2, "p": 1.0}, files={"g": "2", "f": "1"})) == key(
        step
    )


# One run at a time


def test_a_second_run_at_the_same_time_is_refused(project: Path) -> None:
    """While one run holds the lock, another is told which process is at work."""
    seen: list[str] = []

    def nosy(ctx: Context) -> Iterator[Record]:
        with pytest.raises(InputError, match=f"process {os.getpid()} at work") as caught:
            run(project)
        seen.append(caught.value.faults[0].where)
        yield Polity(id="v", name={"en": "V"}, layer="polity")

    run_steps(project, [Step("elicit", nosy)], seed=1)

    assert seen == [str(project / FOLDER / "lock")]


def test_the_lock_of_a_dead_run_does_not_block(project: Path) -> None:
    """A lock file left behind, even with the number of a living process, means nothing."""
    (project / FOLDER).mkdir()
    (project / FOLDER / "lock").write_text(str(os.getpid()))

    assert run(project).verdicts == {"internal": "HOLD"}


# Death


def test_killed_anywhere_it_resumes_to_the_same_end(tmp_path: Path) -> None:
    """Killed with SIGKILL at each of many points of writing, the next run ends at the same digests.

    The points are every call that makes something durable: flush, rename, commit. After each
    death the store must hold no fault before the run goes on.
    """
    done = subprocess.run(
        [sys.executable, str(CRASH), "sweep", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)

    assert told["points"] >= 15
    assert told["killed"] == told["points"]
    assert told["ends"] == [
        list(made(run(micro.write_project(tmp_path / "whole"))).values())[-1][-1]
    ]
    assert told["faults_after_death"] == []
    assert told["resumed_later_than_the_start"] > told["points"] / 2


def test_killed_from_outside_at_random_moments(tmp_path: Path, project: Path) -> None:
    """Killed by another process at random moments, again and again, it ends at the same digests.

    Wherever its store is: the whole run beside it keeps its own in a file.
    """
    moments = random.Random(5)
    for _ in range(3):
        worker = subprocess.Popen(
            [sys.executable, str(CRASH), "slow", str(project)], stdout=subprocess.PIPE
        )
        assert worker.stdout is not None
        worker.stdout.readline()  # it says when it begins
        time.sleep(moments.uniform(0.01, 0.25))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        worker.stdout.close()
    whole = run(micro.write_project(tmp_path / "whole"))

    assert made(run(project)) == made(whole)
    assert verify(project).faults == ()


def test_the_lock_is_free_after_a_kill(project: Path) -> None:
    """The lock of a process killed in the middle of a step is free at once."""
    worker = subprocess.Popen(
        [sys.executable, str(CRASH), "slow", str(project)], stdout=subprocess.PIPE
    )
    assert worker.stdout is not None
    worker.stdout.readline()
    while not (project / FOLDER / "work").exists():
        time.sleep(0.005)
    with (project / FOLDER / "lock").open() as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        worker.stdout.close()
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    assert run(project).verdicts == {"internal": "HOLD"}


def test_a_run_that_skips_all_is_fast_and_light(project: Path) -> None:
    """A whole process that skips every step loads no torch or scikit-learn, in well under 3 s.

    Its own processor time is what counts: the clock on the wall also measures the neighbours.
    """
    run(project)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, str(CRASH), "skip", str(project)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    told = json.loads(done.stdout)

    assert told["skipped"] == 6
    assert told["heavy"] == []
    assert seconds < 2.7
