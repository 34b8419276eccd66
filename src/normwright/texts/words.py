"""A text as plain words: the form in which texts are compared."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_BETWEEN: Final = re.compile(r"[\W_]+")


def plain(text: str) -> str:
    """Return a text without case, punctuation and spare spaces, in Unicode's compatible form.

    Two texts that differ in nothing else are the same text to whoever looks for repetitions. A
    text of punctuation alone becomes the empty text.
    """
    return _BETWEEN.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def words(text: str) -> list[str]:
    """Return the plain words of a text, in order."""
    return plain(text).split()
