"""The plan of a project: every step's key follows the code that makes it, and no other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from normwright import flow
from normwright.flow import stages
from normwright.flow.engine import Step
from normwright.flow.stages import steps

HOUSE = Path(stages.__file__).parent


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    """The steps of a new project that trains a control too."""
    directory = tmp_path_factory.mktemp("plan") / "micro"
    flow.init(directory, "micro")
    project = flow.load_project(directory)
    settings = project.settings.model_copy(update={"controls": ("random-init",)})

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


def test_a_key_names_the_code_that_makes_the_step_and_no_other(planned: list[Step]) -> None:
    """Each step names the module its function stands in and all that one draws on."""
    made_in = {s.name: s.run.func.__module__.removeprefix("normwright.") for s in planned}  # type: ignore[attr-defined]

    assert {s.name: own(s) for s in planned} == {n: drawn_on(m) for n, m in made_in.items()}


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
