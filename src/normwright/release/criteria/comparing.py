"""Two kinds that compare paired models: not worse by more than a margin, and better for certain.

Known limits: the interval is a clustered bootstrap, approximate where clusters are few.
"""

from __future__ import annotations

from typing import Literal

from normwright import stats
from normwright.plugins import Card, plugin
from normwright.records import Criterion, Digest, Estimate, Interval, Measurement
from normwright.release.cells import part_words, worst
from normwright.release.differences import difference
from normwright.release.evidence import SUITES, Evidence, Found, Missing, bound_at, by_name, need
from normwright.release.wording import Number, Said, role_words, suite_words

NONINFERIORITY = Card(
    name="noninferiority",
    kind="criteria",
    status="tested",
    summary="The model is not worse than its baseline by more than the margin.",
    reference="Lachenbruch and Lynch, Statistics in Medicine 17 (1998)",
    claims=("a gain is counted in the direction that is better for the suite",),
)

SUPERIORITY = Card(
    name="superiority",
    kind="criteria",
    status="tested",
    summary="The model is better than its baseline; the two-sided interval excludes the limit.",
    reference="Efron, JASA 82 (1987); McNemar, Psychometrika 12 (1947)",
    claims=("a gain is counted in the direction that is better for the suite",),
)

_EPS = 1e-12


@plugin(NONINFERIORITY)
def noninferiority(criterion: Criterion, evidence: Evidence) -> Found:
    """Return pass if the gain's lower bound is at or over minus the margin."""
    return _compare(
        criterion, evidence, "noninferiority", -criterion.limit, evidence.alpha, strict=False
    )


@plugin(SUPERIORITY)
def superiority(criterion: Criterion, evidence: Evidence) -> Found:
    """Return pass if the gain's two-sided interval lies wholly over the limit."""
    return _compare(
        criterion, evidence, "superiority", criterion.limit, evidence.alpha / 2, strict=True
    )


def _compare(
    criterion: Criterion,
    evidence: Evidence,
    kind: str,
    limit: float,
    alpha: float,
    *,
    strict: bool,
) -> Found:
    if by_name(criterion):
        return _by_rows(criterion, evidence, kind, limit, alpha, strict=strict)
    contrast = evidence.contrast(criterion)
    named = {"suite": suite_words(contrast.suite), "model": role_words(contrast.better)}
    gain = _gain(contrast.difference, SUITES[criterion.suite])
    if gain.value is None:
        raise Missing(Said("missing.empty", named), (contrast.digest,))
    return _found(gain, (), contrast.worse, (contrast.digest,), kind, limit, alpha, strict=strict)


def _by_rows(
    criterion: Criterion, evidence: Evidence, kind: str, limit: float, alpha: float, *, strict: bool
) -> Found:
    """The same on rows: each part of the candidate's against that part of the baseline's."""
    better: Literal["higher", "lower"] = criterion.options.get(
        "better", SUITES.get(criterion.suite, "higher")
    )
    baseline = criterion.baseline or ""
    others = evidence.cells(criterion, role=baseline)
    theirs = {(m.lang, *m.slice.items()): m for group in others.values() for m in group}

    def of_one(mine: Measurement) -> Found:
        other = theirs.get((mine.lang, *mine.slice.items()))
        if other is None:
            told = {"suite": suite_words(mine.suite), "model": role_words(baseline)}
            scope = {"scope": Said("scope.part", {"part": part_words(mine)})}
            raise Missing(Said("missing.measurement", told | scope), (mine.digest,))
        found = difference(mine, other, alpha)
        return _found(
            _gain(found.estimate, better), (found.said,), baseline, found.evidence, kind, limit,
            alpha, strict=strict,
        )  # fmt: skip

    mine = [cell for group in evidence.cells(criterion).values() for cell in group]
    return worst(mine, of_one, part_words)


def _found(
    gain: Estimate,
    how: tuple[Said, ...],
    baseline: str,
    digests: tuple[Digest, ...],
    kind: str,
    limit: float,
    alpha: float,
    *,
    strict: bool,
) -> Found:
    low, high = (
        bound_at(gain, alpha, "lower", least=-1.0),
        bound_at(gain, alpha, "upper", least=-1.0),
    )
    if gain.value is None or low is None or high is None:
        raise Missing(Said("missing.no_interval"), digests)
    state: Literal["pass", "fail", "inconclusive"]
    if (low > limit + _EPS) if strict else (low >= limit - _EPS):
        state = "pass"
    elif (high <= limit + _EPS) if strict else (high < limit - _EPS):
        state = "fail"
    else:
        state = "inconclusive"
    needed = stats.n_to_clear(gain, limit, side="lower")
    reason = [
        Said(
            f"{kind}.{state}",
            {
                "observed": Number(gain.value, "points"),
                "baseline": role_words(baseline),
                "bound": Number(low, "points"),
                "upper": Number(high, "points"),
                "limit": Number(limit, "points"),
            },
        )
    ]
    reason.extend(how)
    if state == "inconclusive":
        reason.append(need(needed, Said("unit.")))
    return Found(
        state=state,
        reason=tuple(reason),
        observed=gain.value,
        bound=high if state == "fail" else low,
        side="upper" if state == "fail" else "lower",
        limit=limit,
        n=gain.n,
        n_needed=needed,
        evidence=digests,
    )


def _gain(difference: Estimate, better: Literal["higher", "lower"]) -> Estimate:
    """The difference, turned so that more is better."""
    if better == "higher" or difference.value is None or difference.interval is None:
        return difference
    i = difference.interval
    turned = Interval(low=-i.high, high=-i.low, level=i.level, method=i.method)
    return difference.model_copy(update={"value": -difference.value, "interval": turned})
