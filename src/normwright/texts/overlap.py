"""Whether a text holds the questions of a benchmark.

A benchmark's item is in a text if the text has at least half of its runs of thirteen words (the
size used for GPT-3, Brown et al. 2020, and Tülu 3, Lambert et al. 2024); an item with fewer words
if the whole of it stands in the text; and one with fewer than six only if it is the whole text,
because such short runs occur everywhere.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from normwright.texts.words import words

RUN: Final = 13
"""Words in a run."""
SHARE: Final = 0.5
"""Share of an item's runs that a text must have."""
FEWEST: Final = 6
"""Words an item must have to be looked for inside a text."""

Words = tuple[str, ...]


@dataclass(frozen=True)
class Overlap:
    """A benchmark's item that a text holds."""

    item: str
    """Name of the item."""
    share: float
    """Share of the item's runs in the text; 1 where the whole item is in it."""


class Benchmarks:
    """The items of benchmarks, ready to be looked for.

    Args:
        items: name and text of each; the same text twice is looked for once, by its first name.
        run: words in a run.
        share: share of an item's runs that a text must have.
        fewest: words an item must have to be looked for inside a text, at most `run`.
    """

    def __init__(
        self,
        items: Iterable[tuple[str, str]],
        *,
        run: int = RUN,
        share: float = SHARE,
        fewest: int = FEWEST,
    ) -> None:
        if not 1 <= fewest <= run or not 0 < share <= 1:
            raise ValueError(
                f"expected 1 <= fewest <= run and 0 < share <= 1, saw {fewest}, {run}, {share}"
            )
        self._run, self._share, self._fewest = run, share, fewest
        self._whole: dict[Words, str] = {}
        self._inside: defaultdict[Words, list[Words]] = defaultdict(list)
        self._runs: defaultdict[Words, list[str]] = defaultdict(list)
        self._counts: dict[str, int] = {}
        for name, text in items:
            self._add(name, tuple(words(text)))

    def __len__(self) -> int:
        return len(self._whole)

    def find(self, text: str) -> Overlap | None:
        """Return the item a text holds most of, the first by name among equals, or None."""
        return next(iter(self.find_all(text)), None)

    def find_all(self, text: str) -> list[Overlap]:
        """Return every item a text holds, each once, as `find` would have them: most of it first.

        A text twice in the benchmarks is found under its first name alone.
        """
        told = words(text)
        found = {one.item: one for one in (*self._parts_in(told), *self._whole_in(told))}
        return sorted(found.values(), key=lambda one: (-one.share, one.item))

    def _add(self, name: str, told: Words) -> None:
        if not told or told in self._whole:
            return
        self._whole[told] = name
        if self._fewest <= len(told) < self._run:
            self._inside[told[: self._fewest]].append(told)
        elif len(told) >= self._run:
            runs = set(_runs(told, self._run))
            self._counts[name] = len(runs)
            for one in sorted(runs):
                self._runs[one].append(name)

    def _whole_in(self, told: Sequence[str]) -> Iterable[Overlap]:
        if (name := self._whole.get(tuple(told))) is not None:
            yield Overlap(name, 1.0)
        if not self._inside:
            return
        for at, start in enumerate(_runs(told, self._fewest)):
            for item in self._inside.get(start, ()):
                if tuple(told[at : at + len(item)]) == item:
                    yield Overlap(self._whole[item], 1.0)

    def _parts_in(self, told: Sequence[str]) -> Iterable[Overlap]:
        if not self._runs:
            return
        had = Counter(
            name for run in set(_runs(told, self._run)) for name in self._runs.get(run, ())
        )
        for name, count in had.items():
            if (share := count / self._counts[name]) >= self._share:
                yield Overlap(name, share)


def _runs(told: Sequence[str], length: int) -> Iterable[Words]:
    return zip(*(told[at:] for at in range(length)), strict=False)
