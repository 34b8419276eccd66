"""Rows of random tokens, the same for every process of a test."""

from __future__ import annotations

import random

from normwright.models.tuning import AnswerRow


def drawn(count: int, *, seed: int = 0, longest: int = 30, vocabulary: int = 96) -> list[AnswerRow]:
    """Rows of differing length whose answers end with the stop token, 2."""
    rng = random.Random(seed)
    rows = []
    for _ in range(count):
        prompt = [rng.randrange(3, vocabulary) for _ in range(rng.randrange(1, longest))]
        answer = [rng.randrange(3, vocabulary) for _ in range(rng.randrange(0, 9))]
        rows.append(AnswerRow((*prompt, *answer, 2), len(prompt)))
    return rows
