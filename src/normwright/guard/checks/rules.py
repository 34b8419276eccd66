"""Patterns, which are data of the detectors, looked for in every form of a passage."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from normwright.guard.detectors import Expression, Pattern, Trials
from normwright.guard.forms import Form
from normwright.guard.sights import Kit, Passage, Sight
from normwright.plugins import Card, plugin

_FORBIDS: Final = re.compile(
    r"\b(?:never|not|don't|cannot|can't|mustn't|won't|refuse|decline|avoid|forbidden|prohibited"
    r"|nunca|nao|jamais|recus\w+|evit\w+|proibid\w+|vedad\w+)\b[^.!?\n]*\Z"
)
_NEAR: Final = 120
"""Characters on both sides within which other words excuse a match."""
_OWN: Final = 12
"""Letters outside a quotation that make it one: a text that is nothing but a quotation is said."""


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
    return list(matches(passage, "norm-rules", kit))


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
    return list(matches(passage, "injection", kit))


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
    return list(matches(passage, "jailbreak", kit))


def matches(passage: Passage, family: str, kit: Kit) -> Iterator[Sight]:
    """Yield a sight for every pattern of a family (`Detectors.rules`) that a form matches.

    The first form that a pattern matches counts.
    """
    rules = passage.role in ("system", "developer")
    side, role = passage.side, passage.role
    found: set[str] = set()
    for form in passage.forms.forms:
        for pattern, expressions in _worth_trying(form.folded, form.tight, kit).get(family, ()):
            if side not in pattern.sides or role not in pattern.roles or pattern.id in found:
                continue
            spans = _spans(pattern, expressions, form, forbids=rules)
            if spans:
                found.add(pattern.id)
                yield Sight(pattern.signal, pattern.chance, "rule", pattern.id, spans, form.kind)


@lru_cache(maxsize=64)
def _worth_trying(text: str, tight: bool, kit: Kit) -> Trials:
    """What may match a text; three checks ask in turn."""
    return kit.detectors.worth_trying(text, tight=tight)


def _spans(
    pattern: Pattern, expressions: Sequence[Expression], form: Form, *, forbids: bool
) -> tuple[tuple[int, int], ...]:
    """Where those of its expressions that may match a form do, in the source.

    Whoever sets the rules writes down what must not be done: with `forbids` that does not count.
    """
    if form.kind != "plain" and not pattern.encoded:
        return ()
    text = form.folded
    found = [
        match.span()
        for one in expressions
        for match in (one.tight if form.tight else one.plain).finditer(text)
    ]
    if found and not pattern.quoted:
        found = [span for span in found if not _is_quoted(text, *span)]
    if forbids:
        found = [s for s in found if not _FORBIDS.search(text[max(0, s[0] - _NEAR) : s[0]])]
    if pattern.unless:
        found = [span for span in found if not _is_excused(pattern, text, *span)]
    return tuple(sorted({form.span(*span) for span in found}))


def _is_excused(pattern: Pattern, text: str, start: int, end: int) -> bool:
    """Whether words near a part make it something else; far away they may be there for show."""
    near = text[max(0, start - _NEAR) : end + _NEAR]
    return any(one.plain.search(near) for one in pattern.unless)


def _is_quoted(text: str, start: int, end: int) -> bool:
    """Whether a part stands in quotation marks, with words of the speaker's own around them."""
    if text.count('"', 0, start) % 2 == 0 or '"' in text[start:end] or '"' not in text[end:]:
        return False
    before, after = text.rfind('"', 0, start), text.find('"', end)
    return sum(c.isalpha() for c in text[:before] + text[after:]) >= _OWN
