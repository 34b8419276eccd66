"""Greedy answers are given once; samples are drawn every time."""

from __future__ import annotations

from collections.abc import Sequence

from normwright.models import Remembered, ScriptedModel
from normwright.records import Message


def test_a_greedy_answer_is_asked_for_once() -> None:
    """Asked again, in another batch, the model is not called, and the answer is the same."""
    calls: list[str] = []

    def answer(prompt: Sequence[Message]) -> str:
        calls.append(prompt[-1].content)
        return f"{len(calls)}"

    model = Remembered(ScriptedModel("counting", answer))
    one, two = ([Message(role="user", content=c)] for c in ("one", "two"))
    first = model.generate([one, two])
    again = model.generate([two, one, two])

    assert calls == ["one", "two"]
    assert first == [["1"], ["2"]]
    assert again == [["2"], ["1"], ["2"]]


def test_another_length_or_a_sample_is_another_question() -> None:
    """What is kept is kept for its length limit, and never stands in for a sample."""
    calls: list[str] = []

    def answer(prompt: Sequence[Message]) -> str:
        calls.append(prompt[-1].content)
        return "so"

    model = Remembered(ScriptedModel("counting", answer))
    asked = [[Message(role="user", content="one")]]
    model.generate(asked)
    model.generate(asked, max_new_tokens=8)
    model.generate(asked, temperature=0.5)

    assert len(calls) == 3
    assert model.name == "counting"
