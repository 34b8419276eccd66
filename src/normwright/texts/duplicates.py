"""Texts that say nearly the same: candidates by MinHash, each verified by exact Jaccard.

A text is the set of its runs of five bytes, of plain words in UTF-8. MinHash with banding (Broder
1997; Indyk and Motwani 1998; datasketch) proposes who may resemble whom; only pairs whose sets are
as alike as asked for count, so that a false candidate costs time and never a row. What banding
overlooks is overlooked: at the threshold itself about one pair in seventy, above it fewer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from normwright.records import MissingExtra
from normwright.texts.words import plain

WIDTH: Final = 5
"""Bytes in a run."""
ALIKE: Final = 0.8
"""Jaccard similarity from which two texts are near-duplicates."""
PERMUTATIONS: Final = 128
_SEED: Final = 1
_BLOCK: Final = 4_096
"""Runs hashed at once: all permutations of them at a time stay in the cache."""
_OVERLOOKED: Final = 0.015
"""Share of the pairs at the threshold that banding may overlook."""

Shingles = NDArray[np.uint64]


@dataclass(frozen=True)
class Repeat:
    """A text that repeats an earlier one."""

    of: int
    """Place of the earlier text."""
    similarity: float
    """Jaccard similarity of the two, 1.0 for texts that are the same when plain."""


def shingles(text: str, *, width: int = WIDTH) -> Shingles:
    """Return the sorted set of runs of `width` bytes of a text's plain words.

    A shorter text is one run; a text without words has none.
    """
    if not 1 <= width <= 8:
        raise ValueError(f"expected a width from 1 to 8 bytes, saw {width}")
    data = plain(text).encode()
    if not data:
        return np.empty(0, np.uint64)
    letters = np.frombuffer(data.ljust(width, b"\0"), np.uint8)
    runs = np.zeros(len(letters) - width + 1, np.uint64)
    for at in range(width):
        runs = (runs << np.uint64(8)) | letters[at : at + len(runs)]
    return np.unique(runs)


def jaccard(left: Shingles, right: Shingles) -> float:
    """Return the share of runs two texts have in common among those either has; 0 for two of none.

    Args:
        left: sorted set of runs, shape (n,).
        right: sorted set of runs, shape (m,).
    """
    if not len(left) or not len(right):
        return 0.0
    both = len(np.intersect1d(left, right, assume_unique=True))
    return both / (len(left) + len(right) - both)


def repeats(
    texts: Sequence[str], *, threshold: float = ALIKE, told: Callable[[int], None] | None = None
) -> list[Repeat | None]:
    """Return for each text the earlier text it repeats, or None for one that stays.

    A text is compared with those that stay, never with one that is a repetition itself, so that no
    chain of small changes takes away what resembles nothing that is left. Texts without words are
    never repetitions of one another.

    Args:
        texts: in the order in which they have the right to stay.
        threshold: Jaccard similarity from which a text repeats another.
        told: is told how many texts were looked at.
    """
    index = _Index(threshold)
    found: list[Repeat | None] = []
    for place, text in enumerate(texts):
        best = max(index.alike(text), key=lambda hit: (hit[1], -hit[0]), default=None)
        found.append(Repeat(*best) if best is not None else None)
        if best is None:
            index.add(place, text)
        if told is not None:
            told(place + 1)
    return found


def clusters(
    texts: Sequence[str], *, threshold: float = ALIKE, told: Callable[[int], None] | None = None
) -> list[int]:
    """Return for each text the place of the first text of its cluster.

    Clusters are connected: texts that resemble a third are together even if they do not resemble
    one another. That is what a split needs, on whose other side nothing similar may lie.
    """
    index = _Index(threshold)
    first = list(range(len(texts)))

    def root(place: int) -> int:
        while first[place] != place:
            first[place] = first[first[place]]
            place = first[place]
        return place

    for place, text in enumerate(texts):
        # One verified pair joins two clusters; further pairs between them would say nothing new.
        for other, _ in index.alike(text, wanted=lambda one: root(one) != root(place)):  # noqa: B023
            low, high = sorted((root(other), root(place)))
            first[high] = low
        index.add(place, text)
        if told is not None:
            told(place + 1)
    return [root(place) for place in range(len(texts))]


def banding(threshold: float) -> tuple[int, int]:
    """Return how many bands there are, and how many permutations are in each.

    As many in each as leave a pair at the threshold overlooked with probability 0.015 at most, so
    that as few pairs below it as may be have to be verified.
    """
    for rows in range(PERMUTATIONS // 2, 1, -1):
        bands = PERMUTATIONS // rows
        if (1 - threshold**rows) ** bands <= _OVERLOOKED:
            return bands, rows
    return PERMUTATIONS, 1


def duplicate_tagger() -> str:
    """Return name and version of what proposes near-duplicates."""
    return f"datasketch {version('datasketch')}"


class _Index:
    """Texts by what they resemble."""

    def __init__(self, threshold: float) -> None:
        if not 0 < threshold <= 1:
            raise ValueError(f"expected a threshold above 0 and at most 1, saw {threshold}")
        if find_spec("datasketch") is None:
            raise MissingExtra("Finding near-duplicates", "learn")
        from datasketch import MinHashLSH

        self._threshold = threshold
        self._bands: Any = MinHashLSH(num_perm=PERMUTATIONS, params=banding(threshold))
        self._empty = _sketch_of_nothing()
        self._same: dict[str, int] = {}
        self._runs: dict[int, Shingles] = {}
        self._last: tuple[str, Any] = ("", None)
        self._read_last = ("", "", shingles(""))

    def alike(
        self, text: str, *, wanted: Callable[[int], bool] = lambda place: True
    ) -> Iterator[tuple[int, float]]:
        """Yield place and similarity of the texts that are as alike as asked for, in order."""
        form, runs = self._read(text)
        if not form:
            return
        same = self._same.get(form)
        if same is not None:
            # Whatever else it resembles, the text it equals resembles too.
            if wanted(same):
                yield same, 1.0
            return
        for place in sorted(self._bands.query(self._sketch(form, runs))):
            if wanted(place) and (found := jaccard(runs, self._runs[place])) >= self._threshold:
                yield place, found

    def add(self, place: int, text: str) -> None:
        """Have a text found from now on."""
        form, runs = self._read(text)
        if form and form not in self._same:
            self._same[form] = place
            self._runs[place] = runs
            self._bands.insert(place, self._sketch(form, runs), check_duplication=False)

    def _read(self, text: str) -> tuple[str, Shingles]:
        """Return a text's plain form and its runs, kept until the next text."""
        if self._read_last[0] != text:
            self._read_last = (text, plain(text), shingles(text))
        return self._read_last[1:]

    def _sketch(self, form: str, runs: Shingles) -> Any:
        if self._last[0] != form:
            self._last = (form, self._sketched(runs))
        return self._last[1]

    def _sketched(self, runs: Shingles) -> Any:
        sketch = self._empty.copy()
        for start in range(0, len(runs), _BLOCK):
            sketch.update_batch(runs[start : start + _BLOCK].tolist())
        return sketch


def _sketch_of_nothing() -> Any:
    from datasketch import MinHash

    return MinHash(num_perm=PERMUTATIONS, seed=_SEED, hashfunc=int, scheme="affine64")
