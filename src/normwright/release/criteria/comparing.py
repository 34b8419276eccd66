"""Two kinds that compare paired models: not worse by more than a margin, and better for certain.

Known limits: the interval is a clustered bootstrap, approximate where clusters are few.
"""

from __future__ import annotations

from typing import Literal

from normwright import stats
from normwright.plugins import Card, plugin
from normwright.records import Criterion, Estimate, Interval
from normwright.release.evidence import SUITES, Evidence, Found, Missing, bound_at, need
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
    contrast = evidence.contrast(criterion)
    gain = _gain(contrast.difference, SUITES[criterion.suite])
    low, high = (
        bound_at(gain, alpha, "lower", least=-1.0),
        bound_at(gain, alpha, "upper", least=-1.0),
    )
    if gain.value is None or low is None or high is None:
        named = {"suite": suite_words(contrast.suite), "model": role_words(contrast.better)}
        raise Missing(Said("missing.empty", named), (contrast.digest,))
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
                "baseline": role_words(contrast.worse),
                "bound": Number(low, "points"),
                "upper": Number(high, "points"),
                "limit": Number(limit, "points"),
            },
        )
    ]
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
        evidence=(contrast.digest,),
    )


def _gain(difference: Estimate, better: Literal["higher", "lower"]) -> Estimate:
    """The difference, turned so that more is better."""
    if better == "higher" or difference.value is None or difference.interval is None:
        return difference
    i = difference.interval
    turned = Interval(low=-i.high, high=-i.low, level=i.level, method=i.method)
    return difference.model_copy(update={"value": -difference.value, "interval": turned})
