"""Raw scores of texts, word by word: the sums that the rows of `grams` come to, without the rows.

A run of characters lies within one word and the spaces around it, so that the runs of a word are
the same in every text: they are hashed once and kept, as its tokens are. Weights are whole numbers,
whose sums are exact in any order: what is kept and what is new give the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from normwright.guard.recent import Recent
from normwright.guard.text_harm.grams import (
    BUCKETS,
    buckets,
    buckets_of,
    char_runs,
    form,
    tokens,
    told_of,
    word_runs,
)

KEPT: Final = 4_096
"""Words of one generation that are kept ready; see `Recent`."""

_EXACT: Final = 2**17
"""Rows whose sums are exact in 32 bits: 127 * 2**17 < 2**24."""
_ONES: Final = np.ones(_EXACT, dtype=np.float32)

_FEW: Final = 3
_LONG: Final = 24
"""Words and letters up to which a word is hashed by itself."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Word:
    """What one word, with the spaces around it, adds to any text."""

    runs: bytes
    """Numbers of its runs of characters, 32 bits each."""
    plain: bytes
    """Hashes of its tokens, 64 bits each."""
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
        self._words: Recent[str, Word] = Recent(KEPT)

    def sums(self, texts: Iterable[str]) -> Floats:
        """Return the sum of the weights of each text's features, shape (texts, heads).

        Each block of features has length one, as in the rows of `grams`.
        """
        found = [self._sum(form(text)) for text in texts]
        return np.array(found, dtype=np.float64).reshape(len(found), self._heads)

    def _sum(self, text: str) -> Floats:
        words = text.split(" ")
        known = self._known(words)
        numbers = self._numbers_of(known, [known[w] for w in words])
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

    def _numbers_of(self, known: dict[str, Word], said: Sequence[Word]) -> NDArray[np.uint32]:
        """Numbers of a text's features, block above block, each once and ascending."""
        x = b"".join([*[w.plain for w in said], *[w.told for w in said], *[w.named for w in said]])
        kinds = b"".join([w.kinds for w in said])
        words, classes = word_runs(np.frombuffer(x, "<u8"), kinds) if kinds else ([], [])
        own = np.frombuffer(b"".join([w.runs for w in known.values()]), np.uint32)
        both = [*words, *classes]
        if not both:
            return np.unique(own)
        size = sum(map(len, words))
        more = self._numbers.take(buckets(np.concatenate(both)).view(np.int64))
        more[:size] += np.uint32(self._block)
        more[size:] += np.uint32(2 * self._block)
        found = np.concatenate([own, more])
        found.sort()
        first = np.empty(len(found), dtype=np.bool_)
        first[0] = True
        np.not_equal(found[1:], found[:-1], out=first[1:])
        return found[first]

    def _known(self, words: Iterable[str]) -> dict[str, Word]:
        """Each word once, with what it adds."""
        found = self._words.all(words)
        known = {word: one for word, one in found.items() if one is not None}
        if len(known) == len(found):
            return known
        new = [word for word in found if word not in known]
        for word, one in zip(new, self._made(new), strict=True):
            self._words.put(word, one)
            found[word] = known[word] = one
        # In the order in which they were said, whichever was known.
        return {word: known[word] for word in found}

    def _made(self, words: list[str]) -> list[Word]:
        """What words add that are not kept; many are hashed all at once."""
        if len(words) <= _FEW and max(map(len, words)) <= _LONG:
            return [self._one(word) for word in words]
        hashes, of = char_runs(" ".join(words))
        numbers = self._numbers.take(buckets(hashes).view(np.int64)).astype(np.int64)
        pairs = np.unique(of << 32 | numbers)
        ends = np.searchsorted(pairs, np.arange(1, len(words) + 1, dtype=np.int64) << 32).tolist()
        runs = (pairs & 0xFFFFFFFF).astype(np.uint32)
        starts = [0, *ends]
        return [
            _word(word, runs[start:end].tobytes())
            for word, start, end in zip(words, starts, ends, strict=False)
        ]

    def _one(self, word: str) -> Word:
        runs = self._numbers.take(np.fromiter(buckets_of(word), np.int64))
        return _word(word, runs.tobytes())


def _word(word: str, runs: bytes) -> Word:
    read = [told_of(t) for t in tokens(word)]
    plain = b"".join([plain.to_bytes(8, "little") for plain, _, _ in read])
    if not any(kind for _, _, kind in read):
        return Word(runs=runs, plain=plain, told=plain, named=b"", kinds=bytes(len(read)))
    return Word(
        runs=runs,
        plain=plain,
        told=b"".join([told.to_bytes(8, "little") for _, told, _ in read]),
        named=b"".join([told.to_bytes(8, "little") for _, told, kind in read if kind]),
        kinds=bytes([kind for _, _, kind in read]),
    )


def _summed(weights: NDArray[Any]) -> Floats:
    """The sum of rows of weights; exact."""
    if weights.dtype == np.float32:
        return np.asarray(_ONES[: len(weights)] @ weights, dtype=np.float64)
    return np.asarray(weights.sum(axis=0, dtype=np.float64))
