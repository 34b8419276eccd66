"""A model that does not answer the same question twice."""

from __future__ import annotations

from collections.abc import Sequence

from normwright.models.protocol import Model
from normwright.records import Message

Key = tuple[tuple[tuple[str, str], ...], int]


class Remembered:
    """A model whose greedy answers are kept: a guard around it then screens the very texts that
    were measured without the guard, and nothing is computed again. Samples are drawn anew.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._kept: dict[Key, str] = {}

    @property
    def name(self) -> str:
        """The name of the model."""
        return self._model.name

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int = 48,
        temperature: float = 0.0,
        n: int = 1,
        seed: int = 0,
    ) -> list[list[str]]:
        """Return `n` answers for each prompt; see `Model.generate`."""
        if temperature > 0:
            return self._model.generate(
                prompts, max_new_tokens=max_new_tokens, temperature=temperature, n=n, seed=seed
            )
        keys = [(tuple((m.role, m.content) for m in p), max_new_tokens) for p in prompts]
        new = {k: p for k, p in zip(keys, prompts, strict=True) if k not in self._kept}
        if new:
            answers = self._model.generate(
                list(new.values()), max_new_tokens=max_new_tokens, seed=seed
            )
            self._kept |= {k: texts[0] for k, texts in zip(new, answers, strict=True)}
        return [[self._kept[k]] * n for k in keys]

    def logprobs(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        """Return the model's own; see `Model.logprobs`."""
        return self._model.logprobs(prompts, completions)
