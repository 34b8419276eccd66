"""What a run says it will take: every step when new, nothing when done, else earlier times."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from normwright import flow
from normwright.flow import Forecast
from normwright.flow.stages import steps
from normwright.records import InputError
from normwright.store import FOLDER, Store

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A micro project nobody has run."""
    return flow.init(tmp_path / "fresh", "micro").directory


@pytest.fixture
def done(micro_project: Path, tmp_path: Path) -> Path:
    """A copy of the finished micro project."""
    return Path(shutil.copytree(micro_project, tmp_path / "done"))


def change(project: Path, old: str, new: str) -> None:
    """Change one setting of the project file."""
    file = project / flow.FILE
    text = file.read_text("utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")


def names(forecast: Forecast) -> list[str]:
    return [step.name for step in forecast.steps]


def high(forecast: Forecast, step: str) -> float:
    """The most a step is expected to take."""
    found = next(one.seconds for one in forecast.steps if one.name == step)
    assert found is not None
    return found[1]


def test_a_fresh_project_has_a_range_for_every_step(fresh: Path) -> None:
    """Every step is named, reckoned from settings, and the whole is the sum; nothing is written."""
    found = flow.forecast(fresh)

    assert names(found) == [step.name for step in steps(flow.load_project(fresh))]
    assert found.bases == ("model",)
    ranges = [step.seconds for step in found.steps if step.seconds is not None]
    assert len(ranges) == len(found.steps)
    assert all(0 < low < high for low, high in ranges)
    assert found.seconds == pytest.approx([sum(ends) for ends in zip(*ranges, strict=True)])
    assert found.memory_bytes is not None
    assert found.memory_bytes > 0
    assert found.disk_bytes is not None
    assert found.disk_bytes > 0
    assert not (fresh / FOLDER).exists()


def test_every_step_of_the_shipped_templates_is_known(tmp_path: Path) -> None:
    """No step of a template is without a range, `learn.control` included."""
    for name in flow.template_names():
        found = flow.forecast(flow.init(tmp_path / name, name).directory)
        assert [step.name for step in found.steps if step.seconds is None] == []


def test_a_larger_template_takes_more(tmp_path: Path) -> None:
    """What `town` takes is above what `micro` takes, in time, memory and disk."""
    small, large = (
        flow.forecast(flow.init(tmp_path / name, name).directory) for name in ("micro", "town")
    )

    assert large.seconds is not None
    assert small.seconds is not None
    assert large.seconds[1] > small.seconds[1]
    assert large.memory_bytes is not None
    assert small.memory_bytes is not None
    assert large.memory_bytes > small.memory_bytes
    assert large.disk_bytes is not None
    assert small.disk_bytes is not None
    assert large.disk_bytes > small.disk_bytes


def test_until_names_what_would_run(fresh: Path) -> None:
    """Only the steps up to the last one count; an unknown step is an error."""
    assert names(flow.forecast(fresh, "charter")) == ["elicit", "aggregate", "charter"]
    with pytest.raises(InputError, match="charter"):
        flow.forecast(fresh, "chartr")


def torch_after(project: Path) -> tuple[list[str], list[str]]:
    """The steps a forecast names in a process of its own, and the heavy modules it loaded."""
    code = (
        "import sys, json\nfrom pathlib import Path\nfrom normwright import flow\n"
        "found = flow.forecast(Path(sys.argv[1]))\n"
        "print(json.dumps([[s.name for s in found.steps],"
        " [m for m in ('torch', 'sklearn', 'transformers') if m in sys.modules]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(project)], capture_output=True, text=True, check=True
    )
    steps, heavy = json.loads(done.stdout)
    return steps, heavy


def test_a_finished_project_has_nothing_to_do(done: Path) -> None:
    """After a run nothing would run, and to say so loads no torch and no scikit-learn."""
    found = flow.forecast(done)

    assert found == Forecast((), (0.0, 0.0), 0, 0, 0)
    assert torch_after(done) == ([], [])


