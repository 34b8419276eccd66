"""The source's recipes: each is a project or the settings of a recipe, and its rows are read."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from tests.loading import load_script

from normwright.flow.learning import RECIPES
from normwright.flow.settings import ProjectSettings
from normwright.learn import read_instructions, read_preferences

AIRA = Path(__file__).parents[2] / "examples/aira"
MODELS = sorted(AIRA.glob("models/*.yaml"))
REWARDS = sorted(AIRA.glob("rewards/*.yaml"))


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """`prepare.py` as a module."""
    return load_script(AIRA / "prepare.py")


def test_there_are_twelve_models_and_six_reward_models() -> None:
    """As many as the source published."""
    assert (len(MODELS), len(REWARDS)) == (12, 6)


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_a_model_s_recipe_is_a_project(path: Path) -> None:
    """Every setting is one a project has, and nothing is trained under a permit nobody gave."""
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings = ProjectSettings.model_validate_json(json.dumps(raw))

    assert settings.id == path.stem
    assert settings.learn.unpermitted
    assert settings.learns


@pytest.mark.parametrize("path", REWARDS, ids=lambda p: p.stem)
def test_a_reward_model_s_recipe_is_settings(path: Path) -> None:
    """Every setting is one the recipe has."""
    RECIPES["reward"].settings.model_validate_json(
        json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")))
    )


def read(script: ModuleType, kind: str, row: dict[str, Any]) -> list[dict[str, Any]]:
    return list(script.READERS[kind]("f:1", row, {"lang": "en", "licence": "x"}))


def test_dialogues_of_both_published_forms_are_read(script: ModuleType, tmp_path: Path) -> None:
    """Prompt and completion, and several turns: one row an answer, with the turns before it."""
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
             {"from": "human", "value": "c"}, {"from": "gpt", "value": "d"}]  # fmt: skip
    rows = [
        *read(script, "dialogues", {"prompt": "p", "completion": "q"}),
        *read(script, "dialogues", {"conversations": turns}),
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    shown = read_instructions([path])

    assert [(tuple(m.content for m in d.prompt), d.completion) for d in shown] == [
        (("p",), "q"), (("a",), "b"), (("a", "b", "c"), "d"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "row", [{"harmless": "a", "harmful": "b"}, {"non_toxic": "a", "toxic": "b"}]
)
def test_harmful_texts_are_read_under_either_name(
    script: ModuleType, row: dict[str, str], tmp_path: Path
) -> None:
    """The published columns were renamed after the source's code was written; both are read."""
    path = tmp_path / "pairs.jsonl"
    made = read(script, "harmful", row)
    path.write_text(json.dumps(made[0]) + "\n", encoding="utf-8")
    (pair,) = read_preferences(path)

    assert (pair.chosen, pair.rejected) == ("a", "b")


def test_a_row_of_another_form_names_its_columns(script: ModuleType) -> None:
    """What was expected and which columns there are."""
    with pytest.raises(SystemExit, match=r"f:1.*chosen_response.*the columns are chosen"):
        read(script, "pairs", {"chosen": "x"})
