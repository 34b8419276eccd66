"""Importing is free: no deep-learning library, no heavy mathematics, no time to speak of."""

from __future__ import annotations

import importlib
import json
import pkgutil
import resource
import subprocess
import sys
from types import ModuleType

import pytest

import normwright

ROOMS = sorted(m.name for m in pkgutil.iter_modules(normwright.__path__))
HEAVY = ("torch", "transformers", "sklearn", "scipy")


def seconds(code: str) -> float:
    """Time a core spends on a fresh interpreter that runs `code`, start and end included.

    Time of a core, not of a clock on the wall: it says the same on a machine that is busy.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_import_adds_under_150_ms() -> None:
    """`import normwright` costs less than 150 ms over an empty interpreter (best of several)."""
    empty = min(seconds("pass") for _ in range(5))
    ours = min(seconds("import normwright") for _ in range(5))

    assert ours - empty < 0.150


def loaded_by(code: str) -> set[str]:
    """Names of the heavy libraries a fresh interpreter holds after running `code`."""
    probe = (
        f"{code}\nimport json, sys; print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", probe], check=True, timeout=60, capture_output=True, text=True
    )
    return set(json.loads(ran.stdout))


@pytest.mark.parametrize("room", ["", *(f".{r}" for r in ROOMS)])
def test_importing_a_room_loads_nothing_heavy(room: str) -> None:
    """Every room is imported without what is heavy, that of training too."""
    assert loaded_by(f"import normwright{room}") == set()


@pytest.mark.parametrize("room", ROOMS)
def test_public_names_are_listed(room: str) -> None:
    """Each room lists its public names, sorted, and each of them exists."""
    module = importlib.import_module(f"normwright.{room}")
    names = module.__all__

    assert names == sorted(names, key=_ruff_order)
    assert len(set(names)) == len(names)
    assert [n for n in names if not hasattr(module, n)] == []
    # A file of the same name would take a function's place, depending on what is imported first.
    assert [n for n in names if isinstance(getattr(module, n), ModuleType)] == []


def _ruff_order(name: str) -> tuple[int, str]:
    """Constants first, then classes, then functions: the order the linter keeps."""
    if name.isupper():
        return (0, name)
    return (1, name) if name[0].isupper() else (2, name)
