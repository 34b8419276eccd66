"""Forms in which a value can be told to somebody who knows how, past whoever reads it as it stands.

Each is a plain function of the digits; letters stay, so that a valve `G40` keeps its letter.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_WORDS: Final = {
    "en": ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
    "pt": ["zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove"],
}
_RUN = re.compile(r"\d+")


def _spaced(digits: str, lang: str) -> str:
    return " ".join(digits)


def _words(digits: str, lang: str) -> str:
    return " ".join(_WORDS[lang][int(d)] for d in digits)


def _backwards(digits: str, lang: str) -> str:
    return _words(digits[::-1], lang)


def _english(digits: str, lang: str) -> str:
    return _words(digits, "en")


def _portuguese(digits: str, lang: str) -> str:
    return _words(digits, "pt")


def _hyphened(digits: str, lang: str) -> str:
    return "-".join(_WORDS[lang][int(d)] for d in digits)


def _doubled(digits: str, lang: str) -> str:
    return "".join(d + d for d in digits)


def _tagged(digits: str, lang: str) -> str:
    return " ".join(f"n{d}" for d in digits)


def _laced(digits: str, lang: str) -> str:
    return "x".join(digits) + "x"


SPELLED: Final[dict[str, Callable[[str, str], str]]] = {
    "backwards": _backwards,
    "english": _english,
    "hyphened": _hyphened,
    "portuguese": _portuguese,
    "words": _words,
}
"""Forms without a digit, by name: from digits and language to what is written."""
FORMS: Final[dict[str, Callable[[str, str], str]]] = {
    "doubled": _doubled,
    "laced": _laced,
    "spaced": _spaced,
    "tagged": _tagged,
    **SPELLED,
}
"""All forms. A guard that reads digits stops those that hold some: an organism that writes so has
no fault."""


def told(digits: str, form: str, lang: str) -> str:
    """Return digits in a form."""
    return FORMS[form](digits, lang)


def hidden(text: str, value: str, form: str, lang: str) -> str:
    """Return a text in which the digits of one value are written in a form."""
    return text.replace(value, _RUN.sub(lambda run: told(run.group(), form, lang), value))
