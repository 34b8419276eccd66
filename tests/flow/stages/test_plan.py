"""The plan of a project: every step's key follows the code that makes it, and no other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from normwright import flow
from normwright.flow import stages
from normwright.flow.engine import Step
from normwright.flow.settings import ModelSettings
from normwright.flow.stages import steps
from normwright.models.endpoint import RemoteSettings

HOUSE = Path(stages.__file__).parent


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    """The steps of a new project that trains a control too."""
    directory = tmp_path_factory.mktemp("plan") / "micro"
    flow.init(directory, "micro")
    project = flow.load_project(directory)
    settings = project.settings.model_copy(update={"controls": ("random-init",)})

    return steps(flow.Project(directory, settings))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    """The steps of a new project whose model, and whose judge, are behind an API."""
    directory = tmp_path_factory.mktemp("plan") / "micro"
    flow.init(directory, "micro")
    project = flow.load_project(directory)
    model, judge = (RemoteSettings(url="https://h.example/v1", id=i) for i in ("model", "judge"))
    settings = project.settings.model_copy(
        update={
            "model": ModelSettings(kind="remote", remote=model),
            "evaluate": project.settings.evaluate.model_copy(update={"judge": judge}),
        }
    )
    return steps(flow.Project(directory, settings))


def own(step: Step) -> set[str]:
    """The modules of the house of steps that a step's key names."""
    return {room for room in step.rooms if room.startswith("flow.stages")}


def drawn_on(module: str) -> set[str]:
    """A module of the house and those of it that it imports, however deep."""
    found = {module}
    tree = ast.parse((HOUSE / f"{module.rsplit('.', 1)[1]}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(stages.__name__):
            found |= drawn_on(str(node.module).removeprefix("normwright."))
    return found


@pytest.mark.parametrize("plan", ["planned", "elsewhere"])
def test_a_key_names_the_code_that_makes_the_step_and_no_other(
    plan: str, request: pytest.FixtureRequest
) -> None:
    """Each step names the module its function stands in and all that one draws on."""
    made: list[Step] = request.getfixturevalue(plan)
    made_in = {s.name: s.run.func.__module__.removeprefix("normwright.") for s in made}  # type: ignore[attr-defined]

    assert {s.name: own(s) for s in made} == {n: drawn_on(m) for n, m in made_in.items()}


def test_a_model_behind_an_api_is_measured_and_not_trained(elsewhere: list[Step]) -> None:
    """No step trains, and none rests on one that does; the rest of the path is there."""
    names = [step.name for step in elsewhere]

    assert [n for n in names if n.startswith("learn.")] == ["learn.base"]
    assert {"charter", "guard", "judge", "evaluate", "redteam", "release"} <= set(names)
    assert {name for step in elsewhere for name in step.after} <= set(names)


def test_what_is_behind_an_api_needs_no_library_that_touches_weights(
    elsewhere: list[Step],
) -> None:
    """The core without torch measures a remote model: no step rests on the rooms that need it."""
    assert [s.name for s in elsewhere if {"learn", "models"} & set(s.rooms)] == []


def test_only_what_can_change_an_answer_is_in_the_key(elsewhere: list[Step]) -> None:
    """Address and model are; how patiently the endpoint is asked is not."""
    base = next(step for step in elsewhere if step.name == "learn.base")
    settings = RemoteSettings(url="https://h.example/v1", id="model", concurrency=9, retries=0)

    assert base.inputs == {"endpoint": settings.identity}
    assert base.parameters == {"kind": "remote"}


def test_an_edit_to_the_decision_trains_nothing(planned: list[Step]) -> None:
    """Only the release rests on how a release is decided, and it on nothing else here."""
    resting = [step for step in planned if "flow.stages.decision" in own(step)]

    assert [step.name for step in resting] == ["release"]
    assert own(resting[0]) == {"flow.stages.decision"}


def test_a_control_is_trained_only_where_it_is_asked_for(tmp_path: Path) -> None:
    """Without the control no step follows it; with it, evaluation does."""
    flow.init(tmp_path / "micro", "micro")
    project = flow.load_project(tmp_path / "micro")
    names = {}
    for controls in ((), ("random-init",)):
        settings = project.settings.model_copy(update={"controls": controls})
        plan = steps(flow.Project(project.directory, settings))
        names[controls] = {s.name for s in plan if "learn.control" in (s.name, *s.after)}

    assert names == {(): set(), ("random-init",): {"learn.control", "evaluate", "release"}}
