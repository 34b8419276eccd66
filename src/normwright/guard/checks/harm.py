"""The classifier of harm, whose labels the detectors turn into signals."""

from __future__ import annotations

import hashlib
import re
from array import array
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from normwright.guard.recent import Recent
from normwright.guard.sights import Kit, Passage, Sight, TextReader
from normwright.plugins import Card, plugin

_WINDOW: Final = 600
"""Characters read at once: what is short is lost in what is long."""
_WINDOWS: Final = 64
"""Windows of one text that are read; see `harm`."""
_PRIMED: Final = 20_000
"""Texts read beforehand that are kept, before all are forgotten."""
_KNOWN: Final = 2 << 20
"""Bytes of one generation of labels that are kept, by the digest of their window; see `Recent`."""
_ROOM: Final = 320
"""Bytes that one entry takes beside its numbers."""
LEAST: Final = 0.05
"""Probability below which a label is not worth a sight."""
_BREAK: Final = re.compile(r"(?<=[.!?;\n])\s+")
_WORD_ENDS: Final = re.compile(r"[^\W\d_][\W\d_]")
_WORD: Final = re.compile(r"[^\W\d_]{2}")


@plugin(
    Card(
        name="harm",
        kind="checks",
        summary="The embedded classifier of harm, with calibrated probabilities, in each label.",
        reference="Linear on hashed n-grams; its own page tells how it was trained and measured",
        claims=("reads every form of a text", "says nothing without a classifier"),
        takes="passage",
        status="tested",
    )
)
def harm(passage: Passage, kit: Kit) -> list[Sight]:
    """Return the labels the classifier reads, each as sure as its surest window.

    A text longer than the windows that are read at once is read in its whole as well, in steps as
    wide as needed: no part is left unread.
    """
    reader = kit.batch or kit.harm
    if reader is None or not kit.detectors.labels:
        return []
    best: dict[str, tuple[float, tuple[int, int], str]] = {}
    parts = parts_of(passage)
    if not parts:
        return []
    for (_, span, kind), labels in zip(parts, reader.read([t for t, _, _ in parts]), strict=True):
        for label, chance in labels.items():
            if chance >= LEAST and (label not in best or chance >= best[label][0]):
                best[label] = (chance, span, kind)
    many = max(1, sum(kind == "plain" for _, _, kind in parts))
    found = [
        Sight(
            kit.detectors.labels[label],
            shared(chance, many),
            "classifier",
            f"harm:{label}",
            (span,),
            kind,
        )
        for label, (chance, span, kind) in best.items()
        if label in kit.detectors.labels
    ]
    return [sight for sight in found if sight.chance >= LEAST]


def shared(chance: float, many: int) -> float:
    """Return the probability that a window of a long text is one that its label speaks of.

    The classifier was calibrated on short texts. That a text is harmful is no likelier because it
    is long, so what was likely before anything was read is shared among its windows: the odds of
    each are divided by their number. Otherwise every book would have a window that looks harmful.
    """
    return chance / (chance + (1 - chance) * many)


def parts_of(passage: Passage) -> list[tuple[str, tuple[int, int], str]]:
    """Return what of a passage is read: (text, its place in the source, how it was hidden)."""
    parts: list[tuple[str, tuple[int, int], str]] = []
    for form in passage.forms.forms:
        # Cleaned words match patterns; as language they are too broken to classify.
        if form.tight or form.kind.endswith(("leet", "inserted", "split")):
            continue
        # A name without spaces is read as words; in prose its joined words are read as they stand.
        if form.kind.endswith("joined") and " " in passage.text:
            continue
        if _speaks(form.text):
            parts += [(t, form.span(a, b), form.kind) for t, a, b in windows(form.text)]
    return parts


def _speaks(text: str) -> bool:
    """Whether there are two words at least: a key or a slug says nothing about people."""
    first = _WORD_ENDS.search(text)
    return first is not None and _WORD.search(text, first.end()) is not None


class Batch:
    """A reader that can be told beforehand what it will be asked, to read it all at once.

    What it read lately it knows, by digest: of an answer that is still being written, or of a
    conversation that comes again, only what is new is read.
    """

    def __init__(self, reader: TextReader) -> None:
        self.reader = reader
        self._read: dict[str, Mapping[str, float]] = {}
        self._known: Recent[bytes, tuple[tuple[str, ...], array[float]]] = Recent(
            _KNOWN, weigh=lambda key, value: _ROOM + 8 * len(value[1])
        )
        self._names: tuple[str, ...] = ()

    def prime(self, texts: Sequence[str]) -> None:
        """Read texts; each is answered once, and then forgotten."""
        if len(self._read) > _PRIMED:
            self._read.clear()
        wanted = list(dict.fromkeys(texts))
        self._read.update(zip(wanted, self.reader.read(wanted), strict=True))

    def read(self, texts: Sequence[str]) -> list[Mapping[str, float]]:
        """Return the labels of each text."""
        keys = [hashlib.blake2b(t.encode(), digest_size=16).digest() for t in texts]
        known = [
            self._read.pop(t, None) or self._remembered(k) for t, k in zip(texts, keys, strict=True)
        ]
        missing = [t for t, k in zip(texts, known, strict=True) if k is None]
        found = iter(self.reader.read(missing) if missing else ())
        labels = [next(found) if k is None else k for k in known]
        for key, one in zip(keys, labels, strict=True):
            self._remember(key, one)
        return labels

    def _remembered(self, key: bytes) -> Mapping[str, float] | None:
        kept = self._known.get(key)
        return None if kept is None else dict(zip(*kept, strict=True))

    def _remember(self, key: bytes, labels: Mapping[str, float]) -> None:
        if self._known.get(key) is not None:
            return
        names = tuple(labels)
        # The labels are the same each time, and kept once.
        if names == self._names:
            names = self._names
        self._names = names
        self._known.put(key, (names, array("d", labels.values())))


def windows(text: str) -> list[tuple[str, int, int]]:
    """Return the parts of a text that are read, with their places: sentences joined to windows.

    The whole text is one of them where it is short. Where it would take more than `_WINDOWS`
    windows, they are made longer.
    """
    if len(text) <= _WINDOW:
        return [(text, 0, len(text))]
    wide = max(_WINDOW, -(-len(text) // _WINDOWS))
    edges = [0, *(m.end() for m in _BREAK.finditer(text)), len(text)]
    found: list[tuple[str, int, int]] = []
    start = 0
    for before, edge in pairwise(edges):
        if edge - start > wide and before > start:
            found.append((text[start:before], start, before))
            start = before
        while edge - start > wide:
            found.append((text[start : start + wide], start, start + wide))
            start += wide
    if start < len(text):
        found.append((text[start:], start, len(text)))
    return found
