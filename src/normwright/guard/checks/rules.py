"""Patterns, which are data of the detectors, looked for in every form of a passage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from normwright.guard.detectors import Pattern
from normwright.guard.forms import Form
from normwright.guard.sights import Kit, Passage, Sight
from normwright.plugins import Card, plugin


@plugin(
    Card(
        name="norm-rules",
        kind="checks",
        summary="Words by which the policy's detectors recognise an act.",
        claims=("reads every form of a text", "a pattern is data, in the file of detectors"),
        takes="passage",
        status="tested",
    )
)
def norm_rules(passage: Passage, kit: Kit) -> list[Sight]:
    """Return what the patterns of acts match."""
    return list(matches(passage, kit.detectors.rules.get("norm-rules", ())))


@plugin(
    Card(
        name="injection",
        kind="checks",
        summary="Orders and marks of roles in text that nobody may give orders by.",
        reference="Greshake et al. 2023, indirect prompt injection; OWASP LLM01:2025",
        claims=("reads tool results, arguments, keys and names", "tells who said it as a fact"),
        takes="passage",
        status="tested",
    )
)
def injection(passage: Passage, kit: Kit) -> list[Sight]:
    """Return orders to drop the instructions, and marks by which a text plays another role."""
    return list(matches(passage, kit.detectors.rules.get("injection", ())))


@plugin(
    Card(
        name="jailbreak",
        kind="checks",
        summary="Known ways of talking a model out of its rules.",
        reference="Shen et al. 2024, Do Anything Now; Wei et al. 2023, Jailbroken",
        claims=("reads every form of a text",),
        takes="passage",
        status="tested",
    )
)
def jailbreak(passage: Passage, kit: Kit) -> list[Sight]:
    """Return the ways that the patterns know."""
    return list(matches(passage, kit.detectors.rules.get("jailbreak", ())))


def matches(passage: Passage, patterns: Sequence[Pattern]) -> Iterator[Sight]:
    """Yield a sight for every pattern that a form of the passage matches; the first form counts."""
    for pattern in patterns:
        if passage.side not in pattern.sides or passage.role not in pattern.roles:
            continue
        for form in passage.forms.forms:
            spans = _spans(pattern, form)
            if spans:
                yield Sight(pattern.signal, pattern.chance, "rule", pattern.id, spans, form.kind)
                break


def _spans(pattern: Pattern, form: Form) -> tuple[tuple[int, int], ...]:
    """Where a form matches, in the source."""
    if form.kind != "plain" and not pattern.encoded:
        return ()
    text = form.folded
    if pattern.needs and not form.tight and not any(word in text for word in pattern.needs):
        return ()
    found = [
        form.span(*match.span())
        for one in (pattern.tight if form.tight else pattern.any)
        for match in one.finditer(text)
    ]
    if found and any(one.search(text) for one in pattern.unless):
        return ()
    return tuple(sorted(set(found)))
