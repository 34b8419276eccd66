"""Bring a text into one form before anything is matched, so that tricks of writing do not help.

Order: compatibility form (NFKC), invisible characters out, digits of every script to ASCII, letters
that look like Latin ones to Latin ones (a small part of Unicode TS 39), single spaces.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Container, Mapping, Sequence
from functools import lru_cache

_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁһԛԝαορνικτυАЕОРСХІЈЅВКМНТΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijsdhqwaopviktuAEOPCXIJSBKMHTABEZHIKMNOPTYX",
)
_DIGIT_LOOKALIKES = str.maketrans("oOlIisSzZbBgq|", "00111552288991")
_SPACES = re.compile(r"[^\S\n]+")
_SENTENCE = re.compile(r"(?<=[.!?;])\s+")
_BULLET = re.compile(r"^(?:[-*•–—>]+\s+)+")
_WORD = re.compile(r"\w+")
_ENCODED = re.compile(r"(?<![\w+/])[A-Za-z0-9+/]{8,}={0,2}(?![\w+/=])")
_PART = re.compile(r"\w+|[^\w\s]+")
_DIGITS = re.compile(r"\d")
_SPELLED = re.compile(r"(?<!\w)\w(?:[\s\-.,:;/%*_·()|]+\w)+(?!\w)")

LONG_LINE = 240
"""Characters from which a line is also read sentence by sentence."""


def canonical(text: str) -> str:
    """Return `text` in the one form in which rules and classifiers read it; case is kept."""
    if text.isascii():
        return "\n".join(_SPACES.sub(" ", line).strip() for line in text.splitlines())
    text = unicodedata.normalize("NFKC", text)
    kept: list[str] = []
    for char in text:
        if char.isascii():
            kept.append(char)
            continue
        category = unicodedata.category(char)
        if category == "Cf":
            continue
        kept.append(str(unicodedata.digit(char)) if category == "Nd" else char)
    text = "".join(kept).translate(_LOOKALIKES)
    return "\n".join(_SPACES.sub(" ", line).strip() for line in text.splitlines())


def folded(text: str) -> str:
    """Return the canonical text without case."""
    return canonical(text).casefold()


def learnable(text: str, leave_out: Container[str] = frozenset()) -> str:
    """Return the form a classifier reads: canonical, without case, every digit as `0`.

    Digits are data of the day. A classifier that may read them learns one sheet by heart.

    Args:
        text: what is to be read.
        leave_out: folded words that are dropped.
    """
    plain = _DIGITS.sub("0", folded(text))
    if not leave_out:
        return plain
    return " ".join(w for w in _PART.findall(plain) if w not in leave_out)


def pieces(text: str) -> tuple[str, ...]:
    """Return the lines of a canonical text; long lines and hidden base64 text also piece by piece.

    List marks at the start of a line are left out. A request may stand anywhere in a turn, so
    every piece is read by itself.
    """
    out: list[str] = []
    for line in filter(None, (_BULLET.sub("", part.strip()) for part in text.split("\n"))):
        out.append(line)
        if len(line) > LONG_LINE:
            out += [s for s in _SENTENCE.split(line) if s and s != line]
        for hidden in _decoded(line):
            out += [s for s in canonical(hidden).split("\n") if s]
    return tuple(out)


def sentences(line: str) -> tuple[str, ...]:
    """Return the sentences of one line, without their closing mark."""
    return tuple(s.rstrip(" .!?;") for s in _SENTENCE.split(line) if s)


@lru_cache(maxsize=4096)
def standing(value: str) -> re.Pattern[str]:
    """Return the pattern of a folded value that stands by itself: `6:00` is not in `16:00`."""
    left = r"(?<!\w)(?<!\w[:.,/\-])" if value[:1].isalnum() else ""
    right = r"(?!\w)(?![:.,/\-]\w)" if value[-1:].isalnum() else ""
    return re.compile(left + re.escape(value) + right)


def squeezed(text: str) -> str:
    """Return only the letters and digits of a text, without case."""
    return "".join(_WORD.findall(text.casefold()))


class Told:
    """What a text tells, in every way of writing that is looked through.

    Plain, with spelled-out digits, letter by letter, backwards, in base64, with letters that look
    like digits, and together with what was said before (a value told in two halves).
    """

    def __init__(
        self, text: str, *, before: str = "", numerals: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        plain = folded(text)
        forms = [plain, *(folded(d) for d in _decoded(canonical(text)))]
        counted = [_counted(f, words) for f in forms for words in (numerals or {}).values()]
        self._forms = tuple(dict.fromkeys([*forms, *counted]))
        runs = {squeezed(r) for f in self._forms for r in _SPELLED.findall(f)}
        self._runs = runs | {r[::-1] for r in runs}
        tokens = {squeezed(t) for f in forms for t in f.split()}
        mixed = {t for t in tokens if any(c.isdigit() for c in t)}
        self._tokens = {t.translate(_DIGIT_LOOKALIKES) for t in mixed} | {t[::-1] for t in tokens}
        self._seam = (squeezed(folded(before))[-40:], squeezed(plain)[:40])

    def finds(self, pattern: re.Pattern[str]) -> bool:
        """Say whether a pattern stands anywhere in the text."""
        return any(pattern.search(f) for f in self._forms)

    def tells(self, value: str) -> bool:
        """Say whether the text tells `value`, which may be in any case."""
        plain = folded(value)
        if not plain:
            return False
        pattern = standing(plain)
        if any(pattern.search(f) for f in self._forms):
            return True
        tight = squeezed(plain)
        if len(tight) < 3:
            return False
        if tight in self._tokens or any(tight in run for run in self._runs):
            return True
        left, right = self._seam
        return len(tight) > 3 and any(
            left.endswith(tight[:cut]) and right.startswith(tight[cut:])
            for cut in range(1, len(tight))
        )


def _counted(text: str, words: Sequence[str]) -> str:
    """The text with runs of at least three digit words written as one number."""
    one = "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))
    if not one:
        return text
    digit = {w.casefold(): str(i) for i, w in enumerate(words)}
    run = re.compile(rf"(?<!\w)(?:{one})(?:[\s,\-]+(?:{one})){{2,}}(?!\w)")
    each = re.compile(rf"(?<!\w)(?:{one})(?!\w)")
    return run.sub(lambda m: "".join(digit[w] for w in each.findall(m.group())), text)


def _decoded(text: str) -> list[str]:
    """Readable texts that stand in `text` as base64."""
    out: list[str] = []
    for match in _ENCODED.findall(text):
        try:
            raw = base64.b64decode(match + "=" * (-len(match) % 4), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue
        if raw.isprintable() or "\n" in raw:
            out.append(raw)
    return out
