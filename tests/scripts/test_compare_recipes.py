"""Recipes are compared by changing named settings, and nothing else."""

from __future__ import annotations

import pytest
from scripts.compare_recipes import change_setting


def test_a_dotted_name_sets_one_value() -> None:
    """A value is read as YAML, and its neighbours stay."""
    settings = {"learn": {"pairs": 1, "prefer": {"lr": 0.1, "batch": 8}}}
    change_setting(settings, "learn.prefer.lr", "3.0e-4")

    assert settings == {"learn": {"pairs": 1, "prefer": {"lr": 3e-4, "batch": 8}}}


@pytest.mark.parametrize("name", ["learn.prefers.lr", "learn.prefer.rate"])
def test_a_name_that_is_not_there_is_an_error(name: str) -> None:
    """A mistyped setting is not added as a new one: the recipe would be the old one."""
    with pytest.raises(KeyError):
        change_setting({"learn": {"prefer": {"lr": 0.1}}}, name, "1")
