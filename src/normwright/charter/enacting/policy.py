"""From a charter to the policy of one deployment: what every stage below obeys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from normwright.charter.enacting.coverage import as_table, coverage
from normwright.charter.enacting.criteria import criteria
from normwright.charter.enacting.evaluation import evaluation
from normwright.charter.enacting.guard_rules import guard_rules
from normwright.charter.enacting.principles import principles
from normwright.charter.enacting.profile import (
    charter_here,
    deployment_faults,
    deployment_of,
    languages_of,
)
from normwright.charter.enacting.prompt import prompt
from normwright.charter.enacting.rewards import reward_constraints, reward_terms
from normwright.charter.enacting.rubric import rubric
from normwright.charter.enacting.standing import standing
from normwright.charter.permitting.levels import permitted
from normwright.norms.resolver import HOLDING
from normwright.records import (
    Charter,
    Deployment,
    Force,
    GuardEffect,
    InputError,
    Layer,
    MadeBy,
    Norm,
    OnFail,
    Outcome,
    Policy,
    PolicyRule,
    Text,
)

LAYER_FORCE: dict[Layer, Force] = {
    "global": "constraint_hard",
    "polity": "constraint",
    "organisation": "weight",
    "individual": "style",
}
"""What a layer's norm is in learning: never traded, limited, weighed, or a way of speaking."""

LAYER_ON_FAIL: dict[Layer, OnFail] = {
    "global": "block",
    "polity": "block",
    "organisation": "hold",
    "individual": "report",
}
"""What a breach does to a release, by layer."""

LAYER_LIMIT: dict[Layer, float] = {
    "global": 0.01,
    "polity": 0.02,
    "organisation": 0.05,
    "individual": 0.20,
}
"""Highest violation rate accepted where a norm has no measure of its own.

Judgement, not law: they ask for 299, 149, 59 and 14 probes without a failure at 95 % confidence.
Write `measure` in a norm to set its own."""

CONSTITUTIONAL_LIMIT = 0.02
"""A constitutional norm of any layer accepts at most this."""


def enact(
    charter: Charter, outcomes: Sequence[Outcome], *, deployment: Deployment | Mapping[str, Any]
) -> Policy:
    """Return the charter compiled for one deployment.

    A rule takes the stronger of what its layer and its tier ask for: an organisation's
    constitutional norm is a constraint that blocks. Permissive norms and ideals constrain nothing:
    they weigh in learning and are reported, and a breached guarantee holds a release, or blocks it
    where the guarantee is constitutional.

    Args:
        charter: the ratified charter.
        outcomes: the outcomes it rests on; the policy names them.
        deployment: the profile, or JSON values with the keys of `Deployment`.

    Raises:
        InputError: if the profile has unknown keys or names what the charter does not have, or its
            budget of words is too small for what the constitution binds to.
    """
    profile = deployment_of(deployment)
    faults = deployment_faults(profile, charter)
    if faults:
        raise InputError(faults)
    here = charter_here(charter, profile)
    modes, reason = permitted(charter)
    made = _compiled(here, profile, modes, reason)
    derived = (charter.digest, *sorted(o.digest for o in outcomes))
    by = MadeBy(stage="charter", parameters={"limits": LAYER_LIMIT})
    return made.model_copy(
        update={"coverage": as_table(coverage(made)), "derived_from": derived, "made_by": by}
    )


def _compiled(here: Charter, profile: Deployment, modes: tuple[str, ...], reason: Text) -> Policy:
    """The artefacts of a charter whose norms all bind here; the matrix is counted from them."""
    norms = [n for n in here.norms if n.status in HOLDING and n.kind != "constitutive"]
    rules = tuple(_rule(norm) for norm in norms)
    spoken, known = languages_of(profile, here), here.languages
    found = standing(here, norms)
    text, notes = prompt(here, norms, profile, spoken, found)
    items, moot = evaluation(here, norms)
    return Policy(
        charter=here,
        deployment=profile,
        rules=rules,
        system_prompt=text,
        prompt=notes,
        principles=tuple(principles(norms, rules, spoken)),
        rubric=tuple(rubric(norms, here.vocabulary, spoken)),
        guard_rules=tuple(guard_rules(norms, rules, spoken, found)),
        reward_terms=tuple(reward_terms(norms, rules)),
        reward_constraints=tuple(reward_constraints(norms, rules)),
        evaluation=items,
        moot_cases=moot,
        criteria=tuple(criteria(norms, rules, known)),
        permit_modes=modes,
        permit_reason=reason,
        coverage={},
    )


def _rule(norm: Norm) -> PolicyRule:
    force, guard, on_fail = _obeyed(norm)
    return PolicyRule(
        norm=norm.ref,
        layer=norm.layer,
        force=force,
        weight=_weight(norm),
        guard=guard,
        on_fail=on_fail,
        limit=_limit(norm),
        statement=norm.statement,
    )


def _obeyed(norm: Norm) -> tuple[Force, GuardEffect, OnFail]:
    match norm.kind:
        case "prohibition" | "obligation":
            return _binding(norm)
        case "guarantee":
            return "weight", "none", "block" if norm.tier == "constitutional" else "hold"
        case _:
            return ("style" if norm.layer == "individual" else "weight"), "none", "report"


def _binding(norm: Norm) -> tuple[Force, GuardEffect, OnFail]:
    force, on_fail = LAYER_FORCE[norm.layer], LAYER_ON_FAIL[norm.layer]
    if norm.tier == "constitutional":
        force = "constraint_hard" if force == "constraint_hard" else "constraint"
        on_fail = "block"
    return force, _guard(norm, force), on_fail


def _guard(norm: Norm, force: Force) -> GuardEffect:
    """A forbidden act is denied. A duty left undone can be done in its stead, or asked about."""
    match force:
        case "constraint_hard":
            return "deny"
        case "constraint":
            return "deny" if norm.kind == "prohibition" else "ask"
        case "weight":
            return "deny" if norm.kind == "prohibition" else "transform"
        case "style":
            return "none"


def _weight(norm: Norm) -> float:
    """Severity times the share of support, in (0, 5].

    A norm without votes stands on its source alone and weighs its whole severity. Where nobody who
    voted supports a norm that its source upholds, the most support the votes leave possible counts.
    """
    found = norm.provenance.support.get("all") if norm.provenance else None
    if found is None or found.value is None or found.interval is None:
        return float(norm.severity)
    return norm.severity * (found.value or found.interval.high)


def _limit(norm: Norm) -> float:
    if norm.measure:
        return min(measure.limit for measure in norm.measure)
    limit = LAYER_LIMIT[norm.layer]
    return min(limit, CONSTITUTIONAL_LIMIT) if norm.tier == "constitutional" else limit
