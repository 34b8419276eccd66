"""Which of two norms prevails: layers as floors, guarantees as shields, specialis inside one rank.

The rule is direction-sensitive. "The higher layer wins" would let a weak permission of the world
overturn a stricter city, and "the stricter wins" would leave no room for rights or exceptions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from normwright.norms.acts import Acts
from normwright.norms.specificity import more_specific
from normwright.records import LAYERS, Condition, FactType, Norm

RESTRICTIVE = frozenset({"prohibition", "obligation"})
PERMISSIVE = frozenset({"permission", "guarantee"})


def rank(norm: Norm) -> int:
    """Return how strong a norm is: 0 for global constitutional, 7 for individual revisable."""
    return 2 * LAYERS.index(norm.layer) + (norm.tier == "revisable")


def names(references: Iterable[str], norm: Norm) -> bool:
    """Whether one of the references (`id` or `id@version`) names the norm."""
    return any(ref in (norm.id, norm.ref) for ref in references)


@dataclass(frozen=True)
class Contest:
    """How a permissive norm fares against a restrictive one."""

    permitted: bool
    """True if the permissive norm beats the restrictive one."""
    rule: str
    """`express`, `guarantee`, `overridable`, `specialis`, `stricter`, `floor` or `unresolved`.

    `specialis` is won by whichever of the two is the more specific."""


def contest(
    p: Norm,
    f: Norm,
    acts: Acts,
    facts: tuple[FactType, ...],
    axioms: tuple[Condition, ...] = (),
) -> Contest:
    """Return whether `p` (permission, guarantee, exemption) beats `f`, and by which rule.

    1. Express: `p` names `f` in `supersedes` and has the power to (`exceeds_powers`): it is at
       least as strong, or `f` lets its layer, and no other authority of one layer issued `f`.
    2. `p` is stronger: only a guarantee shields; a weak permission lets lower layers be stricter.
    3. `p` is weaker: only where `f` lets its layer override; otherwise `f` is a floor.
    4. Same rank, other authority: both apply, so the stricter stands.
    5. Same rank and authority: the more specific wins; neither proved specific, `f` stands.
    """
    strength, against = rank(p), rank(f)
    may_override = p.layer in f.overridable_by
    if names(p.supersedes, f) and not exceeds_powers(p, f):
        return Contest(True, "express")
    if strength < against:
        return Contest(True, "guarantee") if p.kind == "guarantee" else Contest(False, "stricter")
    if strength > against:
        return Contest(True, "overridable") if may_override else Contest(False, "floor")
    if p.authority != f.authority:
        return Contest(False, "stricter")
    if more_specific(p, f, acts, facts, axioms) is True:
        return Contest(True, "specialis")
    special = more_specific(f, p, acts, facts, axioms) is True
    return Contest(False, "specialis" if special else "unresolved")


def exceeds_powers(norm: Norm, other: Norm) -> bool:
    """Whether `norm` expressly supersedes `other` without the power to (ultra vires).

    A weaker norm may do so only where the other lets its layer override; a norm of another
    authority of the same layer never may.
    """
    if norm.layer == other.layer and norm.authority != other.authority:
        return names(norm.supersedes, other)
    weaker = rank(norm) > rank(other) and norm.layer not in other.overridable_by
    return weaker and names(norm.supersedes, other)


def repeals(newer: Norm, older: Norm) -> bool:
    """Whether `newer` replaces `older` outright wherever it is valid.

    Only by express supersession, by the same authority and with at least the same strength: there
    is no silent repeal. Only a restrictive norm replaces a restrictive one. A permissive norm is an
    exception to it, which `contest` weighs case by case; an ideal and a definition bind nobody, so
    nothing would be left in its place.
    """
    return (
        (newer.kind in RESTRICTIVE or older.kind not in RESTRICTIVE)
        and newer.authority == older.authority
        and rank(newer) <= rank(older)
        and newer.ref != older.ref
        and names(newer.supersedes, older)
    )
