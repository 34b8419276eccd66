"""What a language model and a scorer are to the rest of the house."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from normwright.records import Message


@runtime_checkable
class Model(Protocol):
    """A language model as an object: it answers, and it says how probable an answer is.

    A guarded model is a `Model` too, so that evaluation and attack need not know which they hold.
    """

    @property
    def name(self) -> str:
        """Role or address of the model, for messages and reports."""
        ...

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int = 48,
        temperature: float = 0.0,
        n: int = 1,
        seed: int = 0,
    ) -> list[list[str]]:
        """Return `n` answers for each prompt, in the order of the prompts.

        Temperature 0 is greedy decoding and needs `n == 1`. The same seed gives the same answers
        on the same machine and thread count.
        """
        ...

    def logprobs(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        """Return the summed log-probability in nats of each completion after its prompt."""
        ...


@runtime_checkable
class Scorer(Protocol):
    """A reward model: how good people would find an answer, on an interval scale."""

    def score(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        """Return one score for each prompt and completion; only differences carry meaning."""
        ...


@runtime_checkable
class Continues(Protocol):
    """A model that says how probable a given text is after another, however it is tokenised."""

    def continuations(
        self, contexts: Sequence[str], texts: Sequence[str]
    ) -> list[tuple[float, int]]:
        """Return summed log-probability (nats) and tokens of each text after its context."""
        ...
