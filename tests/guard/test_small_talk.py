"""Everyday conversations, and tools as agents are given them: none may be stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from normwright.guard import Guard, read_exchange

TALK = Path(__file__).parents[2] / "scripts/acceptance/small_talk.yaml"


@pytest.fixture(scope="module")
def guard() -> Guard:
    """The guard that ships, with its classifier."""
    return Guard.embedded()


def turns(lang: str) -> Iterator[list[dict[str, str]]]:
    """Yield every conversation up to each turn of the user, and up to each answer."""
    for said in yaml.safe_load(TALK.read_text("utf-8"))[lang]:
        messages = [
            {"role": "assistant" if i % 2 else "user", "content": text}
            for i, text in enumerate(said)
        ]
        yield from (messages[: i + 1] for i in range(len(messages)))


@pytest.mark.parametrize("lang", ["en", "pt"])
def test_small_talk_passes(guard: Guard, lang: str) -> None:
    """Not one turn of ten conversations is stopped, by the user or by the assistant."""
    stopped = [
        (messages[-1]["content"], found.check, found.seen)
        for messages in turns(lang)
        if (found := guard.screen(read_exchange({"messages": messages}))).action != "allow"
    ]

    assert stopped == []


@pytest.mark.parametrize("tools", yaml.safe_load(TALK.read_text("utf-8"))["tools"])
def test_tools_may_be_called_what_they_are(guard: Guard, tools: dict[str, str]) -> None:
    """`kill` ends a process: a name of one word says nothing about people."""
    described: list[dict[str, Any]] = [
        {"type": "function", "function": {"name": name, "description": what,
         "parameters": {"type": "object", "properties": {}}}}
        for name, what in tools.items()
    ]  # fmt: skip
    body = {"messages": [{"role": "user", "content": "What can you do?"}], "tools": described}

    assert guard.screen(read_exchange(body)).action == "allow"
