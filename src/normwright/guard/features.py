"""Hashed n-grams with numpy alone, equal to scikit-learn's `HashingVectorizer` to the last bit.

Two blocks of 2**18 buckets: words (1 and 2) and characters within word borders (3 to 5), each
brought to length one. Serving needs no scikit-learn, whose import alone takes longer than a
thousand screenings. Hash: MurmurHash3 x86 32 (Appleby, public domain), as in
`sklearn.feature_extraction.FeatureHasher`, whose signs and buckets are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

BUCKETS = 2**18
"""Buckets of one block."""
WORDS = (1, 2)
CHARS = (3, 5)

_TOKEN = re.compile(r"(?u)\b\w\w+\b")
_WIDE = re.compile(r"\s\s+")


@dataclass(frozen=True)
class Rows:
    """Sparse rows: entry i is `values[i]` at column `columns[i]` of row `rows[i]`."""

    rows: NDArray[np.int64]
    """Row of each entry, ascending."""
    columns: NDArray[np.int64]
    """Column in [0, 2 * BUCKETS)."""
    values: NDArray[np.float64]
    count: int
    """Number of rows; rows without any entry count too."""


def words(text: str) -> list[str]:
    """Return the word uni- and bigrams of a text, as scikit-learn's `word` analyser does."""
    tokens = _TOKEN.findall(text.lower())
    return tokens + [f"{a} {b}" for a, b in pairwise(tokens)]


def chars(text: str) -> list[str]:
    """Return the character n-grams within word borders, as scikit-learn's `char_wb` does."""
    low, high = CHARS
    out: list[str] = []
    for word in _WIDE.sub(" ", text.lower()).split():
        padded = f" {word} "
        size = len(padded)
        for n in range(low, high + 1):
            if size <= n:
                # A short word is counted once, not once for every n.
                out.append(padded)
                break
            out += [padded[i : i + n] for i in range(size - n + 1)]
    return out


def featurise(texts: Sequence[str]) -> Rows:
    """Return the features of texts, one row a text, in both blocks."""
    parts = [_block(texts, words, 0), _block(texts, chars, BUCKETS)]
    rows = np.concatenate([p[0] for p in parts])
    order = np.argsort(rows, kind="stable")
    return Rows(
        rows=rows[order],
        columns=np.concatenate([p[1] for p in parts])[order],
        values=np.concatenate([p[2] for p in parts])[order],
        count=len(texts),
    )


def _block(
    texts: Sequence[str], grams: Callable[[str], list[str]], offset: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    lists = [grams(t) for t in texts]
    sizes = np.fromiter((len(g) for g in lists), dtype=np.int64, count=len(lists))
    hashed = murmur3([g.encode() for one in lists for g in one]).astype(np.int64)
    rows = np.repeat(np.arange(len(texts), dtype=np.int64), sizes)
    keys, where = np.unique(rows * BUCKETS + np.abs(hashed) % BUCKETS, return_inverse=True)
    sums = np.bincount(where, weights=np.where(hashed >= 0, 1.0, -1.0), minlength=len(keys))
    row = keys // BUCKETS
    length = np.sqrt(np.bincount(row, weights=sums * sums, minlength=len(texts)))
    length[length == 0] = 1.0
    return row, keys % BUCKETS + offset, sums / length[row]


def murmur3(tokens: Sequence[bytes]) -> NDArray[np.int32]:
    """Return the signed 32-bit MurmurHash3 (seed 0) of each token, shape (len(tokens),)."""
    if not tokens:
        return np.zeros(0, dtype=np.int32)
    sizes = np.fromiter((len(t) for t in tokens), dtype=np.int64, count=len(tokens))
    width = (int(sizes.max()) // 4 + 1) * 4
    padded = b"".join(t.ljust(width, b"\0") for t in tokens)
    blocks = np.frombuffer(padded, dtype="<u4").reshape(len(tokens), width // 4)
    full = sizes // 4
    h = np.zeros(len(tokens), dtype=np.uint32)
    for i in range(width // 4 - 1):
        mixed = h ^ _scramble(blocks[:, i])
        mixed = _rotate(mixed, 13) * np.uint32(5) + np.uint32(0xE6546B64)
        h = np.where(full > i, mixed, h)
    # What is left over is padded with zeros, and an empty rest scrambles to zero.
    h = h ^ _scramble(blocks[np.arange(len(tokens)), full]) ^ sizes.astype(np.uint32)
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return (h ^ (h >> np.uint32(16))).view(np.int32)


def _scramble(block: NDArray[np.uint32]) -> NDArray[np.uint32]:
    return _rotate(block * np.uint32(0xCC9E2D51), 15) * np.uint32(0x1B873593)


def _rotate(x: NDArray[np.uint32], by: int) -> NDArray[np.uint32]:
    return (x << np.uint32(by)) | (x >> np.uint32(32 - by))
