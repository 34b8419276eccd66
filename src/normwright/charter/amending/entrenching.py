"""Which rule a change of a charter needs; the rules of change are themselves constitutional."""

from __future__ import annotations

from collections.abc import Iterable

from normwright.charter.amending.identity import deciding, vocabulary_changes
from normwright.records import Charter, CharterDiff, Tier

ENTRENCHED = frozenset({"amendment", "open_world", "zones"})
"""Keys of a charter's head that bear on every norm: how it may be changed, what an act that nobody
spoke about means, when days begin."""


def amendment_tier(diff: CharterDiff) -> Tier | None:
    """Return the tier by whose rule a change is to be adopted; None: it needs no vote.

    Constitutional if it adds, drops or alters a constitutional norm, the rules of amendment or
    another key of the head that bears on every norm, an act, an axiom, or a fact that was there
    before: these change what constitutional norms say. A new fact changes nothing by itself. Texts
    of the same version need no vote, because they may not change.
    """
    return diff.tier


def tier_of(before: Charter, after: Charter, head: Iterable[str]) -> Tier | None:
    """Return the tier whose rule a change from one charter to another needs."""
    known = {fact.name for fact in before.vocabulary.facts}
    words = vocabulary_changes(before, after)
    grave = [w for w in words if not w.startswith("fact ") or w.removeprefix("fact ") in known]
    old, new = ({n.ref: n for n in c.norms} for c in (before, after))
    tiers = {
        norm.tier
        for ref in {*old, *new}
        if ref not in old or ref not in new or deciding(old[ref]) != deciding(new[ref])
        for norm in (old.get(ref), new.get(ref))
        if norm is not None
    }
    if "constitutional" in tiers or grave or not ENTRENCHED.isdisjoint(head):
        return "constitutional"
    return "revisable" if tiers or words else None
