"""The battery: which questions are asked about which scenarios, and how they are told.

Each frame is asked under both facts and under neither, and told anew in ways that ought not to
matter. The noise floor is measured in the same cells by two tellings that nobody could mean
anything by: the case gets a number, as in a pile of forms, and the blank lines between the parts
go. A flip under another telling counts only as far as it goes beyond what these two flip.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from normwright.evaluate.moral.asking import (
    NUMBERS,
    Answers,
    Cell,
    Question,
    Rule,
    Telling,
    Told,
    answer_by,
    ask,
    choice,
    put,
    stating,
    ways,
)
from normwright.evaluate.moral.scenarios import LISTS, NATIVE, Frame, Scenario, lists, words
from normwright.models import Model

BASE: Final = "base"
RETESTS: Final = ("number", "layout")
"""Tellings that nobody could mean anything by."""
KINDS: Final = ("paraphrase", "view", "politeness", "detail")
"""Tellings that ought not to matter, asked in every form and order."""
PRESSURES: Final = ("user", "authority", "persuasion")
MENTION: Final = "mention"
"""The option's words stand there and nobody claims anything: what copying alone does."""
OPEN: Final = "open"
LETTING: Final = "letting"


@dataclass(frozen=True)
class Battery:
    """All that is asked, before anything is known of the answers."""

    frames: tuple[Frame, ...]
    rows: tuple[Scenario, ...] = ()
    """Scenarios of data sets and files."""
    lists: int | None = None
    """How many lists of acts are compared, in each language of the frames; None: all."""
    scenarios: Mapping[str, Scenario] = field(init=False)
    """All scenarios by id, those of the frames among them."""
    questions: tuple[Question, ...] = field(init=False)

    def __post_init__(self) -> None:
        native = [s for frame in self.frames for s in told_of(frame)]
        compared = [s for lang in self.languages for s in comparisons(lang, self.lists)]
        everything = {s.id: s for s in (*native, *compared, *self.rows)}
        object.__setattr__(self, "scenarios", everything)
        object.__setattr__(
            self,
            "questions",
            tuple(
                itertools.chain(
                    *(_of_frame(frame) for frame in self.frames),
                    *(ways(s, BASE, Telling()) for s in compared),
                    *(_of_row(row) for row in self.rows),
                )
            ),
        )

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages of the native frames, sorted."""
        return tuple(sorted({frame.lang for frame in self.frames}))


@dataclass(frozen=True)
class Answered:
    """What was answered to a battery."""

    battery: Battery
    answers: Answers
    asked: int
    """Prompts that were answered."""
    left_out: int = 0
    """Prompts that were too long for the model."""


def run(
    model: Model,
    battery: Battery,
    *,
    fits: Callable[[Question], bool] | None = None,
    told: Told | None = None,
) -> Answered:
    """Ask a model everything, and then press it in the direction it did not choose.

    Args:
        model: what is asked.
        battery: what it is asked.
        fits: whether the model can read a question whole; the others are left out and counted.
        told: told how far it is.
    """
    first = [q for q in battery.questions if fits is None or fits(q)]
    found = ask(model, first, told=told, about=model.name)
    pressed = list(pressing(battery, found))
    second = [q for q in pressed if fits is None or fits(q)]
    found |= ask(model, second, told=told, about=f"{model.name}, pressed")
    asked = len(first) + len(second)
    return Answered(battery, found, asked, len(battery.questions) + len(pressed) - asked)


def run_rule(rule: Rule, battery: Battery) -> Answered:
    """Ask something that looks at the options alone."""
    found = answer_by(rule, battery.questions)
    found |= answer_by(rule, pressing(battery, found))
    return Answered(battery, found, len(found))


def told_of(frame: Frame) -> Iterator[Scenario]:
    """Yield the scenarios of a frame: under each fact, and open."""
    for place, fact in enumerate(frame.facts):
        yield Scenario(
            id=name_of(frame, str(place)), frame=frame.id, source=NATIVE, lang=frame.lang,
            context=f"{frame.context} {fact}", options=frame.options, right=place,
            ambiguity="low", pair=f"{frame.id}|{frame.lang}",
        )  # fmt: skip
    yield Scenario(
        id=name_of(frame, OPEN), frame=frame.id, source=NATIVE, lang=frame.lang,
        context=frame.context, options=frame.options, ambiguity="high",
    )  # fmt: skip


def name_of(frame: Frame, part: str) -> str:
    """Return the id of one scenario of a frame."""
    return f"{frame.id}/{part}/{frame.lang}"


def comparisons(lang: str, count: int | None = None) -> Iterator[Scenario]:
    """Yield every two acts of each of the first lists: which is worse?"""
    for name, acts in itertools.islice(lists(lang).items(), count):
        for i, j in itertools.combinations(range(len(acts)), 2):
            yield Scenario(
                id=f"{LISTS}/{name}/{i}-{j}/{lang}", frame=name, source=LISTS, lang=lang,
                context="", options=(acts[i], acts[j]), question="worse",
            )  # fmt: skip


def pressing(battery: Battery, found: Answers) -> Iterator[Question]:
    """Yield questions in which somebody states the option that was not chosen, cell by cell."""
    for frame in battery.frames:
        for place in range(2):
            scenario = battery.scenarios[name_of(frame, str(place))]
            for form, order in itertools.product(scenario.forms, (0, 1)):
                chosen = choice(found.get(Cell(scenario.id, BASE, form, order)))
                if chosen is None:
                    continue
                for kind in (*PRESSURES, MENTION):
                    telling = stating(Telling(), kind, scenario.options[1 - chosen], frame.lang)
                    yield put(scenario, kind, form, order, telling)


def _of_frame(frame: Frame) -> Iterator[Question]:
    *known, unknown = told_of(frame)
    yield from ways(unknown, BASE, Telling())
    for scenario, fact in zip(known, frame.facts, strict=True):
        for variant, telling in _tellings(frame, scenario, fact).items():
            yield from ways(scenario, variant, telling)
        for order in (0, 1):
            yield put(scenario, "labels", "letters", order, Telling(labels=NUMBERS))
    for step, sentence in enumerate(frame.ladder):
        telling = Telling(context=f"{frame.context} {sentence}")
        yield from ways(unknown, f"dose-{step}", telling)


def _tellings(frame: Frame, scenario: Scenario, fact: str) -> dict[str, Telling]:
    opening, closing = words(frame.lang)["polite"]
    return {
        BASE: Telling(),
        **_retests(scenario),
        "paraphrase": Telling(context=f"{frame.paraphrase} {fact}"),
        "view": Telling(context=f"{frame.third} {fact}"),
        "politeness": Telling(opening=opening, closing=closing),
        "detail": Telling(context=f"{frame.context} {frame.detail} {fact}"),
        LETTING: Telling(options=frame.letting),
    }


def _of_row(row: Scenario) -> Iterator[Question]:
    again = dict(itertools.islice(_retests(row).items(), 1))
    for variant, telling in ({BASE: Telling()} | again).items():
        yield from ways(row, variant, telling)


def _retests(scenario: Scenario) -> dict[str, Telling]:
    number = int.from_bytes(hashlib.sha256(scenario.id.encode()).digest()[:2], "big") % 90 + 10
    told = words(scenario.lang)["number"].format(n=number)
    return {"number": Telling(opening=told), "layout": Telling(gap="\n")}


def of_language(frames_: Sequence[Frame], lang: str) -> list[Frame]:
    """Return the frames in one language."""
    return [frame for frame in frames_ if frame.lang == lang]
