"""Where two norms of a charter pull apart, and which of them gives way by which rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from normwright.norms import Acts, can_both_hold
from normwright.norms.ranking import PERMISSIVE, contest
from normwright.records import Conflict, Norm, Vocabulary


def conflicts(norms: Sequence[Norm], vocabulary: Vocabulary) -> tuple[Conflict, ...]:
    """Return every pair of a permissive and a restrictive norm that can hold together.

    Pairs whose acts share no kind, or whose conditions provably never hold at once, are no
    conflict; where that is too large to prove, the pair is listed.
    """
    return tuple(
        Conflict(over=over.ref, under=under.ref, rule=rule)
        for over, under, rule in _contests(norms, vocabulary)
    )


def _contests(norms: Sequence[Norm], vocabulary: Vocabulary) -> Iterator[tuple[Norm, Norm, str]]:
    acts = Acts(vocabulary)
    for p in norms:
        for f in norms:
            if not _opposed(p, f) or not _same_acts(p, f, acts):
                continue
            if can_both_hold(p.condition, f.condition, vocabulary.facts) is False:
                continue
            result = contest(p, f, acts, vocabulary.facts, vocabulary.axioms)
            yield (p, f, result.rule) if result.permitted else (f, p, result.rule)


def _opposed(p: Norm, f: Norm) -> bool:
    return (p.kind in PERMISSIVE and f.kind == "prohibition") or (
        p.kind == "exemption" and f.kind == "obligation"
    )


def _same_acts(p: Norm, f: Norm, acts: Acts) -> bool:
    """Whether some act is covered by both: one is a kind of the other, or something is of both."""
    return any(acts.covers(p.act, act) and acts.covers(f.act, act) for act in acts.names)
