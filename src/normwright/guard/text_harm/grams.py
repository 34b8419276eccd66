"""Hashed n-grams of a text for the harm classifier, with numpy alone.

Three blocks share one table of `BUCKETS` buckets, each brought to length one so that long texts
weigh no more than short ones: characters (within words, and across the border to the next), words,
and words read by their class. Classes (`words.txt`) say that a word names a group of people,
denies, insults, quotes, and so on. They let a sentence about one group teach about a sentence on
another, and tell `no X should die` from `all X should die`; a word after a denial is also counted
apart.

A hash is a polynomial over code points modulo 2**64, mixed by the finaliser of SplitMix64 (Steele,
Lea and Flood, OOPSLA 2014). Signs are not used: with the buckets in use far fewer than the table
has, a collision is rarer than a misspelling.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from normwright.records import Digest, digest_bytes

BUCKETS = 2**20
"""Size of the hash table."""
CHARS = (2, 6)
"""Shortest and longest run of characters."""
SCOPE = 4
"""Words after a denial that are also counted as denied."""
LONGEST = 20_000
"""Characters of one text that are read; a longer text is given in pieces by the caller."""

U64 = NDArray[np.uint64]
_BASE = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1
_CHAR, _WORD, _KIND = 0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)?|[^\w\s]")
_HANDLE = re.compile(r"@\w+|\bhttps?://\S+|\bwww\.\S+")
_SPELLED = re.compile(r"(?<!\w)\w(?:[ .\-_*]\w){2,}(?!\w)")
_MIXED = re.compile(r"(?<!\w)(?=\w*[^\W\d_])(?=\w*\d)[\w@$]+(?!\w)")
_NUMBER = re.compile(r"\d+")
_STRETCH = re.compile(r"(.)\1{2,}")
_SPACES = re.compile(r"\s+")
_LEET = str.maketrans("013457@$", "oieastas")


def form(text: str) -> str:
    """Return the one form in which a text is read, in training and when served alike.

    Compatibility characters, case, accents, invisible characters, numbers, handles and addresses,
    stretched letters, letters written as digits and l e t t e r s apart are brought to one form.
    """
    text = text[:LONGEST]
    if not text.isascii():
        kept = unicodedata.normalize("NFKD", text)
        text = "".join(
            c for c in kept if c.isascii() or unicodedata.category(c) not in ("Mn", "Cf")
        )
    text = _HANDLE.sub("@", text.casefold())
    text = _SPELLED.sub(lambda m: re.sub(r"\W|_", "", m.group()), text)
    text = _MIXED.sub(lambda m: m.group().translate(_LEET), text)
    text = _STRETCH.sub(r"\1\1", _NUMBER.sub("0", text))
    return _SPACES.sub(" ", text).strip()


@dataclass(frozen=True)
class Grams:
    """Features of texts in rows: row i has `columns[starts[i] : starts[i + 1]]`."""

    starts: NDArray[np.int64]
    """Shape (texts + 1,)."""
    columns: NDArray[np.int64]
    """Buckets, ascending within a block of a row."""
    values: NDArray[np.float32]
    """One over the square root of the size of the entry's block."""

    def taken(self, rows: Sequence[int] | NDArray[np.int64]) -> Grams:
        """Return some of the rows, in the order they are named."""
        sizes = [int(self.starts[i + 1] - self.starts[i]) for i in rows]
        starts = np.concatenate([[0], np.cumsum(np.array(sizes, dtype=np.int64))])
        parts = [slice(int(self.starts[i]), int(self.starts[i + 1])) for i in rows]
        return Grams(
            starts=starts.astype(np.int64),
            columns=np.concatenate([self.columns[p] for p in parts] or [self.columns[:0]]),
            values=np.concatenate([self.values[p] for p in parts] or [self.values[:0]]),
        )


def grams(texts: Sequence[str]) -> Grams:
    """Return the hashed n-grams of texts that are in their `form`."""
    starts = np.zeros(len(texts) + 1, dtype=np.int64)
    columns: list[NDArray[np.int64]] = []
    values: list[NDArray[np.float32]] = []
    for i, text in enumerate(texts):
        starts[i + 1] = starts[i]
        for block in (_chars(text), *_words(text)):
            found = np.unique(_mixed(block) & np.uint64(BUCKETS - 1)).astype(np.int64)
            if len(found):
                columns.append(found)
                values.append(np.full(len(found), len(found) ** -0.5, dtype=np.float32))
                starts[i + 1] += len(found)
    return Grams(
        starts=starts,
        columns=np.concatenate(columns) if columns else np.zeros(0, dtype=np.int64),
        values=np.concatenate(values) if values else np.zeros(0, dtype=np.float32),
    )


