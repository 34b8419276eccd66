"""Curation under norms: which rows are learned from, by which norm, and what became of the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from normwright.learn.curating.documents import Document
from normwright.learn.curating.filters import Attribute, Finding, Given, find, tagger
from normwright.learn.curating.settings import Curation, Filtering
from normwright.records import CurationEntry
from normwright.texts import Span, masked

Watch = Callable[[str, int, int], None]
"""Told the filter that works, how many rows it has seen, and how many there are."""


@dataclass(frozen=True)
class Decision:
    """What became of one row, and by which norm. There is one for every row."""

    id: str
    file: str
    action: Literal["kept", "removed"]
    norms: tuple[str, ...]
    """The norm that removed it; or all by which it was looked at and kept."""
    filter: str | None
    """The filter that removed it."""
    reason: str
    score: float | None
    tagger: str | None
    masked: int = 0
    """Places in it that were masked."""

    def as_row(self) -> dict[str, Any]:
        """Return it as a row of the log."""
        return {**self.__dict__, "norms": list(self.norms)}


@dataclass(frozen=True)
class Noted:
    """What one filter found at the places of one row."""

    norm: str
    filter: str
    tagger: str
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True)
class Selection:
    """Rows that are kept, rows that are not, and why."""

    kept: tuple[Document, ...]
    """With what was masked in them."""
    removed: tuple[Document, ...]
    """As they came, but for what a mask before the removal hid."""
    decisions: tuple[Decision, ...]
    """One for every row, sorted by id."""
    notes: Mapping[str, tuple[Noted, ...]]
    """What was found in each row, by id."""
    steps: tuple[Step, ...]

    def entries(self) -> tuple[CurationEntry, ...]:
        """Return how many rows each norm removed and kept, and by which filter."""
        counts: Counter[tuple[str, Literal["removed", "kept"], str]] = Counter()
        for step in self.steps:
            counts[step.norm, "removed", step.filter] += step.removed
            counts[step.norm, "kept", step.filter] += step.seen - step.removed
        return tuple(
            CurationEntry(norm=norm, action=action, reason=reason, rows=rows)
            for (norm, action, reason), rows in sorted(counts.items())
            if rows
        )


@dataclass(frozen=True)
class Step:
    """What one filter did to the rows it met."""

    filter: str
    norm: str
    tagger: str
    seen: int
    removed: int
    masked: int
    """Rows in which something was masked."""


def curate(
    documents: Sequence[Document],
    settings: Curation,
    *,
    norms: Mapping[str, str],
    given: Given | None = None,
    watch: Watch = lambda name, done, total: None,
) -> Selection:
    """Return which rows are kept, by the filters in their order, with one decision for each row.

    Args:
        documents: sorted by id, each with an id of its own.
        settings: the filters.
        norms: reference of each norm by the name the filters call it.
        given: what filters read beside the rows.
        watch: told how far each filter is.

    Raises:
        KeyError: for a filter whose norm is not among them.
    """
    beside = replace(given or Given(), documents={one.id: one for one in documents})
    left = list(documents)
    removed: dict[str, Document] = {}
    decisions: dict[str, Decision] = {}
    masks: Counter[str] = Counter()
    notes: dict[str, list[Noted]] = {one.id: [] for one in documents}
    steps: list[Step] = []
    for filter_ in settings.filters:
        norm, by = norms[filter_.norm], tagger(filter_)
        total = len(left)
        findings = list(
            find(filter_, left, beside, lambda done: watch(filter_.filter, done, total))  # noqa: B023
        )
        stay: list[Document] = []
        before = masks.copy()
        for one, finding in zip(left, findings, strict=True):
            if finding.attributes:
                notes[one.id].append(Noted(norm, filter_.filter, by, finding.attributes))
            if finding.verdict == "remove":
                removed[one.id] = one
                decisions[one.id] = _removed(one, filter_, norm, by, finding, masks[one.id])
            elif finding.verdict == "mask":
                masks[one.id] += len(finding.attributes)
                stay.append(_masked(one, finding))
            else:
                stay.append(one)
        masked_rows = sum(masks[one.id] != before[one.id] for one in stay)
        steps.append(Step(filter_.filter, norm, by, total, total - len(stay), masked_rows))
        left = stay
    passed = tuple(dict.fromkeys(norms[f.norm] for f in settings.filters))
    for one in left:
        decisions[one.id] = Decision(
            id=one.id, file=one.file, action="kept", norms=passed, filter=None,
            reason="no filter removed it", score=None, tagger=None, masked=masks[one.id],
        )  # fmt: skip
    return Selection(
        kept=tuple(left),
        removed=tuple(removed[name] for name in sorted(removed)),
        decisions=tuple(decisions[name] for name in sorted(decisions)),
        notes={name: tuple(found) for name, found in sorted(notes.items())},
        steps=tuple(steps),
    )


def _removed(
    one: Document, filter_: Filtering, norm: str, by: str, finding: Finding, hidden: int
) -> Decision:
    return Decision(
        id=one.id, file=one.file, action="removed", norms=(norm,), filter=filter_.filter,
        reason=finding.reason, score=finding.score, tagger=by, masked=hidden,
    )  # fmt: skip


def _masked(one: Document, finding: Finding) -> Document:
    spans: dict[str, list[Span]] = {}
    for mark in finding.attributes:
        spans.setdefault(mark.column, []).append(Span(mark.start, mark.end, mark.label))
    return one.changed({p.path: masked(p.text, spans[p.column]) for p in one.parts
                        if p.column in spans})  # fmt: skip
