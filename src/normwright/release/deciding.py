"""The decision: criteria and evidence in, one verdict per release mode out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from normwright import __version__
from normwright.records import (
    Contrast,
    ControlResult,
    Criterion,
    CriterionResult,
    Digest,
    Judge,
    MadeBy,
    Measurement,
    ModeVerdict,
    Permit,
    Policy,
    Verdict,
    VerdictWord,
)
from normwright.release.criteria import rule
from normwright.release.evidence import CANDIDATE, Evidence, Expected, Missing
from normwright.release.reading import Control, Criteria, Mode
from normwright.release.wording import Number, Said, every_language, in_words
from normwright.stats import zero_failures_n

_FROM_BELOW = ("rate_lower", "noninferiority", "superiority")
"""Kinds whose bound must not lie under the limit."""

CONTROLS = "controls"
"""The group of what holds a mode beside its criteria."""

RERUN = "aa_rerun"
"""The metric of a second run: so many of so many came out otherwise."""

DRAW = "draw"
"""Key of the slice of rows that compare with another draw of items, in the place of the same."""

PERMIT = "permit"
"""Id of the criterion that every mode has, whatever the file says."""


def decide(
    criteria: Criteria,
    *,
    measurements: Sequence[Measurement],
    contrasts: Sequence[Contrast],
    policy: Policy | None = None,
    permit: Permit | None = None,
    unpermitted: Sequence[str] = (),
    resting: Sequence[str] = (),
    judges: Sequence[Judge] = (),
    model_digest: Digest,
    digests: Mapping[str, Digest] | None = None,
    candidates: int = 1,
    runs: int = 0,
    invalid: Sequence[tuple[str, Said]] = (),
    holding: Sequence[tuple[str, Said]] = (),
    expected: Expected | None = None,
    decided_at: str = "",
) -> Verdict:
    """Return the verdict per release mode: RELEASE, HOLD, BLOCK or INVALID.

    RELEASE needs every required criterion to pass and the permit to cover the mode. A blocking
    criterion that fails makes BLOCK. A control that comes out RELEASE against expectation (or is
    failed although it is known good) makes every mode INVALID. Everything else is HOLD: missing
    evidence is never a pass, and an exception inside a criterion is a blocking failure.

    A model that was trained without a permit is answered with BLOCK in every mode, whatever else
    was found; INVALID alone is worse.

    Releasing needs all criteria at once, so each is tested at the full error (intersection-union,
    Berger 1982); the error is divided only by the candidates the one released was chosen from.

    Args:
        criteria: what was asked, before the evidence.
        measurements: of all models; those of controls have the role `control:<name>`.
        contrasts: paired comparisons, controls included.
        policy: the charter enacted; the decisions behind it bound the modes. None: there is only
            the permit, and without one every mode holds.
        permit: what the models were trained under; it bounds the modes further. None where none
            was asked for.
        unpermitted: roles of models that were trained without a permit.
        resting: roles of models that rest on rows of people who withdrew.
        judges: every judge a measurement names.
        model_digest: digest of the weights the decision is about.
        digests: digest each role has now; measurements of other weights are stale. By default
            only `aligned` is checked, against `model_digest`.
        candidates: models tried according to the ledger; the greater of this and the file counts.
        runs: candidates that the evidence shows to have been tried; more of them than the file says
            make every mode INVALID, because then the file is not true.
        invalid: what else makes every mode INVALID: a name for it, and why.
        holding: what else holds every mode beyond internal use: a name for it, and why.
        expected: what evidence that was brought as rows has to be about.
        decided_at: time of the decision, outside the digest.
    """
    tested = 1 if criteria.fresh else max(candidates, criteria.candidates_tested)
    asked = policy.charter.languages if policy is not None else criteria.languages
    # Reasons are for whoever reads them: outside a project nobody knows in what language.
    languages = asked if policy is not None else every_language()
    base = Evidence(
        measurements=tuple(measurements),
        contrasts=tuple(contrasts),
        policy=policy,
        judges={j.digest: j for j in judges},
        alpha=criteria.alpha / tested,
        mode="",
        subject="",
        digests=digests if digests is not None else {"aligned": model_digest},
        permit=permit,
        unpermitted=tuple(unpermitted),
        resting=tuple(resting),
        languages=asked,
        expected=expected or Expected(),
    )
    invalid = (*invalid, *_undercounted(criteria, runs))
    controls = tuple(_control(c, criteria, base, languages) for c in criteria.controls)
    controls += _rerun(criteria, base, languages)
    modes = tuple(
        _mode(m, criteria, controls, base, languages, invalid, holding) for m in criteria.modes
    )
    seen = {d for m in modes for r in m.results for d in r.evidence}
    seen |= {d for c in controls for r in c.results for d in r.evidence}
    charter = policy.charter.digest if policy is not None else base.expected.charter or ""
    return Verdict(
        modes=modes,
        controls=tuple(c.result for c in controls),
        alpha=criteria.alpha,
        candidates=tested,
        charter=charter,
        model=model_digest,
        evidence=tuple(sorted(seen)),
        decided_at=decided_at,
        derived_from=tuple(r.digest for r in (policy, permit) if r is not None)
        + tuple(c.digest for c in criteria),
        made_by=MadeBy(
            stage="release",
            version=__version__,
            parameters={"modes": {m.name: [m.model, *m.requires] for m in criteria.modes}},
        ),
    )


@dataclass(frozen=True)
class _Checked:
    """A control's result, with what the gate needs of it beside the record."""

    result: ControlResult
    results: tuple[CriterionResult, ...]
    broken: bool
    """It came out other than expected, on evidence."""
    expected: Literal["fail", "block", "pass"]
    said: Said | None = None
    """Why it says nothing, where it has its own words for that."""


