"""What is wrong with a translation that can be told without understanding it.

Machine translation fails in ways that leave traces: a text cut at the limit of a service (the
source of one published bilingual set was cut at 4,950 characters and never checked), a side left in
the language it came in, a number, a link or a placeholder that was lost. None of these checks says
that a translation is right.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from normwright.records import Lang
from normwright.texts.languages import UNKNOWN, spoken
from normwright.texts.words import words

Flaw: TypeAlias = Literal[
    "empty", "cut", "length", "source-language", "target-language", "untranslated", "numbers",
    "links", "placeholders",
]  # fmt: skip

VERSION: Final = "1"
"""Of the checks; it changes whenever what they find does."""
RATIO: Final = (0.5, 2.0)
"""Least and most characters of a translation for each of its source. Of 26,289 aligned paragraphs
in English and Portuguese, 40 characters and more, 99 % lie between 0.86 and 1.43."""
SURE: Final = 0.7
"""Probability from which a text is told to be in another language: at less, a short sentence in
Portuguese is now and then taken for Galician."""
LIMITS: Final = (4_950, 5_000)
"""Characters at which services of machine translation cut what they are given."""
_LONG: Final = 40
"""Characters from which a ratio of lengths says something."""
_RUN: Final = 4
"""Words in a run that a translation would not have in common with its source by chance."""

_NUMBER: Final = re.compile(r"\d+(?:[.,  ]\d+)*")
_LINK: Final = re.compile(r"\b(?:https?|ftp)://[^\s<>\"'`)\]]+|\bwww\.[^\s<>\"'`)\]]+")
_PLACEHOLDER: Final = re.compile(
    r"\{\{?[A-Za-z_][\w.]{0,40}\}?\}|\$\{[^{}\s]{1,40}\}|%\([A-Za-z_]\w{0,40}\)[sdifr]|%[sd]\b"
    r"|<[A-Z][A-Z_]{1,40}>|\[[A-Z][A-Z_ ]{1,40}\]|__[A-Z_]{2,40}__"
)
_ENDED: Final = re.compile(r"[.!?…:;\"'”’»)\]}`*>_|-]\s*$")


@dataclass(frozen=True)
class Found:
    """One thing that is wrong with a translation."""

    flaw: Flaw
    score: float
    """A figure for the flaw: a ratio of lengths, a probability, a share, a count."""
    told: str
    """What was expected and seen, in words; it repeats no text of the row."""


def translation_flaws(
    source: str,
    target: str,
    *,
    source_lang: Lang,
    target_lang: Lang,
    ratio: tuple[float, float] = RATIO,
    untranslated: float = 0.5,
    confidence: float = SURE,
) -> list[Found]:
    """Return what is wrong with a translation, the gravest first.

    Args:
        source: the text that was translated.
        target: its translation.
        source_lang: language the source should be in.
        target_lang: language the translation should be in.
        ratio: least and most characters of the translation for each of its source.
        untranslated: share of the translation's runs of four words that may stand in the source.
        confidence: probability from which a text is told to be in another language.
    """
    if not source.strip() or not target.strip():
        side = "source" if not source.strip() else "translation"
        return [Found("empty", 1.0, f"the {side} is empty")]
    return [
        *_cut(source, target),
        *_lengths(source, target, ratio),
        *_languages(source, source_lang, "source-language", confidence),
        *_languages(target, target_lang, "target-language", confidence),
        *_left(source, target, untranslated),
        *_kept("numbers", _numbers(source), _numbers(target)),
        *_kept("links", _links(source), _links(target)),
        *_kept("placeholders", _placeholders(source), _placeholders(target)),
    ]


def is_ended(text: str) -> bool:
    """Whether a text ends as sentences, lists and code do, and not in the middle of a word."""
    return _ENDED.search(text) is not None


def _cut(source: str, target: str) -> Iterator[Found]:
    """A translation that stops in mid-sentence, at a service's limit or far before its source."""
    if not is_ended(source) or is_ended(target):
        return
    near = [limit for limit in LIMITS if abs(len(target) - limit) <= 5 or len(source) > limit]
    share = len(target) / len(source)
    if near:
        yield Found(
            "cut", share, f"it stops in mid-sentence near the limit of {near[0]} characters"
        )
    elif share < 0.8 and len(source) >= _LONG:
        yield Found("cut", share, f"it stops in mid-sentence after {share:.0%} of the length")


def _lengths(source: str, target: str, ratio: tuple[float, float]) -> Iterator[Found]:
    seen = len(target) / len(source)
    if max(len(source), len(target)) >= _LONG and not ratio[0] <= seen <= ratio[1]:
        told = f"expected {ratio[0]:g} to {ratio[1]:g} characters for each, saw {seen:.2f}"
        yield Found("length", seen, told)


def _languages(
    text: str, expected: Lang, flaw: Literal["source-language", "target-language"], sure: float
) -> Iterator[Found]:
    seen = spoken(text, confidence=sure)
    wanted = expected.split("-")[0].lower()
    if seen.lang not in (wanted, UNKNOWN):
        yield Found(flaw, seen.confidence, f"expected {wanted}, saw {seen.lang}")


def _left(source: str, target: str, most: float) -> Iterator[Found]:
    """A translation whose runs of words stand in its source; short ones only if all of it does."""
    told = words(target)
    if len(told) < _RUN + 2:
        return
    had = set(zip(*(words(source)[at:] for at in range(_RUN)), strict=False))
    runs = list(zip(*(told[at:] for at in range(_RUN)), strict=False))
    share = sum(run in had for run in runs) / len(runs)
    if share > most:
        yield Found("untranslated", share, f"{share:.0%} of its runs of words are the source's")


def _kept(
    flaw: Literal["numbers", "links", "placeholders"], source: Counter[str], target: Counter[str]
) -> Iterator[Found]:
    lost, added = (source - target).total(), (target - source).total()
    if lost or added:
        yield Found(flaw, float(lost + added), f"{lost} of the source are missing, {added} are new")


def _numbers(text: str) -> Counter[str]:
    """Count numbers of two digits and more: a single one may rightly be written as a word.

    Signs between digits are left out, because 1,234.5 in English is 1.234,5 in Portuguese.
    """
    bare = _LINK.sub(" ", text)
    told = (re.sub(r"\D", "", found) for found in _NUMBER.findall(bare))
    return Counter(number for number in told if len(number) > 1)


def _links(text: str) -> Counter[str]:
    """Count the hosts of links: pages rightly differ by language."""
    return Counter(
        re.sub(r"^[a-z]+://", "", link).split("/")[0].rstrip(".,;:").lower()
        for link in _LINK.findall(text)
    )


def _placeholders(text: str) -> Counter[str]:
    return Counter(_PLACEHOLDER.findall(text))
