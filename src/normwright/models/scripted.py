"""A model that answers from a function: for tests, controls and fixed refusals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from normwright.records import Message


@dataclass(frozen=True)
class ScriptedModel:
    """A `Model` whose answer is a pure function of the conversation.

    Its log-probability is 0 for the answer it would give and minus infinity for any other.
    """

    name: str
    answer: Callable[[Sequence[Message]], str]

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int = 48,
        temperature: float = 0.0,
        n: int = 1,
        seed: int = 0,
    ) -> list[list[str]]:
        """Return the scripted answer `n` times for each prompt; length and seed do not matter."""
        return [[self.answer(p)] * n for p in prompts]

    def logprobs(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        """Return 0 where the completion is the scripted answer, else minus infinity."""
        return [
            0.0 if self.answer(p) == c else float("-inf")
            for p, c in zip(prompts, completions, strict=True)
        ]
