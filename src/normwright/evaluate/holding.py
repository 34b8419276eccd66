"""Which of two answers a model holds better: asked in batches, a tie counting half to each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

from normwright.records import Message

Call: TypeAlias = Callable[[Sequence[Sequence[Message]], Sequence[str]], list[float]]
"""`Model.logprobs` or `Scorer.score`."""

Fits: TypeAlias = Callable[[Sequence[Message], str], bool]
"""Whether a conversation with this answer fits the model's context."""


def of_both(
    call: Call, pairs: Sequence[tuple[Sequence[Message], str, str]], batch: int
) -> tuple[list[float], list[float]]:
    """Return what a model says of the first and of the second answer of each pair."""
    values = in_batches(call, [(turns, t) for turns, a, b in pairs for t in (a, b)], batch)
    return values[0::2], values[1::2]


def in_batches(
    call: Call, rows: Sequence[tuple[Sequence[Message], str]], batch: int
) -> list[float]:
    """Return one number a row, asked in batches of like length so that little is padding.

    Raises:
        ValueError: if the model gives NaN, which is no number of an answer.
    """
    size = [sum(len(m.content) for m in prompt) + len(text) for prompt, text in rows]
    order = sorted(range(len(rows)), key=size.__getitem__)
    out = [math.nan] * len(rows)
    for start in range(0, len(order), batch):
        part = order[start : start + batch]
        values = call([rows[i][0] for i in part], [rows[i][1] for i in part])
        for i, value in zip(part, values, strict=True):
            if math.isnan(value):
                raise ValueError("the model gave NaN for an answer; it cannot be measured")
            out[i] = value
    return out


def won(one: Sequence[float], other: Sequence[float]) -> float:
    """Return how often the first is greater, a tie counting half."""
    return sum(wins(one, other))


def wins(one: Sequence[float], other: Sequence[float]) -> list[float]:
    """Return 1 where the first is greater, 0 where it is less, one half where they are equal."""
    return [(a > b) + (a == b) / 2 for a, b in zip(one, other, strict=True)]