def test_one_setting_changed_names_what_depends_on_it(done: Path) -> None:
    """Only dependent steps are named, each from the time it took before, without a probe."""
    change(done, "prefer: {epochs: 1,", "prefer: {epochs: 2,")
    found = flow.forecast(done)

    assert names(found) == ["learn.prefer", "evaluate", "redteam", "release"]
    assert found.bases == ("earlier",)
    assert torch_after(done) == (names(found), [])
    with Store.open(done, create=False) as store:
        took = {result.stage: result.seconds for result in store.results()}
    for step in found.steps:
        assert step.seconds is not None
        if step.name != "learn.prefer":
            assert step.seconds[0] < took[step.name] < step.seconds[1]


def test_an_earlier_time_grows_with_the_work(done: Path) -> None:
    """Ten times the epochs are expected to take longer than two, and two longer than it took."""
    change(done, "prefer: {epochs: 1,", "prefer: {epochs: 2,")
    twice = flow.forecast(done)
    change(done, "prefer: {epochs: 2,", "prefer: {epochs: 1000,")
    often = flow.forecast(done)

    assert high(often, "learn.prefer") > high(twice, "learn.prefer")
    assert high(often, "evaluate") == high(twice, "evaluate")


def test_what_was_lost_is_to_be_made_again(done: Path) -> None:
    """A result whose object is gone does not count, neither here nor for `status`."""
    with Store.open(done, create=False) as store:
        judge = next(result for result in store.results() if result.stage == "judge")
        store.objects.path(judge.objects[0]).unlink()

    assert "judge" in names(flow.forecast(done))
    assert {s.name: s.state for s in flow.status(done).stages}["judge"] == "waiting"


def test_a_model_that_cannot_be_read_is_unknown(fresh: Path) -> None:
    """Weights that are not here are no number: their steps and the whole are unknown."""
    model = fresh / "model"
    model.mkdir()
    (model / "config.json").write_text('{"model_type": "llama"}')
    (model / "tokenizer.json").write_text("{}")
    (model / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")
    change(fresh, "kind: scratch", "kind: local\n  path: model")
    found = flow.forecast(fresh)

    unknown = [step.name for step in found.steps if step.seconds is None]
    assert unknown == [
        *("learn.base", "learn.sft", "learn.reward", "learn.prefer", "evaluate", "redteam")
    ]
    assert {step.basis for step in found.steps if step.name in unknown} == {"unknown"}
    assert (found.seconds, found.memory_bytes, found.disk_bytes) == (None, None, None)


def test_broken_scenes_are_told_by_the_step_that_reads_them(fresh: Path) -> None:
    """A forecast does not fail where a run would still get somewhere; it says unknown."""
    (fresh / "scenes/look-up.yaml").write_text("schema: [", encoding="utf-8")
    found = flow.forecast(fresh)

    assert found.seconds is None
    assert found.steps[0].seconds is not None


def test_a_disk_that_is_too_small_is_said_before_anything_is_written(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One error with what is needed, what is there and what to do; the project is as it was."""
    before = sorted(path for path in fresh.rglob("*"))
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(10**9, 10**9 - 1000, 1000))
    with pytest.raises(InputError) as raised:
        flow.run(fresh)

    (fault,) = raised.value.faults
    assert "MB free" in fault.expected
    assert fault.seen == "0 MB"
    assert "--until" in fault.do
    assert sorted(path for path in fresh.rglob("*")) == before


def test_a_run_foresees_before_its_first_step(fresh: Path) -> None:
    """The forecast comes once, before any event, and speaks of the steps that then run."""
    heard: list[object] = []
    flow.run(fresh, until="elicit", watch=heard.append, foresee=heard.append)

    assert isinstance(heard[0], Forecast)
    assert names(heard[0]) == ["elicit"]
    assert [type(one) for one in heard].count(Forecast) == 1
    assert len(heard) > 1
