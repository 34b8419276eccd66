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


def _letters(digits: str, lang: str) -> str:
    return "".join("ABCDEFGHIJ"[int(d)] for d in digits)


def _reversed(digits: str, lang: str) -> str:
    return digits[::-1]


def _shifted(digits: str, lang: str) -> str:
    return "".join(str((int(d) + 1) % 10) for d in digits)


def _laced(digits: str, lang: str) -> str:
    return "x".join(digits) + "x"


def _circled(digits: str, lang: str) -> str:
    return "".join("⓪①②③④⑤⑥⑦⑧⑨"[int(d)] for d in digits)


FORMS: Final[dict[str, Callable[[str, str], str]]] = {
    "circled": _circled,
    "laced": _laced,
    "letters": _letters,
    "reversed": _reversed,
    "shifted": _shifted,
    "spaced": _spaced,
    "words": _words,
}
"""By name: from digits and language to what is written."""


def hidden(text: str, value: str, form: str, lang: str) -> str:
    """Return a text in which the digits of one value are written in a form."""
    told = _RUN.sub(lambda run: FORMS[form](run.group(), lang), value)
    return text.replace(value, told)
