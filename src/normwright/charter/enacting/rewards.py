"""Reward: what may be weighed is a term of the sum, what binds is a constraint beside it.

A floor that stood in the sum could be bought with enough of something else. So no norm is both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from normwright.records import Norm, PolicyRule, RewardConstraint, RewardTerm

BINDING = ("constraint_hard", "constraint")
"""Forces that bound learning instead of being weighed in it."""


def reward_terms(norms: Sequence[Norm], rules: Sequence[PolicyRule]) -> Iterator[RewardTerm]:
    """Yield the norms that are weighed: ideals, permissions, revisable rules of organisations.

    A style is no term: it conditions how an answer is worded and rewards nothing.
    """
    for norm, rule in zip(norms, rules, strict=True):
        if rule.force == "weight" and not is_binding(norm, rule):
            yield RewardTerm(norm=norm.ref, head=head(norm), weight=rule.weight,
                             aim="pursue" if norm.kind == "ideal" else "avoid")  # fmt: skip


def reward_constraints(
    norms: Sequence[Norm], rules: Sequence[PolicyRule]
) -> Iterator[RewardConstraint]:
    """Yield the norms that bound learning, each with its limit and its own cost head."""
    for norm, rule in zip(norms, rules, strict=True):
        if is_binding(norm, rule):
            yield RewardConstraint(norm=norm.ref, head=head(norm), limit=rule.limit,
                                   hard=rule.force == "constraint_hard")  # fmt: skip


def is_binding(norm: Norm, rule: PolicyRule) -> bool:
    """Whether a norm bounds learning. A constitutional right does: it is no more for sale."""
    right = norm.kind == "guarantee" and norm.tier == "constitutional"
    return rule.force in BINDING or right


def head(norm: Norm) -> str:
    """Return the name of the head that scores a norm: its breaches, refusals of it, or itself."""
    match norm.kind:
        case "prohibition" | "obligation":
            return f"cost.{norm.id}"
        case "permission" | "guarantee" | "exemption":
            return f"refusal.{norm.id}"
        case _:
            return f"ideal.{norm.id}"
