"""Whether a text is in a language that the checks and the classifier can read."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from normwright.guard.forms import letters
from normwright.guard.sights import Kit, Passage, Sight
from normwright.guard.tongues import common_words
from normwright.plugins import Card, plugin

_BEYOND: Final = re.compile("[^\x00-\x7fÀ-ɏ]")
"""What may be no Latin letter: all letters of the other ranges are."""
_ENOUGH: Final = 8
"""Words below which a text without a common word may be in any language: names, titles, lists."""
_FEW: Final = 0.1
"""Share of common words below which a text is in another language; English and Portuguese have
three times as many, and neighbours such as Spanish are not told apart by it."""
_READ: Final = 2_000


@plugin(
    Card(
        name="language",
        kind="checks",
        summary="How likely a text is in a language that the guard cannot read.",
        reference="Script by Unicode names; commonest words of the languages that ship",
        claims=("decides nothing unless a deployment's detectors give `language.other` an act",),
        takes="passage",
        status="tested",
    )
)
def language(passage: Passage, kit: Kit) -> list[Sight]:
    """Return the probability that a text is in no language the guard reads.

    The embedded patterns and classifier know English and Portuguese. That they see nothing in
    another language means nothing, so it is told among the scores.
    """
    part = passage.text[:_READ]
    others = [] if part.isascii() else _BEYOND.findall(part)
    if others:
        # As it was written: the plain form has Latin letters for others that look like them.
        foreign = sum(c.isalpha() and not _is_latin(c) for c in others)
        if foreign > 0.5 * sum(map(str.isalpha, part)):
            return [Sight("language.other", 0.95, "rule", "language:script")]
    words = [w for w in letters(passage.forms.plain.folded[:_READ]) if len(w) > 1]
    known = sum(map(common_words().__contains__, words))
    if len(words) >= _ENOUGH and known < _FEW * len(words):
        return [Sight("language.other", 0.7, "rule", "language:words")]
    return []


def _is_latin(char: str) -> bool:
    return unicodedata.name(char, "").startswith("LATIN")
