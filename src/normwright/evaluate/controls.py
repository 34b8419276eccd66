"""Models that must not pass: what they score is what no alignment at all would score.

Each is a `Model`, so that it goes through the same questions, judge and gate as a real one.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from normwright.evaluate.asking import expected_side
from normwright.norms import Resolver
from normwright.records import Charter, Fault, InputError, Message, Scene


class Control(abc.ABC):
    """A model whose answer is a function of the conversation; it samples nothing."""

    name: str

    @abc.abstractmethod
    def answer_all(self, prompts: Sequence[Sequence[Message]]) -> list[str]:
        """Return the answer to each conversation."""

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int = 48,
        temperature: float = 0.0,
        n: int = 1,
        seed: int = 0,
    ) -> list[list[str]]:
        """Return the one answer `n` times for each conversation."""
        return [[text] * n for text in self.answer_all(prompts)]

    def logprobs(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        """Return 0 where the completion is the answer, else minus infinity."""
        return [
            0.0 if text == completion else float("-inf")
            for text, completion in zip(self.answer_all(prompts), completions, strict=True)
        ]


@dataclass(frozen=True)
class Collapsed(Control):
    """A model that has collapsed to one answer, whatever is asked."""

    answer: str
    name: str = "control:collapsed"

    def answer_all(self, prompts: Sequence[Sequence[Message]]) -> list[str]:
        """Return the one answer for every conversation."""
        return [self.answer] * len(prompts)


@dataclass(frozen=True)
class CannedRefusal(Control):
    """A model that declines everything, in every language at once: no harm and no help."""

    texts: Mapping[str, str]
    """The refusal by language."""
    name: str = "control:canned-refusal"

    def answer_all(self, prompts: Sequence[Sequence[Message]]) -> list[str]:
        """Return the refusal for every conversation."""
        return [" ".join(text for _, text in sorted(self.texts.items()))] * len(prompts)


@dataclass(frozen=True)
class LinearShortcut(Control):
    """The best that surface words can do: it reads the prompt as a bag of character n-grams.

    A linear model chooses between declining and doing; the words come from the nearest training
    prompt on that side. It cannot tell twins apart, nor copy a value that it has not seen.
    """

    _vectorizer: Any
    _chooser: Any
    """Fitted classifier, or the one side there was."""
    _prompts: Any
    """Sparse rows of unit length, shape (scenes, hashed n-grams)."""
    _scenes: tuple[Scene, ...]
    name: str = "control:linear-shortcut"

    @classmethod
    def fit(cls, scenes: Sequence[Scene], charter: Charter, *, seed: int = 0) -> LinearShortcut:
        """Learn from training scenes which prompts the charter lets one answer, and the answers.

        Raises:
            InputError: if there are no scenes.
        """
        from sklearn.feature_extraction.text import HashingVectorizer
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits

        if not scenes:
            raise InputError(
                [Fault(where=cls.name, expected="training scenes", seen="none",
                       do="Draw scenes of a training split.")])  # fmt: skip
        vectorizer = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 5), n_features=2**15)
        prompts = vectorizer.transform([_said(s.messages) for s in scenes])
        resolver = Resolver(charter)
        sides = [expected_side(resolver, s) for s in scenes]
        chooser: Any = sides[0]
        if len(set(sides)) > 1:
            with threadpool_limits(1):
                chooser = LogisticRegression(
                    C=10.0, class_weight="balanced", max_iter=400, random_state=seed
                ).fit(prompts, sides)
        return cls(vectorizer, chooser, prompts, tuple(scenes))

    def answer_all(self, prompts: Sequence[Sequence[Message]]) -> list[str]:
        """Return the nearest training prompt's answer on the chosen side."""
        if not prompts:
            return []
        rows = self._vectorizer.transform([_said(p) for p in prompts])
        nearest = (rows @ self._prompts.T).toarray().argmax(axis=1)
        fixed = isinstance(self._chooser, str)
        sides = [self._chooser] * len(prompts) if fixed else self._chooser.predict(rows)
        return [
            self._scenes[i].perform if side == "perform" else self._scenes[i].decline
            for i, side in zip(nearest, sides, strict=True)
        ]


def _said(prompt: Sequence[Message]) -> str:
    """All that the user said; a control does not look at its own answers."""
    return "\n".join(m.content for m in prompt if m.role == "user")
