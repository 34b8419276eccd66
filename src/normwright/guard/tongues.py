"""Which of the languages this package speaks a short text is in, by its commonest words.

Good enough to choose the words of a refusal, and nothing else rests on it: where the words do not
tell, the answer is None and every language is used.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import yaml

from normwright.guard.forms import fold, letters
from normwright.records import Lang

_READ: Final = 1_000
"""Characters that are read."""


def tongue(folded: str) -> Lang | None:
    """Return the language of a folded text; None where no language has clearly more words in it."""
    words = letters(folded[:_READ])
    counts = {lang: sum(map(k.__contains__, words)) for lang, k in _lists().items()}
    ranked = sorted(counts.items(), key=lambda x: -x[1])
    if not ranked or ranked[0][1] == 0:
        return None
    if len(ranked) > 1 and ranked[0][1] < 1.5 * ranked[1][1]:
        return None
    return ranked[0][0]


@cache
def common_words() -> frozenset[str]:
    """Return the common words of every language this package speaks, folded."""
    lists = yaml.safe_load((Path(__file__).parent / "stopwords.yaml").read_text(encoding="utf-8"))
    return frozenset(fold(str(w)) for words in lists.values() for w in words)


@cache
def _lists() -> dict[Lang, frozenset[str]]:
    """Common words that one language has and no other, folded."""
    lists = yaml.safe_load((Path(__file__).parent / "stopwords.yaml").read_text(encoding="utf-8"))
    found = {lang: {fold(str(w)) for w in words} for lang, words in lists.items()}
    more = {"en": _MORE_EN, "pt": _MORE_PT}
    found = {lang: words | more.get(lang, frozenset()) for lang, words in found.items()}
    return {
        lang: frozenset(w for w in words if not any(w in v for k, v in found.items() if k != lang))
        for lang, words in found.items()
    }


_MORE_EN: Final = frozenset(
    (
        "is", "are", "the", "what", "how", "tell", "write", "people", "because", "make", "give",
        "know", "think", "say", "said",
    )
)  # fmt: skip
_MORE_PT: Final = frozenset(
    (
        "nao", "sim", "diga", "escreva", "pessoas", "porque", "fazer", "faca", "dar", "saber",
        "acho", "dizer", "disse", "qual", "como", "oi",
    )
)  # fmt: skip
