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
_BASE_64, _LOW = np.uint64(_BASE), np.uint64(BUCKETS - 1)
_S30, _S27, _S31 = np.uint64(30), np.uint64(27), np.uint64(31)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_BORDERS = np.array([BUCKETS, 2 * BUCKETS], dtype=np.uint32)
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)?|[^\w\s]")
_HANDLE = re.compile(r"@\w+|\bhttps?://\S+|\bwww\.\S+")
_SPELLED = re.compile(r"(?<!\w)\w(?:[ .\-_*]\w){2,}(?!\w)")
_MIXED = re.compile(r"(?<!\w)(?=\w*[^\W\d_])(?=\w*\d)[\w@$]+(?!\w)")
_NUMBER = re.compile(r"\d+")
_STRETCH = re.compile(r"(.)\1{2,}")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_MAY_SPELL = re.compile(r"[ .\-_*]\w[ .\-_*]\w")
"""Stands in whatever `_SPELLED` matches, and is sooner looked for."""
_LEET = str.maketrans("013457@$", "oieastas")


def form(text: str) -> str:
    """Return the one form in which a text is read, in training and when served alike.

    Compatibility characters, case, accents, invisible characters, numbers, handles and addresses,
    stretched letters, letters written as digits and l e t t e r s apart are brought to one form.
    """
    text = text[:LONGEST]
    if not text.isascii():
        text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
        if not text.isascii():
            text = text.translate(_SHOWN)
    text = text.casefold()
    # What most texts have none of is ruled out before an expression walks through them.
    if "@" in text or "://" in text or "www." in text:
        text = _HANDLE.sub("@", text)
    if _MAY_SPELL.search(text):
        text = _SPELLED.sub(lambda m: re.sub(r"\W|_", "", m.group()), text)
    if _NUMBER.search(text):
        text = _MIXED.sub(lambda m: m.group().translate(_LEET), text)
        text = _NUMBER.sub("0", text)
    return " ".join(_STRETCH.sub(r"\1\1", text).split())


class _Shown(dict[int, str | None]):
    """A table for `translate` without marks and signs of format; filled as characters come."""

    def __missing__(self, code: int) -> str | None:
        char = chr(code)
        shown = None if unicodedata.category(char) in ("Mn", "Cf") else char
        self[code] = shown
        return shown


_SHOWN = _Shown({code: chr(code) for code in range(128)})


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
    rows = [_row(text) for text in texts]
    starts = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum([len(columns) for columns, _ in rows], out=starts[1:])
    sizes = [n for _, blocks in rows for n in blocks]
    weights = np.array([n**-0.5 if n else 0.0 for n in sizes], dtype=np.float32)
    columns = np.concatenate([c for c, _ in rows]) if rows else np.zeros(0, dtype=np.int64)
    return Grams(starts=starts, columns=columns, values=np.repeat(weights, sizes))


def _row(text: str) -> tuple[NDArray[np.int64], list[int]]:
    """Buckets of one text, block by block, each once and ascending; and the size of each block."""
    words, kinds = _words(text)
    blocks = ([char_runs(text)[0]], words, kinds)
    sizes = [sum(map(len, parts)) for parts in blocks]
    whole = [h for parts in blocks for h in parts]
    # The block stands above the bucket: one sort orders all three, and nothing is mixed up.
    found = buckets(np.concatenate(whole)).astype(np.uint32)
    found[sizes[0] :] += np.uint32(BUCKETS)
    found[sizes[0] + sizes[1] :] += np.uint32(BUCKETS)
    found.sort()
    first = np.ones(len(found), dtype=np.bool_)
    np.not_equal(found[1:], found[:-1], out=first[1:])
    found = found[first]
    one, two = np.searchsorted(found, _BORDERS).tolist()
    return (found & np.uint32(BUCKETS - 1)).astype(np.int64), [one, two - one, len(found) - two]


