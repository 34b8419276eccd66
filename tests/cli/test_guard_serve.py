"""`guard serve`: options that do not fit together are told before anything is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Call


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--reward", "x", "--reward-norm", "g.a"], "both or neither"),
        (["--reward", "x", "--reward-least", "0"], "both or neither"),
        (["--reward-label", "good"], "directory too"),
        (["--reward", "x", "--reward-reads", "all"], "segments, answer or template"),
        (["--best-of", "0"], "best-of"),
        (["--keep-days", "0"], "keep-days"),
    ],
)
def test_options_that_do_not_fit_are_usage_errors(
    call: Call, options: list[Any], told: str
) -> None:
    """Exit 2 with what to do; no port is bound and no model opened."""
    done = call("guard", "serve", "--port", 1, *options)

    assert done.code == 2
    assert told in " ".join(done.err.replace("│", " ").split())


@pytest.mark.parametrize("judge", ["https://me:secret@example.org/v1", "https://example.org/v1"])
def test_check_asks_no_judge_it_cannot_ask(call: Call, tmp_path: Path, judge: str) -> None:
    """Without a name, or with a secret in the address: one error, and the secret is in none."""
    lines = tmp_path / "in.jsonl"
    lines.write_text('{"id": 1, "text": "x"}\n')
    done = call("guard", "check", "--input", lines, "--judge", judge, "--json")

    assert done.code == 1
    assert "secret" not in done.out + done.err
