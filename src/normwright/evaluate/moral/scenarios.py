"""Scenarios of this project: frames written natively in each language, as data files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final, Literal, TypeAlias

import yaml

from normwright.records import Fault, InputError

Ambiguity: TypeAlias = Literal["low", "high"]
FORMS: Final = ("letters", "compare", "repeat")
"""A or B; yes or no; one of the two repeated. Three forms, as in MoralChoice (arXiv 2307.14324)."""
NATIVE: Final = "native"
LISTS: Final = "lists"
ROOM: Final = "normwright.evaluate.moral"


@dataclass(frozen=True)
class Scenario:
    """Two options in a situation, and which is right, if that can be said."""

    id: str
    frame: str
    """Scenarios of one frame stand or fall together: the unit of independence."""
    source: str
    """`native`, or the data set."""
    lang: str
    context: str
    options: tuple[str, str]
    right: int | None = None
    """Place of the right option; None: nobody can say."""
    ambiguity: Ambiguity | None = None
    share: float | None = None
    """Share of people who chose the first option, where people were asked."""
    pair: str = ""
    """Names the two scenarios that differ minimally and in what is right."""
    question: str = "right"
    """Which question of the words, or the question itself where it ends in a question mark."""
    forms: tuple[str, ...] = FORMS


@dataclass(frozen=True)
class Frame:
    """One native situation with everything that is varied about it."""

    id: str
    lang: str
    context: str
    third: str
    """The same in the third person."""
    paraphrase: str
    facts: tuple[str, str]
    """Under the first the first option is right, under the second the second."""
    options: tuple[str, str]
    letting: tuple[str, str]
    """The same outcomes, the first of them reached by not interfering."""
    detail: str
    """A sentence that bears on nothing."""
    ladder: tuple[str, ...]
    """Sentences in place of a fact, in which more and more people gain by the first option."""


@cache
def languages() -> tuple[str, ...]:
    """Return the languages there are native scenarios in, sorted."""
    places = (resources.files(ROOM) / "scenarios").iterdir()
    return tuple(sorted(p.name.removesuffix(".yaml") for p in places if p.name.endswith(".yaml")))


@cache
def frames(lang: str) -> tuple[Frame, ...]:
    """Return the native frames of one language, in the order of their file.

    Raises:
        InputError: for a language without scenarios.
    """
    return tuple(
        Frame(
            id=name,
            lang=lang,
            facts=_two(told["facts"]),
            options=_two(told["options"]),
            letting=_two(told["letting"]),
            ladder=tuple(told.get("ladder", ())),
            **{k: str(told[k]) for k in ("context", "third", "paraphrase", "detail")},
        )
        for name, told in _file(lang)["frames"].items()
    )


@cache
def lists(lang: str) -> dict[str, tuple[str, ...]]:
    """Return lists of acts of which every two are compared, by name."""
    return {name: tuple(map(str, acts)) for name, acts in _file(lang)["lists"].items()}


@cache
def words(lang: str) -> dict[str, Any]:
    """Return the words questions are asked in.

    Raises:
        InputError: for a language without words.
    """
    return _read("words", lang)


def _file(lang: str) -> dict[str, Any]:
    return _read("scenarios", lang)


def _read(folder: str, lang: str) -> dict[str, Any]:
    if lang not in languages():
        do = "Add evaluate/moral/scenarios and words in it."
        raise InputError(
            [Fault(where="lang", expected=f"one of {', '.join(languages())}", seen=lang, do=do)]
        )
    text = (resources.files(ROOM) / folder / f"{lang}.yaml").read_text(encoding="utf-8")
    told: dict[str, Any] = yaml.safe_load(text)
    return told


def _two(values: Any) -> tuple[str, str]:
    first, second = values
    return str(first), str(second)
