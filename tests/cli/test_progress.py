"""How far long work is: lines in a log, a bar on a terminal, nothing with `--json`."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from normwright.cli import progress


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A place to read what is told, on a terminal or in a log, and a clock that is set."""
    state: dict[str, Any] = {"out": io.StringIO(), "terminal": False, "now": 0.0}
    monkeypatch.setattr(
        progress, "console",
        lambda stderr: Console(file=state["out"], force_terminal=state["terminal"], width=90),
    )  # fmt: skip
    monkeypatch.setattr(progress, "monotonic", lambda: state["now"])
    return state


def test_a_log_has_a_line_now_and_then_and_the_last(seen: dict[str, Any]) -> None:
    """Ten seconds apart, and when all is done; never one a row."""
    with progress.counting("Working", quiet=False) as count:
        for done in range(1, 101):
            seen["now"] = done / 4
            count(done, 100, "rows")

    assert seen["out"].getvalue().splitlines() == [
        "rows (41/100)",
        "rows (82/100)",
        "rows (100/100)",
    ]


def test_nothing_is_told_where_json_is_asked_for(seen: dict[str, Any]) -> None:
    """The callback is there all the same, so that nobody has to ask."""
    with progress.counting("Working", quiet=True) as count:
        count(1, 1, "rows")

    assert seen["out"].getvalue() == ""


def test_a_terminal_has_a_bar(seen: dict[str, Any]) -> None:
    """It names the work, and how much of it is done."""
    seen["terminal"] = True
    with progress.counting("Working", quiet=False) as count:
        count(7, 7, "rows [of] text")
    shown = seen["out"].getvalue()

    assert "rows [of] text" in shown
    assert "7/7" in shown
