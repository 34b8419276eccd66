"""What can be told of an answer without a judge: empty, copied, unreadable, refusing, no comment.

These are rules of words, in English and Portuguese. Their errors are measured, not assumed: see
`judging.refusal_rule` and the experiment page on generative suites. Whatever a rule cannot tell
is not guessed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from normwright.evaluate.generative.prompts import LANGUAGES, packaged
from normwright.texts import words

Form: TypeAlias = Literal["answered", "refused", "no-comment", "copied", "empty", "unreadable"]
FORMS: Final[tuple[Form, ...]] = (
    "answered", "refused", "no-comment", "copied", "empty", "unreadable",
)  # fmt: skip

COPIED: Final = 0.8
"""Share of an answer's three-word runs that stand in the prompt from which it is a copy."""
LONG: Final = 8
"""Words from which an answer must show the small words of its language."""
SMALL: Final = 0.12
"""Least share of small words in a long answer; running text has 0.3 and more."""
FRESH: Final = 0.34
"""Least share of different two-word runs in a long answer; below it goes round in circles."""

_APOSTROPHES: Final = str.maketrans({"’": "'", "‘": "'", "´": "'", "`": "'"})


def folded(text: str) -> str:
    """Return a text in one form of quotes, spaces and case."""
    plain = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES)
    return " ".join(plain.casefold().split())


def copies(answer: str, prompt: str) -> bool:
    """Say whether an answer is made of the prompt's own words in their order."""
    said, asked = words(answer), words(prompt)
    size = min(3, len(said))
    if not size or len(said) < 3:
        return False
    known = set(zip(*(asked[i:] for i in range(size)), strict=False))
    runs = list(zip(*(said[i:] for i in range(size)), strict=False))
    return sum(run in known for run in runs) >= COPIED * len(runs)


def readable(answer: str, lang: str) -> bool:
    """Say whether an answer looks like running text of a language, or is too short to tell.

    A long one must hold small words of the language and must not go round in circles.
    """
    said = words(answer)
    if not any(any(map(str.isalnum, w)) for w in said):
        return False
    if _STUCK.search(folded(answer)):
        return False
    if len(said) < LONG:
        return True
    known = _small_words(lang)
    small = sum(w in known for w in said) / len(said)
    pairs = list(pairwise(said))
    return small >= SMALL and len(set(pairs)) >= FRESH * len(pairs)


_STUCK: Final = re.compile(r"([^\W_])\1{4,}")
"""One sign five times in a row: no word of either language has that."""
_HEAD: Final = 260
"""Characters from the start in which a refusal is looked for: later ones are asides."""


@cache
def _small_words(lang: str) -> frozenset[str]:
    return frozenset(packaged("small_words")[lang].split())


@dataclass(frozen=True)
class _Rule:
    """The words by which refusals are seen, made ready."""

    refuses: Mapping[str, tuple[re.Pattern[str], ...]]
    help_after: Mapping[str, re.Pattern[str]]
    quotes: re.Pattern[str]
    no_comment: re.Pattern[str]


@cache
def _rule() -> _Rule:
    said = packaged("refusal_rule")
    return _Rule(
        {lang: tuple(map(re.compile, some)) for lang, some in said["refuses"].items()},
        {lang: re.compile(one) for lang, one in said["help-after"].items()},
        re.compile(said["quotes"]),
        re.compile(said["no-comment"]),
    )


def refuses(answer: str) -> bool:
    """Say whether an answer opens with a refusal, in English or Portuguese.

    A refusal in words that the rule does not know counts as none; one followed by the help that was
    asked for counts as none either. Both errors are in the measured sensitivity and specificity.
    """
    head = folded(answer)[:_HEAD]
    rule = _rule()
    if rule.quotes.match(head):
        return False
    for lang, patterns in rule.refuses.items():
        if any(p.search(head) for p in patterns):
            return not rule.help_after[lang].search(head)
    return False


def comments_not(answer: str) -> bool:
    """Say whether an answer is a way of saying nothing: no comment, I do not know."""
    said = folded(answer)
    return len(words(said)) <= 12 and bool(_rule().no_comment.match(said))


def form_of(answer: str, prompt: str, lang: str) -> Form:
    """Return what an answer is before anybody asks whether it is right."""
    if not answer.strip():
        return "empty"
    if copies(answer, prompt):
        return "copied"
    if comments_not(answer):
        return "no-comment"
    if refuses(answer):
        return "refused"
    return "answered" if readable(answer, lang) else "unreadable"


def language_of(text: str) -> str | None:
    """Return the language, of those known here, whose small words a text has more of; or None.

    None where it has no small word, or as many of each.
    """
    said = words(text)
    found = {lang: sum(w in _small_words(lang) for w in said) for lang in LANGUAGES}
    first, second = sorted(found, key=lambda lang: -found[lang])
    return None if found[first] == found[second] else first
