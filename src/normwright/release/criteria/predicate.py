"""Named conditions that hold or do not: permits, process, coverage, evidence that must exist.

Known limits: a predicate says that something was done, not how well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, TypeAlias

from normwright.plugins import Card, plugin
from normwright.records import Criterion, Permit, PluginError, PolicyRule, Text
from normwright.release.evidence import Evidence, Found, Missing
from normwright.release.wording import Said, language_words, role_words, suite_words

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
    """Return what the predicate that the criterion names as its suite says.

    Raises:
        PluginError: if there is no such predicate.
    """
    if criterion.suite not in PREDICATES:
        raise PluginError(f"there is no predicate {criterion.suite!r}")
    return PREDICATES[criterion.suite](evidence)


def _permit(evidence: Evidence) -> Found:
    if evidence.unpermitted:
        told = Said("predicate.permit_unpermitted", {"models": ", ".join(evidence.unpermitted)})
        return _by_permit(False, told, evidence)
    if evidence.resting:
        told = Said("predicate.permit_resting", {"models": ", ".join(evidence.resting)})
        return _by_permit(False, told, evidence)
    permit, policy = evidence.permit, evidence.policy
    if permit is not None and permit.charter != policy.charter.digest:
        return _by_permit(False, Said("predicate.permit_other"), evidence)
    covered = evidence.mode in policy.permit_modes
    reason: Text = policy.permit_reason
    if permit is not None and covered and evidence.mode not in permit.modes:
        covered, reason = False, _why_not(permit, policy.charter.languages)
    said = (
        Said("predicate.permit_pass")
        if covered
        else Said("predicate.permit_fail", {"reason": reason})
    )
    return _by_permit(covered, said, evidence)


def _why_not(permit: Permit, languages: tuple[str, ...]) -> Text:
    return {lang: " ".join(permit.reasons(lang)) for lang in languages}


def _human(evidence: Evidence) -> Found:
    held = evidence.policy.charter.kind == "human"
    return _found(held, Said("predicate.human_pass" if held else "predicate.human_fail"), evidence)


def _coverage(evidence: Evidence) -> Found:
    coverage = evidence.policy.coverage
    if not coverage:
        raise Missing(Said("missing.predicate"), (evidence.policy.digest,))
    gaps = []
    for rule in evidence.policy.rules:
        row = coverage.get(rule.norm, {})
        if open_kinds := [kind for kind in sorted(_bound(rule)) if not row.get(kind, False)]:
            gaps.append(f"{rule.norm} ({', '.join(open_kinds)})")
    said = (
        Said("predicate.coverage_fail", {"gaps": "; ".join(gaps)})
        if gaps
        else Said("predicate.coverage_pass", {"n": len(evidence.policy.rules)})
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
    }
    for lang in evidence.policy.charter.languages:
        if lang not in found:
            named = {
                "suite": suite_words("bits-per-byte"),
                "model": role_words(evidence.subject),
                "scope": Said("scope.lang", {"lang": language_words(lang)}),
            }
            raise Missing(Said("missing.measurement", named))
    digests = tuple(sorted(found[lang] for lang in evidence.policy.charter.languages))
    return Found(state="pass", reason=(Said("predicate.bits_pass"),), evidence=digests)


def _tamper(evidence: Evidence) -> Found:
    found = tuple(
        sorted(
            m.digest
            for m in evidence.measurements
            if m.suite == "attack" and m.metric.startswith("tamper") and m.estimate.n > 0
        )
    )
    if not found:
        raise Missing(Said("predicate.tamper_missing"))
    return Found(state="pass", reason=(Said("predicate.tamper_pass"),), evidence=found)


def _found(held: bool, said: Said, evidence: Evidence) -> Found:
    state: Literal["pass", "fail"] = "pass" if held else "fail"
    return Found(state=state, reason=(said,), evidence=(evidence.policy.digest,))


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