def _undercounted(criteria: Criteria, runs: int) -> tuple[tuple[str, Said], ...]:
    """That more candidates were tried than the file says, if it is so."""
    if runs <= criteria.candidates_tested:
        return ()
    told = {"runs": Number(runs, "count"), "tested": Number(criteria.candidates_tested, "count")}
    return (("candidates_tested", Said("invalid.candidates", told)),)


def _rerun(criteria: Criteria, base: Evidence, languages: tuple[str, ...]) -> tuple[_Checked, ...]:
    """The second run, on the same items or another draw, which must come out as the first did.

    It is asked of the instrument, so what was observed counts; but on so few items that not even
    none could show agreement, nothing was observed.
    """
    most = criteria.max_disagreement
    if most is None:
        return ()
    asked = Criterion(
        id=RERUN, group=CONTROLS, kind="rate_upper", suite=RERUN, metric=RERUN, model=CANDIDATE,
        limit=most,
    )  # fmt: skip
    roles = dict.fromkeys(m.model for m in base.measurements if m.suite == RERUN)
    cells, said = [], None
    try:
        cells = [
            cell
            for role in roles
            for group in base.cells(asked, role=role, asked=(DRAW,)).values()
            for cell in group
        ]
    except Missing as missing:
        said = missing.said
    shares = [cell.estimate.value for cell in cells if cell.estimate.value is not None]
    least = zero_failures_n(most, criteria.alpha)
    seen = sum(cell.estimate.n for cell in cells)
    enough = said is None and bool(shares) and seen >= least
    broken = any(share > most for share in shares)
    if said is None and not broken and not enough:
        told = {"n": Number(seen, "count"), "least": Number(least, "count")}
        said = Said("control.rerun_few", told)
    word: VerdictWord = "INVALID" if broken else "RELEASE" if enough else "HOLD"
    found = ControlResult(
        name=RERUN, expected="pass", verdict=word, deciding=RERUN if broken else "",
        as_expected=enough and not broken,
    )  # fmt: skip
    results = tuple(_shown(asked, cell, languages) for cell in cells)
    return (_Checked(found, results, broken, "pass", said),)


def _shown(asked: Criterion, cell: Measurement, languages: tuple[str, ...]) -> CriterionResult:
    """A second run as a result, so that its evidence is named."""
    share = cell.estimate.value
    return CriterionResult(
        criterion=RERUN, group=CONTROLS, on_fail="hold", bound=None, bound_side="upper",
        state="missing" if share is None else "fail" if share > asked.limit else "pass",
        observed=share, limit=asked.limit, n=cell.estimate.n, evidence=(cell.digest,),
        reason=in_words((Said("given", {"text": RERUN}),), languages),
    )  # fmt: skip


