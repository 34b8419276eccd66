"""Whatever a step is computed in, parts or processes, every recipe trains the same model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.learn.alone import RECIPES, train

from normwright.models.tuning.processes import launch
from normwright.records import InputError

ADDED = sorted(set(RECIPES) - {"kto"})
"""Recipes whose loss is a sum over rows; KTO compares rows of a batch with each other."""


def apart(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """The farthest that two weights of the same name lie apart.

    The bias of a key, or of a head, adds the same to all that is compared, so that its gradient is
    rounding alone.
    """
    return max(
        float((part - other[name]).abs().max())
        for name, part in one.items()
        if not name.endswith(("key.bias", "classifier.bias"))
    )


@pytest.mark.parametrize("recipe", ["sft", "soft", "pooled"])
def test_parts_of_a_step_add_up(recipe: str) -> None:
    """Two rows at once of five, of unequal lengths and weights: the model of whole steps."""
    check(recipe, train(recipe, steps=3), train(recipe, steps=3, per_device=2))


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ADDED)
def test_parts_of_a_step_add_up_in_every_recipe(recipe: str) -> None:
    """As above, over more steps, in all recipes."""
    check(recipe, train(recipe), train(recipe, per_device=2))


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ADDED)
def test_two_processes_train_the_model_that_one_trains(recipe: str, tmp_path: Path) -> None:
    """Over gloo, three rows on one and two on the other in each step."""
    told = {"recipe": recipe, "out": str(tmp_path / "two.pt"), "workdir": str(tmp_path)}
    code = launch("tests.learn.alone", [json.dumps(told)], processes=2)
    two = torch.load(tmp_path / "two.pt", weights_only=True)

    assert code == 0
    check(recipe, train(recipe), (two["weights"], two["metrics"]))


def check(recipe: str, one: Any, other: Any) -> None:
    """Losses within 1e-5 of each other, weights within 1e-4, far less than training moved them.

    Sums in another order differ in the last digit, which Adam's division magnifies where a gradient
    vanishes.
    """
    still, _ = train(recipe, steps=1)
    assert other[1]["first_loss"] == pytest.approx(one[1]["first_loss"], abs=1e-5)
    assert other[1]["last_loss"] == pytest.approx(one[1]["last_loss"], abs=1e-5)
    assert apart(one[0], other[0]) < 1e-4
    assert apart(one[0], still) > 5e-4


def test_kto_refuses_parts() -> None:
    """It would be another loss, so it is refused in words."""
    with pytest.raises(InputError, match="takes a whole batch at once"):
        train("kto", per_device=2)
