"""The approver for Inspect: named in an approval file, asked for every call, offline."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("inspect_ai")
# Inspect takes ten seconds to load and to end.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What became of the calls of three conversations with a scripted model."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.flow.inspected", str(tmp_path_factory.mktemp("inspect"))],
        cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONPATH": "."}, check=False,
        capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_budgets_hold_over_calls_and_every_call_has_its_event(told: dict[str, Any]) -> None:
    """Sixty of a hundred, then sixty more, then thirty: approved, rejected, approved."""
    assert told["budget"]["decisions"] == ["approve", "reject", "approve"]
    assert told["budget"]["results"] == ["spent 60", "spent 30"]
    assert all(told["budget"]["explanations"])


def test_flows_modifications_and_questions(told: dict[str, Any]) -> None:
    """Data that were read may not leave; another name of an argument is put right; erasing asks."""
    said = told["flow"]["explanations"][2]

    assert told["flow"]["decisions"] == ["modify", "approve", "reject", "reject"]
    assert "g.privacy.no-leak@1" in said
    assert "dados pessoais" in said


def test_what_somebody_has_to_agree_to_goes_to_the_next_approver(told: dict[str, Any]) -> None:
    """With nobody after it in the file, nobody agreed: the call is not made."""
    assert told["ask"]["decisions"] == ["escalate"]
    assert told["ask"]["results"] == []
