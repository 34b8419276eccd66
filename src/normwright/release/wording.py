"""Reasons in words: sentences from data files, one a language, numbers as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

from normwright.records import Text

Form = Literal["share", "whole", "points", "count", "plain"]


@dataclass(frozen=True)
class Number:
    """A number that each language writes in its own way."""

    value: float
    form: Form = "share"


@dataclass(frozen=True)
class Said:
    """One sentence before it has a language: its key and what fills it.

    A value may be a string, a `Number`, a `Text`, or another `Said`.
    """

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)
    default: str = ""
    """Key to use where `key` does not exist, for words about open sets such as units."""


@cache
def _book(lang: str) -> dict[str, Any] | None:
    path = files("normwright.release") / "words" / f"{lang}.yaml"
    if not path.is_file():
        return None
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


@cache
def every_language() -> tuple[str, ...]:
    """Return all languages that reasons can be given in, sorted."""
    folder = files("normwright.release") / "words"
    return tuple(sorted(f.name.removesuffix(".yaml") for f in folder.iterdir()
                        if f.name.endswith(".yaml")))  # fmt: skip


def spoken(languages: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the languages that reasons can be given in, in their order.

    A language without a words file has no reasons rather than somebody else's.
    """
    return tuple(lang for lang in languages if _book(lang) is not None)


def word(key: str, lang: str, default: str | None = None) -> str:
    """Return the words under a dotted key.

    Raises:
        KeyError: if the key is unknown and no default is given.
    """
    at: Any = _book(lang)
    for part in key.split(".", 1) if "." in key else (key,):
        at = at.get(part) if isinstance(at, dict) else None
    if isinstance(at, str):
        return at
    if default is None:
        raise KeyError(f"no words for {key!r} in {lang!r}")
    return default


def number(value: float, form: Form, lang: str) -> str:
    """Return a number as the language writes it.

    A share is written in per cent with one decimal, two under 1 %, or as `whole` with none;
    `points` is a signed difference of shares in percentage points.
    """
    match form:
        case "count":
            return f"{round(value):,}".replace(",", word("format.thousands", lang))
        case "plain":
            return f"{value:.3g}".replace(".", word("format.decimal", lang))
        case "whole":
            return word("format.percent", lang).format(f"{100 * value:.0f}")
        case "points" if value == 0:
            return word("format.points", lang).format("0")
        case "share" | "points":
            scaled = 100 * value
            digits = 2 if form == "share" and 0 < abs(scaled) < 1 else 1
            text = f"{scaled:+.{digits}f}" if form == "points" else f"{scaled:.{digits}f}"
            text = text.replace("-", "\N{MINUS SIGN}").replace(".", word("format.decimal", lang))
            return word("format.percent" if form == "share" else "format.points", lang).format(text)


def say(said: Said, lang: str) -> str:
    """Return one sentence in one language."""
    pattern = word(said.key, lang, word(said.default, lang) if said.default else None)
    return pattern.format(**{k: _fill(v, lang) for k, v in said.values.items()})


def given(text: Text) -> Said:
    """Return a sentence that brings its own words, for kinds whose words are not in our files."""
    return Said("given", {"text": text})


def role_words(role: str | None) -> Said:
    """Return the words for a model's role."""
    return Said(f"role.{role}", {"name": role}, default="role.other")


def suite_words(suite: str) -> Said:
    """Return the words for a suite."""
    return Said(f"suite.{suite}", {"name": suite}, default="suite.other")


def language_words(lang: str) -> Said:
    """Return the words for a language; its code where it has no name yet."""
    return Said(f"language.{lang}", {"name": lang}, default="language.other")


def in_words(said: tuple[Said, ...], languages: tuple[str, ...]) -> Text:
    """Return sentences one after another, in every language that has words."""
    return {lang: " ".join(say(s, lang) for s in said) for lang in spoken(languages)}


def _fill(value: Any, lang: str) -> str:
    match value:
        case Number():
            return number(value.value, value.form, lang)
        case Said():
            return say(value, lang)
        case dict():
            return str(value.get(lang) or next(iter(value.values()), ""))
        case _:
            return str(value)
