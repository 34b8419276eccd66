"""From a charter to the policy of one deployment: what every stage below obeys."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatch
from typing import Any, Literal

from normwright.charter.permitting.levels import permitted
from normwright.charter.wording import say
from normwright.norms.resolver import HOLDING
from normwright.records import (
    LAYERS,
    Charter,
    Fault,
    InputError,
    Layer,
    MadeBy,
    Norm,
    Outcome,
    Policy,
    PolicyRule,
    Text,
)

Force = Literal["constraint_hard", "constraint", "weight", "style"]
Guard = Literal["deny", "ask", "transform", "none"]
OnFail = Literal["block", "hold", "report"]

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


def enact(charter: Charter, outcomes: Sequence[Outcome], *, deployment: dict[str, Any]) -> Policy:
    """Return the charter compiled for one deployment.

    A rule takes the stronger of what its layer and its tier ask for: an organisation's
    constitutional norm is a constraint that blocks. Permissive norms and ideals constrain nothing:
    they weigh in learning and are reported, and a breached guarantee holds a release.

    Args:
        charter: the ratified charter.
        outcomes: the outcomes it rests on; the policy names them.
        deployment: the profile, JSON values. `polities`: authorities the deployment lies under,
            all if absent. `id`: matched with the norms' `scope.deployments`. `name`: how the
            assistant's place is called, a text or one a language. `names`: the same for each
            authority by its slug, which is shown where it has none. `languages`: those of the
            system prompt, all of the charter's if absent. Everything is kept in the policy.

    Raises:
        InputError: if the profile names a language the charter does not have.
    """
    languages = _languages(charter, deployment)
    here = _charter_here(charter, deployment)
    holding = [n for n in here.norms if n.status in HOLDING and n.kind != "constitutive"]
    rules = tuple(_rule(norm) for norm in holding)
    modes, reason = permitted(charter)
    return Policy(
        charter=here,
        deployment=deployment,
        rules=rules,
        system_prompt=_prompt(here, holding, deployment, languages),
        permit_modes=modes,
        permit_reason=reason,
        coverage={
            n.ref: _coverage(n, r, charter.languages) for n, r in zip(holding, rules, strict=True)
        },
        derived_from=(charter.digest, *sorted(o.digest for o in outcomes)),
        made_by=MadeBy(stage="charter", parameters={"limits": LAYER_LIMIT}),
    )


def _languages(charter: Charter, deployment: dict[str, Any]) -> tuple[str, ...]:
    languages = tuple(deployment.get("languages") or charter.languages)
    faults = [
        Fault(where="deployment.languages", expected=f"some of {', '.join(charter.languages)}",
              seen=lang)
        for lang in languages
        if lang not in charter.languages
    ]  # fmt: skip
    if faults:
        raise InputError(faults)
    return languages


def _charter_here(charter: Charter, deployment: dict[str, Any]) -> Charter:
    """The charter without the norms of authorities and deployments that are elsewhere."""
    kept = tuple(norm for norm in charter.norms if _binding_here(norm, deployment))
    if len(kept) == len(charter.norms):
        return charter
    derived = (*charter.derived_from, charter.digest)
    return charter.model_copy(update={"norms": kept, "derived_from": derived})


def _binding_here(norm: Norm, deployment: dict[str, Any]) -> bool:
    polities = deployment.get("polities")
    owned = norm.layer in ("global", "individual") or polities is None or norm.authority in polities
    return owned and fnmatch(str(deployment.get("id", "")), norm.scope.deployments)


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


def _obeyed(norm: Norm) -> tuple[Force, Guard, OnFail]:
    match norm.kind:
        case "prohibition" | "obligation":
            return _binding(norm)
        case "guarantee":
            return "weight", "none", "hold"
        case _:
            return ("style" if norm.layer == "individual" else "weight"), "none", "report"


def _binding(norm: Norm) -> tuple[Force, Guard, OnFail]:
    force, on_fail = LAYER_FORCE[norm.layer], LAYER_ON_FAIL[norm.layer]
    if norm.tier == "constitutional":
        force = "constraint_hard" if force == "constraint_hard" else "constraint"
        on_fail = "block"
    return force, _guard(norm, force), on_fail


def _guard(norm: Norm, force: Force) -> Guard:
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


def _prompt(
    charter: Charter, norms: Sequence[Norm], deployment: dict[str, Any], languages: Sequence[str]
) -> Text:
    name = deployment.get("name")
    opening = say("prompt_named", languages, name=name) if name else say(
        "prompt_nameless", languages)  # fmt: skip
    rules = say("prompt_rules", languages)
    signed = say("prompt_charter", languages, id=charter.id, version=charter.version,
                 digest=charter.digest[:19])  # fmt: skip
    lines = {lang: [f"{opening[lang]} {rules[lang]} {signed[lang]}"] for lang in languages}
    for layer in LAYERS:
        authorities = dict.fromkeys(n.authority for n in norms if n.layer == layer)
        for authority in authorities:
            called = deployment.get("names", {}).get(authority, authority)
            heading = say(f"prompt_{layer}", languages, authority=called)
            spoken = [n for n in norms if (n.layer, n.authority) == (layer, authority)]
            for lang in languages:
                lines[lang].append(heading[lang])
                lines[lang] += [f"- [{n.id}] {n.statement[lang]}" for n in spoken]
    return {lang: "\n".join(said) for lang, said in lines.items()}


def _coverage(norm: Norm, rule: PolicyRule, languages: Sequence[str]) -> dict[str, bool]:
    """Which artefacts speak for a norm. Evaluation needs a case in every language, or a measure."""
    spoken = {case.lang for case in norm.cases}
    return {
        "guard": rule.guard != "none",
        "reward": rule.force != "style",
        "evaluation": bool(norm.measure) or set(languages) <= spoken,
        "criterion": rule.on_fail != "report",
    }
