"""What of a norm decides, what of it only speaks, and that a version never changes (I1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from normwright.norms import Acts
from normwright.records import Charter, Fault, Norm, canonical_json

SPEAKING = frozenset({"statement", "rationale", "translation", "concerns", "measure", "source",
                      "cases", "review_by", "override_mode"})  # fmt: skip
"""What a norm says of itself to people; no verdict rests on it."""

STANDING = frozenset({"status", "provenance", "recorded", "derived_from", "made_by"})
"""What becomes of a norm: it changes when people ratify or suspend it, and the norm stays."""


def deciding(norm: Norm) -> str:
    """Return everything of a norm that a verdict can rest on, as one text."""
    return canonical_json(norm.model_dump(mode="json", exclude={*SPEAKING, *STANDING}))


def speaking(norm: Norm) -> str:
    """Return everything that a norm says of itself to people, as one text."""
    return canonical_json(norm.model_dump(mode="json", include=set(SPEAKING)))


def immutability_faults(before: Sequence[Norm], after: Sequence[Norm]) -> list[Fault]:
    """Return a fault for each version that decides otherwise, or says otherwise, than it did (I1).

    A version is what people voted on and what decisions cite, so it never changes; a change is a
    new version. A further language, a review date or a case is no change of it, and neither is
    what becomes of it: being ratified, suspended, repealed.
    """
    earlier = {norm.ref: norm for norm in before}
    faults = []
    for norm in sorted(after, key=lambda n: n.ref):
        old = earlier.get(norm.ref)
        altered = [] if old is None else _altered(old, norm)
        if altered:
            faults.append(Fault(
                where=f"{norm.ref}: {', '.join(altered)}",
                expected="the same content for the same version",
                seen="other content",
                do=f"Write it as {norm.id}@{norm.version + 1}, with `supersedes: [{norm.ref}]`.",
            ))  # fmt: skip
    return faults


def _altered(old: Norm, new: Norm) -> list[str]:
    exclude = {*SPEAKING, *STANDING}
    was, now = (n.model_dump(mode="json", exclude=exclude) for n in (old, new))
    found = [field for field in was if canonical_json(was[field]) != canonical_json(now[field])]
    for field in ("statement", "rationale"):
        then, text = getattr(old, field), getattr(new, field)
        found += [f"{field}.{lang}" for lang in then if text.get(lang, then[lang]) != then[lang]]
    return found


def vocabulary_changes(before: Charter, after: Charter) -> tuple[str, ...]:
    """Return the facts, acts and axioms that changed, apart from their labels."""
    found = []
    for word, old, new in (
        ("fact", before.vocabulary.facts, after.vocabulary.facts),
        ("act", before.vocabulary.acts, after.vocabulary.acts),
    ):
        was, now = ({x.name: x.model_dump(exclude={"label"}) for x in xs} for xs in (old, new))
        found += [f"{word} {n}" for n in sorted({*was, *now}) if was.get(n) != now.get(n)]
    axioms = (before.vocabulary.axioms, after.vocabulary.axioms)
    return tuple(found) if axioms[0] == axioms[1] else (*found, "axioms")


def head_changes(before: Charter, after: Charter) -> tuple[str, ...]:
    """Return what changed of what a charter says about itself, apart from its version."""
    keys = ("id", "languages", "zones", "open_world", "amendment")
    return tuple(key for key in keys if getattr(before, key) != getattr(after, key))


def same_acts(before: Charter, after: Charter) -> bool:
    """Whether both ontologies have the same acts, each a kind of the same others."""
    old, new = Acts(before.vocabulary), Acts(after.vocabulary)
    return old.names == new.names and all(old.above(a) == new.above(a) for a in old.names)


def described(charter: Charter) -> dict[str, Any]:
    """Return a charter's identity for a screen: id, version, digest."""
    return {"id": charter.id, "version": charter.version, "digest": charter.digest}