def _chars(text: str) -> U64:
    """Hashes of runs of characters; a run may begin or end with a space but not span a word."""
    codes = np.frombuffer(f" {text} ".encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(
        np.uint64
    )
    low, high = CHARS
    # Position of the last space at or before each character: a run spans a word if one is inside.
    place = np.arange(len(codes))
    space = np.maximum.accumulate(np.where(codes == 32, place, -1))
    parts = []
    h = codes
    for n in range(2, high + 1):
        if len(codes) < n:
            break
        h = h[:-1] * np.uint64(_BASE) + codes[n - 1 :]
        if n >= low:
            inside = space[n - 2 : len(codes) - 1] > place[: len(h)]
            parts.append(h[~inside] + np.uint64(n * _CHAR & _MASK))
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint64)


def _words(text: str) -> tuple[U64, U64]:
    """Hashes of runs of words, and of words read by their class."""
    read = [_token(t) for t in tokens(text)]
    if not read:
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.uint64)
    word = np.array([h for h, _ in read], dtype=np.uint64)
    kind = np.array([k for _, k in read], dtype=np.uint64)
    named = kind > 0
    told = np.where(named, kind * np.uint64(_KIND), word)
    only = told[named]
    denied = _denied(kind)
    words = [
        _salted(word, 1),
        _salted(_run(word, 0, 1), 2),
        _salted(_run(word, 0, 1, 2), 3),
        _salted(_run(word, 0, 2), 4),
        _salted(word[denied], 5),
    ]
    kinds = [
        _salted(only, 11),
        _salted(_run(told, 0, 1), 12),
        _salted(_run(told, 0, 1, 2), 13),
        _salted(_run(told, 0, 1, 2, 3), 14),
        _salted(_run(told, 0, 2), 15),
        _salted(_run(only, 0, 1), 16),
        _salted(_run(only, 0, 1, 2), 17),
        _salted(_run(only, 0, 2), 18),
        _salted(_run(only, 0, 1, 2, 3), 20),
        _salted(told[denied & named], 19),
    ]
    return np.concatenate(words), np.concatenate(kinds)


def _denied(kind: U64) -> NDArray[np.bool_]:
    """Which words stand within `SCOPE` words after a denial."""
    place = np.arange(len(kind))
    last = np.maximum.accumulate(np.where(kind == _kinds()[1]["NOT"], place, -SCOPE - 1))
    return np.asarray((place > last) & (place - last <= SCOPE))


def _run(parts: U64, *at: int) -> U64:
    """Hashes of the parts that stand at these distances from each place."""
    size = len(parts) - at[-1]
    if size <= 0:
        return parts[:0]
    h = parts[:size]
    for step in at[1:]:
        h = _mixed(h) * np.uint64(_BASE) + parts[step : step + size]
    return h


def _salted(h: U64, salt: int) -> U64:
    return h ^ np.uint64(salt * _WORD & _MASK)


def _mixed(h: U64) -> U64:
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


def tokens(text: str) -> list[str]:
    """Return the words and marks of a text in its `form`."""
    return _TOKEN.findall(text)


def kind_of(token: str) -> str | None:
    """Return the name of the class of a word, None for none."""
    number = _kind(token)
    return next((name for name, n in _kinds()[1].items() if n == number), None)


@lru_cache(maxsize=2**16)
def _token(token: str) -> tuple[int, int]:
    """Return the hash of a word and the number of its class, 0 for none."""
    h = 0
    for char in token:
        h = (h * _BASE + ord(char)) & _MASK
    return h, _kind(token)


def _kind(token: str) -> int:
    exact, _, stems = _kinds()
    found = exact.get(token)
    if found is not None:
        return found
    for size in range(len(token), 2, -1):
        found = stems.get(token[:size])
        if found is not None:
            return found
    return 0


@cache
def kinds_digest() -> Digest:
    """Return the digest of the word classes; with others the features differ."""
    return digest_bytes((files("normwright.guard.text_harm") / "words.txt").read_bytes())


@cache
def _kinds() -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """Words by class, classes by name, stems by class; the first class that lists a word has it."""
    exact: dict[str, int] = {}
    stems: dict[str, int] = {}
    names: dict[str, int] = {}
    text = (files("normwright.guard.text_harm") / "words.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        name, colon, listed = line.partition(":")
        if line.startswith("#") or not colon:
            continue
        names[name] = len(names) + 1
        for word in listed.split():
            plain = word.rstrip("*")
            (exact if plain == word else stems).setdefault(plain, names[name])
    return exact, names, stems
