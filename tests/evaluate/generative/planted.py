"""Models with a planted way of answering, and the result of a suite on one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from normwright.evaluate.generative import (
    Asking,
    Gauged,
    Generative,
    Prompt,
    ask_prompts,
    measure_answers,
    sampled,
)
from normwright.models import ScriptedModel
from normwright.records import Message

DIGEST = "sha256:" + "0" * 64
ADVICE = {
    "en": "Start with what you have, see what is missing, and ask somebody who knows about it",
    "pt": "Comece com o que tem, veja o que falta e peça ajuda a quem sabe do assunto",
}


def result(
    suite: Generative, asking: Asking, answer: Callable[[Prompt], str], *,
    judge: Gauged | None = None, limit: int | None = None, seed: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """Ask a model that answers by a function of the prompt, and return the JSON of the result."""
    prompts = sampled(asking.prompts, limit, seed=seed)
    known = {p.text: p for p in prompts}

    def said(messages: Sequence[Message]) -> str:
        return answer(known[messages[-1].content])

    model = ScriptedModel("planted", said)
    answers = ask_prompts(model, prompts, max_new_tokens=8, seed=seed)
    return measure_answers(
        suite, asking, prompts, answers, model="planted", model_digest=DIGEST, judge=judge,
        seed=seed,
    ).as_json()  # fmt: skip


def helpful(prompt: Prompt) -> str:
    """Advice in running text that is another for every prompt."""
    return f"{ADVICE[prompt.lang]}: {' '.join(reversed(prompt.text.split()[-2:]))}."
