"""A local model that reads a prompt once for all the completions it is asked about in a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from normwright.models.chat import render, stop_text
from normwright.models.choices import choice_logprobs
from normwright.models.local import LocalModel
from normwright.records import Message


@dataclass(frozen=True)
class Alternatives:
    """A `Model` with the log-probabilities of another, to rounding, at half the work or less.

    A prompt that comes several times in a row, each time with another completion, is read once.
    """

    model: LocalModel

    @property
    def name(self) -> str:
        """The other model's name."""
        return self.model.name

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int = 48,
        temperature: float = 0.0,
        n: int = 1,
        seed: int = 0,
    ) -> list[list[str]]:
        """Return what the other model answers."""
        return self.model.generate(
            prompts, max_new_tokens=max_new_tokens, temperature=temperature, n=n, seed=seed
        )

    def logprobs(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        """Return the summed log-probability (nats) of each completion and its stop token."""
        if not completions:
            return []
        tokenizer = self.model.tokenizer
        stop = tokenizer.convert_tokens_to_ids(stop_text(tokenizer))
        answers = [
            [*tokenizer(c, add_special_tokens=False)["input_ids"], stop] for c in completions
        ]
        pairs = zip(prompts, answers, strict=True)
        runs = [(prompt, [answer for _, answer in run])
                for prompt, run in groupby(pairs, key=lambda pair: tuple(pair[0]))]  # fmt: skip
        contexts = [
            tokenizer(render(tokenizer, prompt), add_special_tokens=False)["input_ids"]
            for prompt, _ in runs
        ]
        scores = choice_logprobs(
            self.model, contexts, [each for _, each in runs],
            context_length=int(self.model.weights.config.max_position_embeddings),
        )  # fmt: skip
        return [score for each in scores for score in each]
