"""Which language a text is in, and when that cannot be said.

The reader is py3langid's (Lui and Baldwin 2012, langid.py, extended to 140 languages), asked for
probabilities. It tells Portuguese from Galician or Spanish by little, and a greeting of two words
from nothing: below the confidence asked for the answer is `und`, which stands for undetermined in
BCP 47 and is never a language.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Final

from normwright.records import Lang, MissingExtra

UNKNOWN: Final[Lang] = "und"
CONFIDENT: Final = 0.5
"""Probability from which a language is named. On aligned sentences of 20 characters and more, in
English and Portuguese, what is named from here on is right in at least 98.8 % of cases."""
READ: Final = 2_000
"""Characters that are read, from the start and as many from the end; more tell nothing new."""


@dataclass(frozen=True)
class Spoken:
    """The language of a text."""

    lang: Lang
    """A BCP 47 tag; `und` if no language is probable enough."""
    confidence: float
    """Probability of the most probable language, also where it is not enough to name it."""
    likeliest: Lang
    """The most probable language, however improbable; `und` for a text without letters."""


def spoken(text: str, *, confidence: float = CONFIDENT) -> Spoken:
    """Return the language a text is written in.

    Args:
        text: any text; without a letter it is in no language.
        confidence: probability below which the language is `und`.

    Raises:
        MissingExtra: if py3langid is not installed.
    """
    if not any(map(str.isalpha, text)):
        return Spoken(UNKNOWN, 0.0, UNKNOWN)
    part = text if len(text) <= 2 * READ else f"{text[:READ]} {text[-READ:]}"
    lang, probability = _reader().classify(part)
    sure = float(probability)
    return Spoken(lang if sure >= confidence else UNKNOWN, sure, lang)


def language_tagger() -> str:
    """Return name and version of what tells languages, for whoever keeps its findings."""
    return f"py3langid {version('py3langid')}"


@cache
def _reader() -> Any:
    if find_spec("py3langid") is None:
        raise MissingExtra("Telling languages", "learn")
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