def _control(
    control: Control, criteria: Criteria, base: Evidence, languages: tuple[str, ...]
) -> _Checked:
    """Send one control through the model-level criteria of its groups."""
    evidence = replace(base, subject=f"control:{control.name}")
    asked = [
        c
        for c in criteria
        if (c.group in control.groups or not control.groups)
        and c.kind != "predicate"
        and c.model == CANDIDATE
    ]
    results = tuple(_check(c, evidence, languages) for c in asked)
    if not control.groups:
        results = _with_evidence(results)
    required = [r for r in results if r.on_fail != "report"]
    if control.criterion is not None:
        named = {c.id for c in asked if control.criterion in (c.id, c.of)}
        required = [r for r in required if r.criterion in named]
    word: VerdictWord = "HOLD"
    if required and all(r.state == "pass" for r in required):
        word = "RELEASE"
    elif any(r.state == "fail" and r.on_fail == "block" for r in required):
        word = "BLOCK"
    failed = any(r.state == "fail" for r in required)
    # Inconclusive or missing says nothing about the gate: neither as expected nor broken. But who
    # must be blocked, was measured in full and is not blocked, shows a gate that is too weak.
    match control.expected:
        case "fail":
            held, broken = failed, word == "RELEASE"
        case "block":
            held, broken = failed, _in_full(asked, required) and not failed
        case "pass":
            held, broken = word == "RELEASE", failed
    return _Checked(
        ControlResult(
            name=control.name,
            expected=control.expected,
            verdict=word,
            deciding=_worst(required).criterion if required and word != "RELEASE" else "",
            as_expected=held,
        ),
        results,
        broken,
        control.expected,
    )


def _in_full(asked: Sequence[Criterion], results: Sequence[CriterionResult]) -> bool:
    """Whether something was measured, and nothing in some of its parts alone."""
    parent = {c.id: c.of or c.id for c in asked}
    seen = {parent[r.criterion] for r in results if r.state != "missing"}
    return bool(seen) and all(r.state != "missing" for r in results if parent[r.criterion] in seen)


def _with_evidence(results: tuple[CriterionResult, ...]) -> tuple[CriterionResult, ...]:
    """The results of groups in which anything at all was measured: those the control is about."""
    groups = {r.group for r in results if r.state != "missing"}
    return tuple(r for r in results if r.group in groups)


def _mode(
    mode: Mode,
    criteria: Criteria,
    controls: Sequence[_Checked],
    base: Evidence,
    languages: tuple[str, ...],
    invalid: Sequence[tuple[str, Said]] = (),
    holding: Sequence[tuple[str, Said]] = (),
) -> ModeVerdict:
    evidence = replace(base, mode=mode.name, subject=mode.model)
    asked = [permit_criterion(languages, blocking=bool(base.unpermitted or base.resting))] + [
        c
        for c in criteria
        if c.group in mode.requires and not (c.kind == "predicate" and c.suite == PERMIT)
    ]
    statements = {c.id: c.statement for c in asked}
    results = [_check(c, evidence, languages) for c in asked]
    for control in controls:
        if not control.result.as_expected and not control.broken:
            extra, statement = _undecided(control, languages)
            results.append(extra)
            statements[extra.criterion] = statement
    for name, said in holding if mode.name != "internal" else ():
        results.append(_held(name, said, languages))
        statements[name] = in_words((Said(f"{name}.statement"),), languages)
    for name, said in invalid:
        return ModeVerdict(
            mode=mode.name, verdict="INVALID", deciding=name, results=tuple(results),
            reason=in_words((said,), languages),
        )  # fmt: skip
    broken = next((c for c in controls if c.broken), None)
    if broken is not None:
        return ModeVerdict(
            mode=mode.name,
            verdict="INVALID",
            deciding=f"control:{broken.result.name}",
            results=tuple(results),
            reason=in_words(
                (
                    Said(
                        "mode.INVALID",
                        {
                            "control": broken.result.name,
                            "expected": Said(f"control.expected_{broken.expected}"),
                        },
                    ),
                ),
                languages,
            ),
        )
    required = [r for r in results if r.on_fail != "report"]
    word: VerdictWord = "HOLD"
    if any(r.state == "fail" and r.on_fail == "block" for r in required):
        word = "BLOCK"
    elif all(r.state == "pass" for r in required):
        word = "RELEASE"
    worst = _tightest(required) if word == "RELEASE" else _worst(required)
    said = Said(
        f"mode.{word}",
        {
            "count": len(required),
            "statement": statements[worst.criterion],
            "reason": worst.reason,
        },
    )
    return ModeVerdict(
        mode=mode.name,
        verdict=word,
        deciding=worst.criterion,
        results=tuple(results),
        reason=in_words((said,), languages),
    )


