"""Questions with two answers: put in three forms and both orders, answered by log-probability."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeAlias

from normwright.evaluate.moral.scenarios import Scenario, words
from normwright.models import Model
from normwright.records import Message

AT_ONCE: Final = 64
"""Questions a call, after which somebody is told."""
LETTERS: Final = ("A", "B")
NUMBERS: Final = ("1", "2")


class Cell(NamedTuple):
    """What was asked: one scenario, told one way, in one form and order."""

    scenario: str
    variant: str
    form: str
    order: int
    """0: the first option is shown first; 1: the second."""


@dataclass(frozen=True)
class Telling:
    """How a scenario is told; what is left out stays as it is."""

    context: str | None = None
    options: tuple[str, str] | None = None
    opening: str = ""
    said: str = ""
    """What somebody says of it, between the situation and the question."""
    closing: str = ""
    labels: tuple[str, str] = LETTERS
    gap: str = "\n\n"
    """What stands between the parts."""


@dataclass(frozen=True)
class Question:
    """A prompt with the two answers that stand for the options of its scenario."""

    cell: Cell
    prompt: tuple[Message, ...]
    answers: tuple[str, str]
    shown: tuple[str, str]
    """The options as they are shown, one after the other."""


Answers: TypeAlias = Mapping[Cell, float | None]
"""P(first option) of each cell; None where neither answer is possible."""
Told: TypeAlias = Callable[[int, int, str], None]
"""Called with (questions asked, questions in all, what is asked)."""
Rule: TypeAlias = Callable[[Question], float]
"""P(the option shown first), of something that understands nothing."""


def put(scenario: Scenario, variant: str, form: str, order: int, telling: Telling) -> Question:
    """Return a scenario as a question.

    Args:
        scenario: what is asked about.
        variant: name of the telling.
        form: `letters`, `compare` or `repeat`.
        order: 0 or 1, see `Cell`.
        telling: how it is told.
    """
    say = words(scenario.lang)
    options = telling.options or scenario.options
    shown = options if order == 0 else (options[1], options[0])
    question = say["questions"].get(scenario.question, scenario.question)
    asked = say["forms"][form].format(
        question=question, first=shown[0], second=shown[1],
        one=telling.labels[0], two=telling.labels[1],
    )  # fmt: skip
    context = scenario.context if telling.context is None else telling.context
    parts = (telling.opening, context, telling.said, asked, telling.closing)
    text = telling.gap.join(part for part in parts if part)
    if form == "repeat":
        answers = options
    else:
        by_place = telling.labels if form == "letters" else tuple(say["answers"])
        answers = by_place if order == 0 else (by_place[1], by_place[0])
    cell = Cell(scenario.id, variant, form, order)
    return Question(cell, (Message(role="user", content=text),), answers, shown)


def ways(scenario: Scenario, variant: str, telling: Telling) -> list[Question]:
    """Return the question in every form of the scenario and in both orders."""
    return [put(scenario, variant, form, order, telling)
            for form in scenario.forms for order in (0, 1)]  # fmt: skip


def ask(
    model: Model, questions: Sequence[Question], *, told: Told | None = None, about: str = ""
) -> dict[Cell, float | None]:
    """Return what a model chooses: the softmax over the log-probabilities of the two answers.

    A repeated option counts by its log-probability a byte, times the mean length of the two: of
    two options the longer one would else be the unlikelier for its length alone.

    Args:
        model: what is asked.
        questions: in any order.
        told: told how far it is.
        about: what is asked, for `told`.
    """
    found: dict[Cell, float | None] = {}
    for start in range(0, len(questions), AT_ONCE):
        part = questions[start : start + AT_ONCE]
        scores = model.logprobs(
            [q.prompt for q in part for _ in q.answers], [a for q in part for a in q.answers]
        )
        for i, question in enumerate(part):
            found[question.cell] = _share(question, scores[2 * i], scores[2 * i + 1])
        if told is not None:
            told(min(start + AT_ONCE, len(questions)), len(questions), about)
    return found


def answer_by(rule: Rule, questions: Iterable[Question]) -> dict[Cell, float | None]:
    """Return what something chooses that looks at the options alone."""
    found: dict[Cell, float | None] = {}
    for question in questions:
        first = rule(question)
        found[question.cell] = first if question.cell.order == 0 else 1.0 - first
    return found


def _share(question: Question, first: float, second: float) -> float | None:
    if question.cell.form == "repeat":
        sizes = [len(answer.encode()) for answer in question.answers]
        mean = sum(sizes) / 2
        first, second = first / sizes[0] * mean, second / sizes[1] * mean
    if math.isnan(first) or math.isnan(second) or max(first, second) == -math.inf:
        return None
    if min(first, second) == -math.inf:
        return float(first > second)
    gap = second - first
    return 1.0 / (1.0 + math.exp(gap)) if gap < 700 else 0.0


def first_shown(question: Question) -> float:
    """Choose what stands first."""
    return 1.0


def longer(question: Question) -> float:
    """Choose the longer option; of two as long the one that comes first in a dictionary."""
    one, two = question.shown
    return float(one < two) if len(one) == len(two) else float(len(one) > len(two))


def coin(question: Question) -> float:
    """Throw a coin for each prompt, the same one each time it is asked."""
    digest = hashlib.sha256(question.prompt[-1].content.encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32


RULES: Final[Mapping[str, Rule]] = {"first-shown": first_shown, "longer": longer, "coin": coin}
"""Baselines that go through the same questions and measures as a model."""


def choice(share: float | None) -> int | None:
    """Return the option chosen, 0 or 1; None where there is no answer or neither is likelier."""
    if share is None or abs(share - 0.5) < 1e-9:
        return None
    return 0 if share > 0.5 else 1


def stating(telling: Telling, kind: str, option: str, lang: str) -> Telling:
    """Return the telling with somebody who says that an option is the answer."""
    return replace(telling, said=words(lang)["said"][kind].format(option=option))
