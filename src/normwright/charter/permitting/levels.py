"""Which release modes a decision may open, by how strong it is: one table for policy and permit."""

from __future__ import annotations

from collections.abc import Sequence

from normwright.charter.wording import say
from normwright.norms.resolver import HOLDING
from normwright.records import MODES, Charter, DecisionLevel, ProcessKind, Text

PERMITTED: dict[DecisionLevel, tuple[str, ...]] = {
    "L0": MODES[:1],
    "L1": MODES[:2],
    "L2": MODES,
    "L3": MODES,
    "L4": MODES,
    "L5": MODES,
}
"""Release modes a charter may permit, by the level of its weakest decision. A simulated process has
no level above L0."""


def modes_of(
    kind: ProcessKind, level: DecisionLevel, languages: Sequence[str]
) -> tuple[tuple[str, ...], Text]:
    """Return the release modes a decision opens, and why no more, in every language."""
    if kind == "simulated":
        return PERMITTED["L0"], say("permit_simulated", languages)
    if level in ("L0", "L1"):
        return PERMITTED[level], say(f"permit_{level}", languages)
    return PERMITTED[level], say("permit_full", languages, level=level)


def permitted(charter: Charter) -> tuple[tuple[str, ...], Text]:
    """Return the release modes that the decisions behind a charter open, and why no more."""
    return modes_of(charter.kind, weakest(charter), charter.languages)


def weakest(charter: Charter) -> DecisionLevel:
    """Return the lowest level at which people decided a norm that holds; L0 if none was."""
    levels: list[DecisionLevel] = [
        norm.provenance.decision_level
        for norm in charter.norms
        if norm.status in HOLDING and norm.provenance and norm.provenance.method != "source"
    ]
    return min(levels, default="L0")