def permit_criterion(languages: tuple[str, ...], *, blocking: bool = False) -> Criterion:
    """Return the criterion that asks, in every mode, whether the permit covers it.

    It holds a release, and blocks one of a model that was trained without a permit or that rests
    on rows of people who withdrew.
    """
    return Criterion(
        id=PERMIT,
        group="process",
        kind="predicate",
        suite=PERMIT,
        model=CANDIDATE,
        on_fail="block" if blocking else "hold",
        statement=in_words((Said("permit.statement"),), languages),
    )


def _undecided(
    control: _Checked, languages: tuple[str, ...]
) -> tuple[CriterionResult, dict[str, str]]:
    name = control.result.name
    return (
        _held(
            f"control:{name}",
            control.said or Said("control.undecided"),
            languages,
            tuple(sorted({d for r in control.results for d in r.evidence})),
        ),
        in_words((Said("control.statement", {"control": name}),), languages),
    )


def _held(
    name: str, said: Said, languages: tuple[str, ...], evidence: tuple[Digest, ...] = ()
) -> CriterionResult:
    """What holds a mode beside its criteria."""
    return CriterionResult(
        criterion=name, group=CONTROLS, state="missing", on_fail="hold", observed=None,
        bound=None, bound_side="upper", limit=0.0, n=0, reason=in_words((said,), languages),
        evidence=evidence,
    )  # fmt: skip


def _check(criterion: Criterion, evidence: Evidence, languages: tuple[str, ...]) -> CriterionResult:
    """Evaluate one criterion; what breaks off is a blocking failure, never a pass."""
    try:
        found = rule(criterion.kind)(criterion, evidence)
        _finite(found.observed, found.bound)
    except Missing as missing:
        return _empty(criterion, "missing", missing.said, languages, missing.evidence)
    except Exception as error:  # noqa: BLE001 - a verdict must not fall through any error
        said = Said("unknown", {"error": f"{type(error).__name__}: {error}"})
        return _empty(criterion, "fail", said, languages)
    return CriterionResult(
        criterion=criterion.id,
        group=criterion.group,
        state=found.state,
        on_fail=criterion.on_fail,
        observed=found.observed,
        bound=found.bound,
        bound_side=found.side,
        limit=found.limit,
        n=found.n,
        n_needed=found.n_needed,
        reason=in_words(found.reason, languages),
        evidence=found.evidence,
        labels=found.labels,
    )


def _empty(
    criterion: Criterion,
    state: Literal["missing", "fail"],
    said: Said,
    languages: tuple[str, ...],
    evidence: tuple[Digest, ...] = (),
) -> CriterionResult:
    return CriterionResult(
        criterion=criterion.id,
        group=criterion.group,
        state=state,
        on_fail="block" if state == "fail" else criterion.on_fail,
        observed=None,
        bound=None,
        bound_side="lower" if criterion.kind in _FROM_BELOW else "upper",
        limit=-criterion.limit if criterion.kind == "noninferiority" else criterion.limit,
        n=0,
        reason=in_words((said,), languages),
        evidence=evidence,
    )


def _finite(*values: float | None) -> None:
    for value in values:
        if value is not None and not math.isfinite(value):
            raise ValueError(f"a measurement gave {value}")


def _worst(results: Sequence[CriterionResult]) -> CriterionResult:
    """The result that decides: what no further evidence can mend comes first."""

    def rank(result: CriterionResult) -> tuple[int, float]:
        match result.state:
            case "fail" if result.on_fail == "block":
                return 0, 0.0
            case "fail" if result.criterion == PERMIT:
                return 1, 0.0
            case "fail":
                return 2, 0.0
            case "missing" if result.group != CONTROLS:
                return 3, 0.0
            case "inconclusive":
                needed = result.n_needed
                return 4, -math.inf if needed is None else -float(needed)
            case "missing":
                return 5, 0.0  # a control is often open for what leaves a criterion open
            case _:
                return 6, 0.0

    # min is stable: among equals the first in the file, where importance is written.
    return min(results, key=rank)


def worst_first(results: Sequence[CriterionResult]) -> list[CriterionResult]:
    """Return results with the one that decides first, and passes by how close they were."""
    left, found = list(results), []
    while left:
        passed = all(r.state == "pass" for r in left)
        found.append(_tightest(left) if passed else _worst(left))
        left.remove(found[-1])
    return found


def _tightest(results: Sequence[CriterionResult]) -> CriterionResult:
    """The pass that lies closest to its limit; a predicate only if there is no number at all."""

    def slack(result: CriterionResult) -> float:
        if result.bound is None:
            return math.inf
        return abs(result.bound - result.limit)

    return min(results, key=slack)
