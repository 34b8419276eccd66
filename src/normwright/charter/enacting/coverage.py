"""The coverage matrix: which artefacts really speak for a norm, and what is missing.

It is counted from what stands in the policy, not from what enacting meant to write there. So a
policy that was edited, weakened or cut down by hand is seen as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from normwright.charter.enacting.criteria import about
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
    GuardRule,
    Norm,
    Policy,
    PolicyRule,
    RewardConstraint,
    RewardTerm,
)

_STRENGTH = {"none": 0, "transform": 1, "ask": 2, "deny": 3}
_CAUTION = {"allow": 0, "ask": 1, "deny": 2}
_GRAVITY = {"report": 0, "hold": 1, "block": 2}


def coverage(policy: Policy) -> Coverage:
    """Return which artefacts speak for each norm, and the holes.

    An artefact counts only if it is as strong as the norm's rule asks: a guard rule that lets pass
    what is to be denied, a criterion that holds where it is to block or allows more than the limit,
    a floor that stands as a term of the reward's sum, cover nothing.
    """
    rules = {rule.norm: rule for rule in policy.rules}
    pairs = [(norm, rules[norm.ref]) for norm in held(policy)]
    spoken = _spoken(policy)
    rows = tuple(_row(spoken[norm.ref], norm, rule, policy) for norm, rule in pairs)
    holes = [
        _hole(norm, artefact, policy.charter.languages)
        for (norm, rule), row in zip(pairs, rows, strict=True)
        for artefact in needed(norm, rule)
        if not row.covers(artefact)
    ]
    charter = policy.charter.digest
    return Coverage(charter=charter, rows=rows, holes=tuple(holes), derived_from=(charter,))


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


@dataclass
class _Spoken:
    """What the artefacts hold about one norm."""

    guard: list[GuardRule] = field(default_factory=list)
    terms: list[RewardTerm] = field(default_factory=list)
    bounds: list[RewardConstraint] = field(default_factory=list)
    languages: set[str] = field(default_factory=set)
    """Languages in which an evaluation item asks about it."""
    criteria: list[Criterion] = field(default_factory=list)


def _spoken(policy: Policy) -> Mapping[str, _Spoken]:
    """What is said about each norm, gathered in one pass; criteria may name it by its id."""
    found: dict[str, _Spoken] = defaultdict(_Spoken)
    for guard in policy.guard_rules:
        found[guard.norm].guard.append(guard)
    for term in policy.reward_terms:
        found[term.norm].terms.append(term)
    for bound in policy.reward_constraints:
        found[bound.norm].bounds.append(bound)
    for item in policy.evaluation:
        found[item.norm].languages.add(item.lang)
    named: dict[str, list[Criterion]] = defaultdict(list)
    for criterion in policy.criteria:
        named[criterion.norm or ""].append(criterion)
    for norm in policy.charter.norms:
        found[norm.ref].criteria += [*named.get(norm.id, ()), *named.get(norm.ref, ())]
    return found


def _row(spoken: _Spoken, norm: Norm, rule: PolicyRule, policy: Policy) -> CoverageRow:
    return CoverageRow(
        norm=norm.ref,
        kind=norm.kind,
        tier=norm.tier,
        guard=any(_stops(g, norm, rule) for g in spoken.guard),
        reward=_rewarded(spoken, norm, rule),
        evaluation=_evaluated(spoken, norm, policy.charter.languages),
        criterion=any(_asks(c, norm, rule) for c in spoken.criteria),
    )


def _stops(guard: GuardRule, norm: Norm, rule: PolicyRule) -> bool:
    """Whether a guard rule is about the whole norm, with at least the effect asked for."""
    return (
        rule.guard != "none"
        and guard.act == norm.act
        and guard.kind == norm.kind
        and guard.condition == norm.condition
        and set(norm.bearer.actor) <= set(guard.actors)
        and set(norm.counterparty) <= set(guard.counterparty)
        and set(norm.scope.channels) <= set(guard.channels)
        and _STRENGTH[guard.effect] >= _STRENGTH[rule.guard]
        and _CAUTION[guard.on_unknown] >= _CAUTION[norm.on_unknown]
    )


def _rewarded(spoken: _Spoken, norm: Norm, rule: PolicyRule) -> bool:
    if not is_binding(norm, rule):
        return bool(spoken.terms)
    hard = rule.force == "constraint_hard"
    return not spoken.terms and any(
        bound.limit <= rule.limit and (bound.hard or not hard) for bound in spoken.bounds
    )


def _evaluated(spoken: _Spoken, norm: Norm, languages: Sequence[str]) -> bool:
    """Items in every language, or a metric of its own that some criterion asks for."""
    metrics = {m.metric for m in norm.measure}
    return set(languages) <= spoken.languages or any(c.metric in metrics for c in spoken.criteria)


def _asks(criterion: Criterion, norm: Norm, rule: PolicyRule) -> bool:
    """Whether a criterion asks about the whole norm at least what its rule does."""
    own = [m.limit for m in norm.measure if m.metric == criterion.metric]
    limit = max(own, default=rule.limit)
    return (
        criterion.lang is None
        and criterion.kind == "rate_upper"
        and 0 < criterion.limit <= limit
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