def char_runs(text: str) -> tuple[U64, NDArray[np.int64]]:
    """Return hashes of runs of characters, and which word each is of, counted from 0.

    A run may begin or end with a space but holds none, so that it is a part of one word with the
    spaces around it.
    """
    codes = np.frombuffer(f" {text} ".encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(
        np.uint64
    )
    letter = codes != 32
    word = np.cumsum(~letter) - 1
    hashes, words = [], []
    h = codes
    within = np.ones(len(codes), dtype=np.bool_)
    for n in range(2, CHARS[1] + 1):
        if len(codes) < n:
            break
        h = h[:-1] * _BASE_64 + codes[n - 1 :]
        within = within[:-1]
        if n > 2:
            within = within & letter[n - 2 : -1]
        if n >= CHARS[0]:
            hashes.append(h[within] + np.uint64(n * _CHAR & _MASK))
            words.append(word[: len(within)][within])
    return np.concatenate(hashes), np.concatenate(words)


def bucket_of(run: str) -> int:
    """Return the bucket of one run of characters, as `char_runs` and `buckets` give it."""
    h = 0
    for char in run:
        h = (h * _BASE + ord(char)) & _MASK
    x = (h + len(run) * _CHAR) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return (x ^ (x >> 31)) & (BUCKETS - 1)


def _words(text: str) -> tuple[list[U64], list[U64]]:
    """Hashes of runs of words, and of words read by their class."""
    read = [token_of(t) for t in tokens(text)]
    if not read:
        return [], []
    both = np.array(read, dtype=np.uint64)
    word, kind = both[:, 0], both[:, 1]
    named = kind > 0
    told = np.where(named, kind * np.uint64(_KIND), word)
    return word_runs(np.concatenate([word, told, told[named]]), bytes(kind.astype(np.uint8)))


def told_of(token: str) -> tuple[int, int, int]:
    """Return the hash of a word, the hash it has by its class, and the number of that, 0 if none.

    The second is the first where it has no class.
    """
    word, kind = token_of(token)
    return word, kind * _KIND & _MASK if kind else word, kind


def ahead_of(hashed: int) -> int:
    """Return what the hash of a word adds to that of a run which it begins."""
    x = ((hashed ^ (hashed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return (x ^ (x >> 31)) * _BASE & _MASK


def word_runs(x: U64, kinds: bytes, ahead: U64 | None = None) -> tuple[list[U64], list[U64]]:
    """Return hashes of the runs of words, and of the runs of words read by their class.

    All are hashed as one row, for numpy takes as long for one as for all; runs that reach from one
    part of the row into the next are left out.

    Args:
        x: the hashes of the words; behind them, of the words by class; behind those, of the ones
            alone that have a class.
        kinds: the class of each word, 0 for none.
        ahead: `ahead_of` each hash; None: it is made here.
    """
    many = len(kinds)
    if ahead is None:
        ahead = _mixed(x) * _BASE_64
    two = ahead[:-1] + x[1:]
    skip = ahead[:-2] + x[2:]
    three = _mixed(two[:-1]) * _BASE_64 + x[2:]
    four = _mixed(three[:-1]) * _BASE_64 + x[3:]
    lay = _layout if many <= _SHORT else _layout.__wrapped__
    places, salts, size = lay(many, len(x) - 2 * many)
    found = np.concatenate([x, two, skip, three, four]).take(places)
    found ^= salts
    words, classes = [found[:size]], [found[size:]]
    denial = _denial()
    if denial in kinds:
        denied = _denied(kinds, denial)
        words.append(_salted(x.take(denied), 5))
        named = [many + i for i in denied if kinds[i]]
        if named:
            classes.append(_salted(x.take(named), 19))
    return words, classes


def _denied(kinds: bytes, denial: int) -> list[int]:
    """Which words stand within `SCOPE` words after a denial, and are none."""
    found: dict[int, None] = {}
    at = kinds.find(denial)
    while at >= 0:
        found.update(dict.fromkeys(range(at + 1, min(at + 1 + SCOPE, len(kinds)))))
        at = kinds.find(denial, at + 1)
    return [i for i in found if kinds[i] != denial]


@cache
def _denial() -> int:
    return _kinds()[1]["NOT"]


_RUNS: tuple[tuple[tuple[int, ...], ...], ...] = (
    ((1,), (2, 1), (3, 1, 2), (4, 2)),
    ((12, 1), (13, 1, 2), (14, 1, 2, 3), (15, 2)),
    ((11,), (16, 1), (17, 1, 2), (18, 2), (20, 1, 2, 3)),
)
"""Of words, of words and classes, and of classes alone: (salt, distances of the parts after the
first) of each kind of run."""
_SALTS = tuple(np.uint64(salt * _WORD & _MASK) for salt in range(21))
_SHORT = 160
"""Words of a text up to which the places of its runs are kept ready."""


@lru_cache(maxsize=256)
def _layout(words: int, classes: int) -> tuple[NDArray[np.int64], U64, int]:
    """Return where the runs stand among all hashes, the salt of each, and how many are of words."""
    row = 2 * words + classes
    sizes = {(): row, (1,): row - 1, (2,): row - 2, (1, 2): row - 2, (1, 2, 3): row - 3}
    begins, at = {}, 0
    for parts, size in sizes.items():
        begins[parts] = at
        at += max(size, 0)
    places: list[NDArray[np.int64]] = []
    salts: list[U64] = []
    ends = []
    start = 0
    for length, kinds in zip((words, words, classes), _RUNS, strict=True):
        for salt, *after in kinds:
            size = max(length - (after[-1] if after else 0), 0)
            places.append(np.arange(size, dtype=np.int64) + (begins[tuple(after)] + start))
            salts.append(np.full(size, _SALTS[salt]))
        start += length
        ends.append(sum(map(len, places)))
    return np.concatenate(places), np.concatenate(salts), ends[0]


def _salted(h: U64, salt: int) -> U64:
    return h ^ _SALTS[salt]


def buckets(h: U64) -> U64:
    """Return the buckets of hashes."""
    return _mixed(h) & _LOW


def _mixed(h: U64) -> U64:
    out = h >> _S30
    out ^= h
    out *= _M1
    shifted = out >> _S27
    out ^= shifted
    out *= _M2
    np.right_shift(out, _S31, out=shifted)
    out ^= shifted
    return out


def word_columns(words: Sequence[str]) -> NDArray[np.int64]:
    """Return the column of each word by itself, shape (words,)."""
    hashes = np.array([token_of(word)[0] for word in words], dtype=np.uint64)
    salt = next(run[0] for run in _RUNS[0] if len(run) == 1)
    return buckets(_salted(hashes, salt)).astype(np.int64)


def tokens(text: str) -> list[str]:
    """Return the words and marks of a text in its `form`."""
    return _TOKEN.findall(text)


def kind_of(token: str) -> str | None:
    """Return the name of the class of a word, None for none."""
    number = _kind(token)
    return next((name for name, n in _kinds()[1].items() if n == number), None)


@lru_cache(maxsize=2**14)
def token_of(token: str) -> tuple[int, int]:
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
