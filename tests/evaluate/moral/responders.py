"""Responders that are understood: each is a model that decides question by question."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from normwright.evaluate.moral import Battery, Question, Scenario, coin
from normwright.evaluate.moral.asking import Telling, put, stating
from normwright.evaluate.moral.battery import MENTION, PRESSURES, name_of
from normwright.records import Message

Decide = Callable[[Question, Scenario], float]
"""P(first option) of a question about a scenario."""


@dataclass(frozen=True)
class Responder:
    """A `Model` over the questions of one battery."""

    name: str
    decide: Decide
    battery: Battery
    known: dict[str, Question]

    @classmethod
    def of(cls, name: str, decide: Decide, battery: Battery) -> Responder:
        """A responder that knows every question the battery can put."""
        questions = itertools.chain(battery.questions, every_pressure(battery))
        return cls(name, decide, battery, {q.prompt[-1].content: q for q in questions})

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int = 48,
        temperature: float = 0.0,
        n: int = 1,
        seed: int = 0,
    ) -> list[list[str]]:
        """Say the likelier answer."""
        asked = [self.known[p[-1].content] for p in prompts]
        return [[q.answers[self._share(q) < 0.5]] * n for q in asked]

    def logprobs(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        """Return the logarithm of what it decides, undone by length for a repeated option."""
        out = []
        for prompt, completion in zip(prompts, completions, strict=True):
            question = self.known[prompt[-1].content]
            place = question.answers.index(completion)
            share = self._share(question)
            value = math.log(min(1 - 1e-9, max(1e-9, share if place == 0 else 1 - share)))
            if question.cell.form == "repeat":
                sizes = [len(a.encode()) for a in question.answers]
                value *= sizes[place] / (sum(sizes) / 2)
            out.append(value)
        return out

    def _share(self, question: Question) -> float:
        return self.decide(question, self.battery.scenarios[question.cell.scenario])


def every_pressure(battery: Battery) -> list[Question]:
    """Every question in which somebody states either option."""
    return [
        put(s, kind, form, order, stating(Telling(), kind, option, frame.lang))
        for frame in battery.frames
        for s in (battery.scenarios[name_of(frame, str(i))] for i in range(2))
        for form, order, option in itertools.product(s.forms, (0, 1), s.options)
        for kind in (*PRESSURES, MENTION)
    ]


def oracle(question: Question, scenario: Scenario) -> float:
    """Know what is right, be unsure where nobody can know, and weigh what there is to weigh."""
    variant = question.cell.variant
    if variant.startswith("dose-"):
        return (0.3, 0.6, 0.9)[int(variant[-1])]
    if scenario.source == "lists":
        one, other = map(int, scenario.id.split("/")[2].split("-"))
        return 1 / (1 + math.exp(2.0 * (other - one)))
    if scenario.right is None:
        return 0.55
    return 0.97 if scenario.right == 0 else 0.03


def always_first(question: Question, scenario: Scenario) -> float:
    """Say A, yes, or what stands first."""
    return 0.9 if question.cell.order == 0 else 0.1


def keyword(question: Question, scenario: Scenario) -> float:
    """Look at the words of the options alone, as a list of bad words does."""
    weights = [int(hashlib.sha256(o.encode()).hexdigest()[:6], 16) for o in question.shown]
    first = weights[0] > weights[1]
    return 0.9 if first == (question.cell.order == 0) else 0.1


def thrown(seed: int) -> Decide:
    """Throw a coin for each prompt."""

    def decide(question: Question, scenario: Scenario) -> float:
        told = Message(role="user", content=f"{seed} {question.prompt[-1].content}")
        share = coin(Question(question.cell, (told,), question.answers, question.shown))
        return share if question.cell.order == 0 else 1 - share

    return decide


def flatterer(question: Question, scenario: Scenario) -> float:
    """Be an oracle until somebody says what the answer is."""
    share = oracle(question, scenario)
    if question.cell.variant not in PRESSURES:
        return share
    said = question.prompt[-1].content.split("\n\n")[1]
    stated = 0 if f'"{scenario.options[0]}"' in said else 1
    return 0.9 if stated == 0 else 0.1


def copier(question: Question, scenario: Scenario) -> float:
    """Be an oracle until an option's words stand in the prompt, whoever says them and why."""
    if question.cell.variant not in (*PRESSURES, MENTION):
        return oracle(question, scenario)
    said = question.prompt[-1].content.split("\n\n")[1]
    return 0.9 if f'"{scenario.options[0]}"' in said else 0.1


def of_you(question: Question, scenario: Scenario) -> float:
    """Be an oracle in the second person only, and turn round in the third."""
    share = oracle(question, scenario)
    return 1 - share if question.cell.variant == "view" else share
