"""Encodings whose signs are letters of many scripts, or emoji: Base2048 and Ecoji.

`alphabets.txt` holds the signs in the order of their values, a line each: the 2048 letters of
Base2048 (as in rust-base2048, 11 bits a letter, MIT) and the 8 signs that end a text whose last one
to three bits are left; the 1024 emoji of Ecoji 1 (10 bits each, Apache-2.0) and its five fillers.
What decodes is looked for in the text as it was written: its plain form has other letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

_MAY_BE_LETTERS: Final = re.compile("[\u00aa-\u10ff]{6}")
_MAY_BE_EMOJI: Final = re.compile(
    "[\U0001f004-\U0001faff]{2}[\u2615\u269c\U0001f004-\U0001faff]{2}"
)
"""What a text must hold for the tables to be opened."""


class _Tables(NamedTuple):
    letters: dict[str, int]
    ends: dict[str, int]
    emoji: dict[str, int]
    fillers: str
    letter_runs: re.Pattern[str]
    emoji_runs: re.Pattern[str]


def decodings(text: str) -> Iterator[tuple[str, bytes, int, int]]:
    """Yield what runs of such signs stand for: the encoding, the bytes, and where the run is."""
    letters = _MAY_BE_LETTERS.search(text) is not None
    emoji = _MAY_BE_EMOJI.search(text) is not None
    if not letters and not emoji:
        return
    tables = _tables()
    if letters:
        for match in tables.letter_runs.finditer(text):
            if (found := _from_base2048(match.group(), tables)) is not None:
                yield "base2048", found, *match.span()
    if emoji:
        for match in tables.emoji_runs.finditer(text):
            if (found := _from_ecoji(match.group(), tables)) is not None:
                yield "ecoji", found, *match.span()


def _from_base2048(run: str, tables: _Tables) -> bytes | None:
    """Bytes of a run: the last letter holds what is left, 4 to 11 bits; an end holds 1 to 3.

    How many bits it holds follows from the length, for there are whole bytes.
    """
    end = tables.ends.get(run[-1])
    body = run if end is None else run[:-1]
    whole = body[:-1] if end is None else body
    bits = 11 * len(whole)
    left = next((r for r in ((1, 2, 3) if end is not None else range(4, 12))
                 if (bits + r) % 8 == 0), None)  # fmt: skip
    last = tables.letters[body[-1]] if end is None else end
    if left is None or last >= 1 << left:
        return None
    value = 0
    for letter in whole:
        value = value << 11 | tables.letters[letter]
    return (value << left | last).to_bytes((bits + left) // 8, "big")


def _from_ecoji(run: str, tables: _Tables) -> bytes | None:
    """Bytes of a run: five bytes in four emoji; fillers stand for what is missing of the last."""
    signs = "".join(run.split())
    if len(signs) % 4:
        return None
    out = bytearray()
    for start in range(0, len(signs), 4):
        four = signs[start : start + 4]
        value, length = 0, 5
        for place, sign in enumerate(four):
            filler = tables.fillers.find(sign)
            if filler == 0:
                length = min(length, place)
            elif filler > 0:
                length, value = 4, value << 10 | (filler - 1) << 8
                continue
            value = value << 10 | tables.emoji.get(sign, 0)
        if length == 0:
            return None
        out += value.to_bytes(5, "big")[:length]
    return bytes(out)


@cache
def _tables() -> _Tables:
    lines = (Path(__file__).parent / "alphabets.txt").read_text(encoding="utf-8").split("\n")
    letters, ends, emoji, fillers = lines[:4]
    signs = re.escape(emoji + fillers)
    return _Tables(
        letters={c: i for i, c in enumerate(letters)},
        ends={c: i for i, c in enumerate(ends)},
        emoji={c: i for i, c in enumerate(emoji)},
        fillers=fillers,
        letter_runs=re.compile(f"[{re.escape(letters)}]{{6,}}[{re.escape(ends)}]?"),
        emoji_runs=re.compile(rf"(?:[{signs}]\s?){{4,}}"),
    )
