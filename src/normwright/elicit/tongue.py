"""Which language texts are in, where a file does not say: by their commonest words, or unknown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

UNDETERMINED = "und"
"""BCP 47: the language is not known."""

_COMMON: Mapping[str, frozenset[str]] = {
    lang: frozenset(words.split())
    for lang, words in {
        "en": "the and to of is in that it you for should are be this with they have was not what",
        "pt": "não que uma os as do da dos das em um para com é são mais pelo pela você ser na no",
        "es": "el los las una del que y en es por con para más su al lo como no son pero",
        "fr": "le les des et une est dans pour que qui pas sur nous vous il sont plus du au ce",
        "de": "der die das und ist nicht ein eine zu den mit für auf von sich dem wir es sind im",
        "it": "il che di della per è non una sono con gli del nel più le alla come anche si lo",
        "nl": "de het een en van is niet dat op te zijn voor met die er ook aan bij moet worden",
    }.items()
}
_WORD = re.compile(r"[^\W\d_]+")
_NEEDED = 12
"""Common words that have to be seen before anything is said."""
_MARGIN = 1.5
"""How many times as often those of the best language must occur as those of the next."""


def language_of(texts: Iterable[str], *, enough: int = 200_000) -> str | None:
    """Return the language whose commonest words the texts use, or None where that is unclear.

    It knows en, pt, es, fr, de, it, nl by their commonest words, and answers only where those of
    one language are at least half as frequent again as those of any other.

    Args:
        texts: in any number of pieces.
        enough: characters after which no more is read.
    """
    hits: Counter[str] = Counter()
    words = read = 0
    for text in texts:
        for word in _WORD.findall(text.lower()):
            words += 1
            for lang, common in _COMMON.items():
                hits[lang] += word in common
        read += len(text)
        if read >= enough:
            break
    (best, most), (_, next_most) = hits.most_common(2) if hits else (("", 0), ("", 0))
    clear = most >= _NEEDED and most >= _MARGIN * next_most and most >= words / 20
    return best if clear else None
