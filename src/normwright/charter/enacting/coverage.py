"""The coverage matrix: which artefacts really speak for a norm, and what is missing.

It is counted from what stands in the policy, not from what enacting meant to write there. So a
policy that was edited, weakened or cut down by hand is seen as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from normwright.charter.enacting.criteria import about
from normwright.charter.enacting.evaluation import covered_languages
from normwright.charter.enacting.rewards import is_binding
from normwright.charter.wording import say
from normwright.norms.ranking import RESTRICTIVE
from normwright.norms.resolver import HOLDING
from normwright.records import (
    ARTEFACTS,
    Artefact,
    Coverage,
    CoverageHole,
    CoverageRow,
    Criterion,
    Norm,
    Policy,
    PolicyRule,
)

_STRENGTH = {"none": 0, "transform": 1, "ask": 2, "deny": 3}
_GRAVITY = {"report": 0, "hold": 1, "block": 2}


def coverage(policy: Policy) -> Coverage:
    """Return which artefacts speak for each norm, and the holes.

    An artefact counts only if it is as strong as the norm's rule asks: a guard rule that lets pass
    what is to be denied, a criterion that holds where it is to block or allows more than the limit,
    a floor that stands as a term of the reward's sum, cover nothing.
    """
    pairs = [(n, _rule(policy, n)) for n in held(policy)]
    rows = tuple(_row(policy, norm, rule) for norm, rule in pairs)
    holes = [
        _hole(norm, artefact, policy.charter.languages)
        for (norm, rule), row in zip(pairs, rows, strict=True)
        for artefact in needed(norm, rule)
        if not row.covers(artefact)
    ]
    return Coverage(charter=policy.charter.digest, rows=rows, holes=tuple(holes),
                    derived_from=(policy.charter.digest,))  # fmt: skip


def criterion_holes(policy: Policy, criteria: Iterable[Criterion]) -> tuple[CoverageHole, ...]:
    """Return the constitutional norms about which somebody's own criteria ask nothing that blocks.

    The limits are theirs to set, so only that a norm is asked about, and blocks, is compared.
    """
    written = list(criteria)
    return tuple(
        _hole(norm, "criterion", policy.charter.languages)
        for norm in held(policy)
        if is_guarded(norm) and not any(c.on_fail == "block" for c in about(written, norm))
    )


def held(policy: Policy) -> list[Norm]:
    """Return the norms of a policy that hold and say something about acts."""
    norms = policy.charter.norms
    return [n for n in norms if n.status in HOLDING and n.kind != "constitutive"]


def is_guarded(norm: Norm) -> bool:
    """Whether a norm's holes are errors: what the constitution forbids, demands or guarantees."""
    return norm.tier == "constitutional" and norm.kind in (*RESTRICTIVE, "guarantee")


def needed(norm: Norm, rule: PolicyRule) -> tuple[Artefact, ...]:
    """Return the artefacts that should speak for a norm.

    A weak permission, an exemption and an ideal bind nobody, and a style only conditions.
    """
    if norm.kind in RESTRICTIVE and norm.layer == "individual" and rule.force == "style":
        return ("evaluation",)
    if norm.kind in RESTRICTIVE:
        return ARTEFACTS
    if norm.kind == "guarantee":
        return ("reward", "evaluation", "criterion") if rule.force != "style" else (
            "evaluation", "criterion")  # fmt: skip
    if norm.kind == "ideal":
        return () if rule.force == "style" else ("reward",)
    return ("evaluation",)


def as_table(found: Coverage) -> dict[str, dict[str, bool]]:
    """Return the matrix as a policy keeps it: reference -> artefact -> covered."""
    return {row.norm: {a: row.covers(a) for a in ARTEFACTS} for row in found.rows}


def _rule(policy: Policy, norm: Norm) -> PolicyRule:
    return next(rule for rule in policy.rules if rule.norm == norm.ref)


def _row(policy: Policy, norm: Norm, rule: PolicyRule) -> CoverageRow:
    return CoverageRow(
        norm=norm.ref,
        kind=norm.kind,
        tier=norm.tier,
        guard=_guarded(policy, norm, rule),
        reward=_rewarded(policy, norm, rule),
        evaluation=_evaluated(policy, norm),
        criterion=any(_asks(c, norm, rule) for c in policy.criteria),
    )


def _guarded(policy: Policy, norm: Norm, rule: PolicyRule) -> bool:
    """A rule for the whole norm: its act and condition, and at least the effect asked for."""
    return rule.guard != "none" and any(
        g.norm == norm.ref
        and g.act == norm.act
        and g.condition == norm.condition
        and set(norm.bearer.actor) <= set(g.actors)
        and set(norm.counterparty) <= set(g.counterparty)
        and set(norm.scope.channels) <= set(g.channels)
        and _STRENGTH[g.effect] >= _STRENGTH[rule.guard]
        and (g.on_unknown != "allow" or norm.on_unknown == "allow")
        for g in policy.guard_rules
    )


def _rewarded(policy: Policy, norm: Norm, rule: PolicyRule) -> bool:
    terms = [t for t in policy.reward_terms if t.norm == norm.ref]
    if not is_binding(norm, rule):
        return bool(terms)
    hard = rule.force == "constraint_hard"
    return not terms and any(
        c.norm == norm.ref and c.limit <= rule.limit and (c.hard or not hard)
        for c in policy.reward_constraints
    )


def _evaluated(policy: Policy, norm: Norm) -> bool:
    """Items in every language, or a metric of its own that some criterion asks for."""
    metrics = {m.metric for m in norm.measure}
    measured = any(c.metric in metrics for c in about(policy.criteria, norm)) if metrics else False
    return measured or set(policy.charter.languages) <= covered_languages(
        policy.evaluation, norm.ref
    )


def _asks(criterion: Criterion, norm: Norm, rule: PolicyRule) -> bool:
    """Whether a criterion asks about the whole norm at least what its rule does."""
    limits = [m.limit for m in norm.measure if m.metric == criterion.metric] or [rule.limit]
    return (
        criterion.norm in (norm.id, norm.ref)
        and criterion.lang is None
        and criterion.kind == "rate_upper"
        and 0 < criterion.limit <= max(limits)
        and _GRAVITY[criterion.on_fail] >= _GRAVITY[rule.on_fail]
    )


def _hole(norm: Norm, artefact: Artefact, languages: Sequence[str]) -> CoverageHole:
    return CoverageHole(
        norm=norm.ref,
        artefact=artefact,
        severity="error" if is_guarded(norm) and artefact in _errors(norm) else "warning",
        reason=say(f"hole_{artefact}", languages, norm=norm.id),
    )


def _errors(norm: Norm) -> Iterator[Artefact]:
    if norm.kind in RESTRICTIVE:
        yield from ARTEFACTS
    else:
        yield from ("evaluation", "criterion")
