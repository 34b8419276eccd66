"""Raw scores of texts, word by word: the sums that the rows of `grams` come to, without the rows.

A run of characters lies within one word and the spaces around it, so that the runs of a word are
the same in every text: they are hashed once and kept, as its tokens are. Weights are whole numbers,
whose sums are exact in any order: what is kept and what is new give the same to the last bit.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from math import sqrt
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from normwright.guard.recent import Made
from normwright.guard.text_harm.grams import (
    BUCKETS,
    CHARS,
    ahead_of,
    bucket_of,
    buckets,
    char_runs,
    form,
    tokens,
    told_of,
    word_runs,
)

KEPT: Final = 4_096
"""Words of one generation that are kept ready, and as many runs of characters; see `Made`."""

_EXACT: Final = 2**17
"""Rows whose sums are exact in 32 bits: 127 * 2**17 < 2**24."""
_ONES: Final = np.ones(_EXACT, dtype=np.float32)

_LONG: Final = 24
"""Letters up to which a word is kept, and hashed by itself."""

Floats = NDArray[np.float64]


class Word(NamedTuple):
    """What one word, with the spaces around it, adds to any text."""

    runs: bytes
    """Numbers of its runs of characters, 32 bits each."""
    plain: bytes
    """Hashes of its tokens, 64 bits each, and behind each what it adds to a run it begins."""
    told: bytes
    """The same, with the hash of its class for a token that has one."""
    named: bytes
    """Of those the ones alone that have a class."""
    kinds: bytes
    """Class of each token, 8 bits each; 0 for none."""


class Scorer:
    """Sums of weights for texts. It may be shared by threads.

    A bucket has a number: the row of its weights, or one beyond all rows where it has none.

    Args:
        columns: sorted buckets that carry weight, shape (k,).
        weights: shape (k, heads), eight-bit.
    """

    def __init__(self, columns: NDArray[np.int64], weights: NDArray[np.int8]) -> None:
        rows, self._heads = weights.shape
        numbers = np.arange(rows, rows + BUCKETS, dtype=np.uint32)
        numbers[columns] = np.arange(rows, dtype=np.uint32)
        self._numbers = numbers
        # Blocks lie one above the other, so that one sort orders all three.
        self._block = rows + BUCKETS
        self._borders = np.array(
            [b * self._block + at for b in range(3) for at in (rows, self._block)], dtype=np.uint32
        )
        self._shift = np.array([self._block, 2 * self._block], dtype=np.uint32)
        # A row of so many bytes is gathered as if it were one number.
        self._width = 1 << max(3, (self._heads - 1).bit_length())
        wide = np.zeros((rows, self._width), dtype=np.int8)
        wide[:, : self._heads] = weights
        self._rows = wide.view(f"V{self._width}")[:, 0]
        self._words = Made(self._word, KEPT, weighs=lambda word: len(word) <= _LONG)
        # Short runs come again in words that nobody has said before.
        self._runs = Made(self._number, 4 * KEPT, weighs=lambda run: True)

    def sums(self, texts: Iterable[str]) -> Floats:
        """Return the sum of the weights of each text's features, shape (texts, heads).

        Each block of features has length one, as in the rows of `grams`.
        """
        found = [self._sum(form(text)) for text in texts]
        return np.array(found, dtype=np.float64).reshape(len(found), self._heads)

    def _sum(self, text: str) -> Floats:
        numbers = self._numbers_of(text.split(" "))
        a, b, c, d, e, end = np.searchsorted(numbers, self._borders).tolist()
        rows = np.concatenate(
            [numbers[:a], numbers[b:c] - self._shift[0], numbers[d:e] - self._shift[1]]
        )
        weights = self._rows.take(rows).view(np.int8).reshape(len(rows), self._width)
        # Sums of whole numbers, exact in 32 bits up to so many.
        if len(rows) <= _EXACT:
            weights = weights.astype(np.float32)
        total = np.zeros(self._width)
        at = 0
        for many, size in ((a, b), (c - b, d - b), (e - d, end - d)):
            if many:
                total += _summed(weights[at : at + many]) / sqrt(size)
                at += many
        return total[: self._heads]

    def _numbers_of(self, words: list[str]) -> NDArray[np.uint32]:
        """Numbers of a text's features, block above block, each once and ascending."""
        runs, plain, told, named, many = zip(*map(self._words.__getitem__, words), strict=True)
        own = np.frombuffer(b"".join(set(runs)), np.uint32)
        kinds = b"".join(many)
        if not kinds:
            return np.unique(own)
        x = np.frombuffer(b"".join((*plain, *told, *named)), "<u8")
        spoken, classes = word_runs(x[::2], kinds, x[1::2])
        size = sum(map(len, spoken))
        more = self._numbers.take(buckets(np.concatenate([*spoken, *classes])).view(np.int64))
        more[:size] += self._shift[0]
        more[size:] += self._shift[1]
        found = np.concatenate([own, more])
        found.sort()
        first = np.empty(len(found), dtype=np.bool_)
        first[0] = True
        np.not_equal(found[1:], found[:-1], out=first[1:])
        return found[first]

    def _word(self, word: str) -> Word:
        """What a word adds."""
        read = [told_of(t) for t in tokens(word)]
        plain = b"".join([_pair(plain) for plain, _, _ in read])
        if not any(kind for _, _, kind in read):
            return Word(self._runs_of(word), plain, plain, b"", bytes(len(read)))
        return Word(
            runs=self._runs_of(word),
            plain=plain,
            told=b"".join([_pair(told) for _, told, _ in read]),
            named=b"".join([_pair(told) for _, told, kind in read if kind]),
            kinds=bytes([kind for _, _, kind in read]),
        )

    def _runs_of(self, word: str) -> bytes:
        """Numbers of a word's runs of characters, each once."""
        if len(word) > _LONG:
            numbers = self._numbers.take(buckets(char_runs(word)[0]).view(np.int64))
            return np.unique(numbers).tobytes()
        padded = f" {word} "
        most = len(padded)
        runs = {
            padded[start:end]
            for start in range(most - 1)
            for end in range(start + 2, min(start + CHARS[1], most) + 1)
        }
        return array("I", map(self._runs.__getitem__, runs)).tobytes()

    def _number(self, run: str) -> int:
        """The number of one run of characters."""
        return int(self._numbers[bucket_of(run)])


def _pair(hashed: int) -> bytes:
    """A hash and what it adds to a run that it begins."""
    return (hashed | ahead_of(hashed) << 64).to_bytes(16, "little")


def _summed(weights: NDArray[Any]) -> Floats:
    """The sum of rows of weights; exact."""
    if weights.dtype == np.float32:
        return np.asarray(_ONES[: len(weights)] @ weights, dtype=np.float64)
    return np.asarray(weights.sum(axis=0, dtype=np.float64))
