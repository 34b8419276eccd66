"""Named conditions that hold or do not: permits, process, coverage, evidence that must exist.

Known limits: a predicate says that something was done, not how well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, TypeAlias

from normwright.plugins import Card, plugin
from normwright.records import (
    Criterion,
    Digest,
    Measurement,
    Permit,
    PluginError,
    Policy,
    PolicyRule,
    Text,
)
from normwright.release import expressions
from normwright.release.evidence import Evidence, Found, Missing
from normwright.release.wording import (
    Said,
    every_language,
    language_words,
    role_words,
    suite_words,
)

CARD = Card(
    name="predicate",
    kind="criteria",
    status="tested",
    summary="A named condition on the policy, the process or the evidence holds.",
    reference="Normwright design, sections 5 and 11",
    claims=("what was never recorded is missing, not held",),
)

Predicate: TypeAlias = Callable[[Evidence], Found]


@plugin(CARD)
def predicate(criterion: Criterion, evidence: Evidence) -> Found:
    """Return what the predicate that the criterion names as its suite says, or its expression.

    Raises:
        PluginError: if there is no such predicate.
    """
    if "expr" in criterion.options:
        return _expression(str(criterion.options["expr"]), criterion, evidence)
    if criterion.suite not in PREDICATES:
        raise PluginError(f"there is no predicate {criterion.suite!r}")
    return PREDICATES[criterion.suite](evidence)


def _expression(text: str, criterion: Criterion, evidence: Evidence) -> Found:
    """Whether an expression holds, by rows that bear the names of its facts, and by the permit."""
    expression = expressions.parse(text)
    facts = expressions.facts(expression)
    known = {fact: _fact(fact, criterion, evidence) for fact in facts}
    values = {fact: found[0] for fact, found in known.items()}
    digests = tuple(dict.fromkeys(d for _, found in known.values() for d in found))
    truth = expressions.holds(expression, values.get)
    told = {
        "expr": text,
        "facts": "; ".join(f"{fact} = {_shown(values[fact])}" for fact in facts),
        "unknown": ", ".join(str(fact) for fact in facts if values[fact] is None),
    }
    if truth is None:
        compared = expressions.failing(expression, values.get)
        told["unknown"] = told["unknown"] or ", ".join(map(str, compared))
        raise Missing(Said("predicate.expr_unknown", told), digests)
    said = Said("predicate.expr_pass" if truth else "predicate.expr_fail", told)
    return Found(state="pass" if truth else "fail", reason=(said,), evidence=digests)


def _fact(
    fact: expressions.Fact, criterion: Criterion, evidence: Evidence
) -> tuple[expressions.Value | None, tuple[Digest, ...]]:
    """The value of one fact, None where it is unknown or two rows say otherwise."""
    role = evidence.role(criterion.model)
    rows = [
        m
        for m in evidence.measurements
        if m.suite == fact.name and m.model == role and _asked_about(m) == set(fact.about)
    ]
    for row in rows:
        evidence.check(row, criterion)
    values = {_value(row) for row in rows}
    if rows:
        digests = tuple(sorted({row.digest for row in rows}))
        return (values.pop() if len(values) == 1 else None), digests
    permit = evidence.permit
    if permit is None or fact.name not in ("min_decision_level", "permit_granted"):
        return None, ()
    # The permit has the level of the weakest decision of all, which every layer's reaches.
    value = permit.decision_level if fact.name == "min_decision_level" else float(permit.granted)
    return value, (permit.digest,)


def _asked_about(measurement: Measurement) -> set[str]:
    return set(measurement.slice.values()) | ({measurement.lang} if measurement.lang else set())


def _value(measurement: Measurement) -> expressions.Value | None:
    value = measurement.details.get("value", measurement.estimate.value)
    return value if isinstance(value, str) or value is None else float(value)


def _shown(value: expressions.Value | None) -> str:
    if value is None:
        return "?"
    return value if isinstance(value, str) else f"{value:g}"


def _permit(evidence: Evidence) -> Found:
    if evidence.unpermitted:
        told = Said("predicate.permit_unpermitted", {"models": ", ".join(evidence.unpermitted)})
        return _by_permit(False, told, evidence)
    if evidence.resting:
        told = Said("predicate.permit_resting", {"models": ", ".join(evidence.resting)})
        return _by_permit(False, told, evidence)
    permit, policy = evidence.permit, evidence.policy
    if policy is None:
        return _permit_alone(evidence)
    if permit is not None and permit.charter != policy.charter.digest:
        return _by_permit(False, Said("predicate.permit_other"), evidence)
    covered = evidence.mode in policy.permit_modes
    reason: Text = policy.permit_reason
    if permit is not None and covered and evidence.mode not in permit.modes:
        covered, reason = False, _why_not(permit, policy.charter.languages)
    return _by_permit(covered, _covers(covered, reason), evidence)


def _permit_alone(evidence: Evidence) -> Found:
    """What the permit says where there is no policy beside it."""
    permit, expected = evidence.permit, evidence.expected
    if permit is None:
        raise Missing(Said("predicate.permit_none"))
    if expected.charter is not None and permit.charter != expected.charter:
        return _by_permit(False, Said("predicate.permit_other"), evidence)
    day = expected.until[:10] if expected.until else None
    if day is not None and not (
        permit.valid_from.isoformat() <= day
        and (permit.valid_until is None or day <= permit.valid_until.isoformat())
    ):
        return _by_permit(False, Said("predicate.permit_lapsed", {"day": day}), evidence)
    covered = permit.granted and not permit.refusals and evidence.mode in permit.modes
    reason = _why_not(permit, every_language())
    return _by_permit(covered, _covers(covered, reason), evidence)


def _covers(covered: bool, reason: Text) -> Said:
    if covered:
        return Said("predicate.permit_pass")
    return Said("predicate.permit_fail", {"reason": reason})


def _why_not(permit: Permit, languages: tuple[str, ...]) -> Text:
    return {lang: " ".join(permit.reasons(lang)) for lang in languages}


def _policy(evidence: Evidence) -> Policy:
    """The charter enacted; outside a project nobody can look into it."""
    if evidence.policy is None:
        raise Missing(Said("missing.predicate"))
    return evidence.policy


def _human(evidence: Evidence) -> Found:
    held = _policy(evidence).charter.kind == "human"
    return _found(held, Said("predicate.human_pass" if held else "predicate.human_fail"), evidence)


def _coverage(evidence: Evidence) -> Found:
    policy = _policy(evidence)
    coverage = policy.coverage
    if not coverage:
        raise Missing(Said("missing.predicate"), (policy.digest,))
    gaps = []
    for rule in policy.rules:
        row = coverage.get(rule.norm, {})
        if open_kinds := [kind for kind in sorted(_bound(rule)) if not row.get(kind, False)]:
            gaps.append(f"{rule.norm} ({', '.join(open_kinds)})")
    said = (
        Said("predicate.coverage_fail", {"gaps": "; ".join(gaps)})
        if gaps
        else Said("predicate.coverage_pass", {"n": len(policy.rules)})
    )
    return _found(not gaps, said, evidence)


def _bound(rule: PolicyRule) -> set[str]:
    """What must cover a rule: a style never denies, and what is only reported blocks nothing."""
    needed = {"evaluation"} if rule.force == "style" else {"evaluation", "reward"}
    if rule.guard != "none":
        needed.add("guard")
    if rule.on_fail != "report":
        needed.add("criterion")
    return needed


def _bits_per_byte(evidence: Evidence) -> Found:
    # A guard does not change the weights it guards, so theirs count for it.
    roles = {evidence.subject, "aligned"} if evidence.subject == "guarded" else {evidence.subject}
    found = {
        m.lang: m.digest
        for m in evidence.measurements
        if m.suite == "bits-per-byte" and m.model in roles and m.estimate.value is not None
        if evidence.current(m)
    }
    for lang in evidence.languages:
        if lang not in found:
            named = {
                "suite": suite_words("bits-per-byte"),
                "model": role_words(evidence.subject),
                "scope": Said("scope.lang", {"lang": language_words(lang)}),
            }
            raise Missing(Said("missing.measurement", named))
    digests = tuple(sorted(found[lang] for lang in evidence.languages))
    return Found(state="pass", reason=(Said("predicate.bits_pass"),), evidence=digests)


def _tamper(evidence: Evidence) -> Found:
    found = tuple(
        sorted(
            m.digest
            for m in evidence.measurements
            if m.suite == "attack" and m.metric.startswith("tamper") and m.estimate.n > 0
            if evidence.current(m) and (m.basis is None or m.model == evidence.subject)
        )
    )
    if not found:
        raise Missing(Said("predicate.tamper_missing"))
    return Found(state="pass", reason=(Said("predicate.tamper_pass"),), evidence=found)


def _found(held: bool, said: Said, evidence: Evidence) -> Found:
    state: Literal["pass", "fail"] = "pass" if held else "fail"
    digests = () if evidence.policy is None else (evidence.policy.digest,)
    return Found(state=state, reason=(said,), evidence=digests)


def _by_permit(held: bool, said: Said, evidence: Evidence) -> Found:
    """What the permit and the policy say together; both are evidence."""
    found = _found(held, said, evidence)
    if evidence.permit is None:
        return found
    return replace(found, evidence=(*found.evidence, evidence.permit.digest))


PREDICATES: dict[str, Predicate] = {
    "permit": _permit,
    "process-is-human": _human,
    "coverage-complete": _coverage,
    "bits-per-byte-present": _bits_per_byte,
    "tamper-evidence-present": _tamper,
}
"""Every predicate by the name a criterion calls it."""
