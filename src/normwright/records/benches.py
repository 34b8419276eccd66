"""How a guard does on labelled lines, beside ways of deciding that read little or nothing."""

from __future__ import annotations

from typing import ClassVar

from normwright.records.base import Digest, Frozen, Record
from normwright.records.estimates import Estimate


class Way(Frozen):
    """What one way of deciding comes to on some lines. Intervals are exact, lines independent."""

    name: str
    """`guard`, or a baseline: `aira-compat`, `stop-all`, `stop-none`. The constant answer that is
    right more often is the majority's."""
    recall: Estimate
    """Share of the harmful lines that it stops."""
    over_refusal: Estimate
    """Share of the harmless lines that it stops, by the same decisions."""
    accuracy: Estimate


class BenchPart(Frozen):
    """Some of the lines."""

    name: str
    """`all`, `lang: en` or `source: NAME`."""
    harmful: int
    harmless: int
    ways: tuple[Way, ...]

    @property
    def majority(self) -> str:
        """The constant answer that is right more often; nothing is stopped where they are even."""
        return "stop-all" if self.harmful > self.harmless else "stop-none"


class Spent(Frozen):
    """Milliseconds that one line took, screened by itself with nothing kept ready."""

    p50: float
    p99: float
    n: int


class GuardBench(Record):
    """Quality and speed of a policy's guard on labelled lines."""

    outside_digest: ClassVar[frozenset[str]] = frozenset({"spent"})

    policy: Digest
    classifier: Digest | None
    """Digest of the classifier's weights; None: no classifier was read."""
    lines: Digest
    """Of the file."""
    checks: tuple[str, ...]
    parts: tuple[BenchPart, ...]
    unchecked: int
    """Lines that the guard could not check and therefore stopped."""
    no_aira: int
    """Lines in a language that `aira-compat` has no classifier of: it is told on the others."""
    spent: Spent
