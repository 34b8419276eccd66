"""A rate of successes must reach a limit, by a one-sided lower bound.

Known limits: where answers share a template the bound is a bootstrap's, approximate for few.
"""

from __future__ import annotations

from typing import Literal

from normwright import stats
from normwright.plugins import Card, plugin
from normwright.records import Criterion, Measurement
from normwright.release.cells import part_words, worst
from normwright.release.evidence import (
    Evidence,
    Found,
    Missing,
    bound_at,
    by_name,
    need,
    unit_words,
)
from normwright.release.wording import Number, Said, role_words, suite_words

CARD = Card(
    name="rate-lower",
    kind="criteria",
    status="tested",
    summary="The rate of successes is at least the limit.",
    reference="Clopper and Pearson, Biometrika 26 (1934); Efron, JASA 82 (1987)",
    claims=(
        "exact where every answer is its own unit",
        "by the clustered bootstrap interval where answers share a template",
    ),
)

_EPS = 1e-12


@plugin(CARD)
def rate_lower(criterion: Criterion, evidence: Evidence) -> Found:
    """Return pass if the lower bound reaches the limit, fail if the upper one does not.

    Of several parts the worst decides.
    """
    if not by_name(criterion):
        return _success_of(evidence.measurement(criterion), criterion, evidence)
    cells = [cell for group in evidence.cells(criterion).values() for cell in group]
    return worst(cells, lambda cell: _success_of(cell, criterion, evidence), part_words)


def _success_of(measurement: Measurement, criterion: Criterion, evidence: Evidence) -> Found:
    estimate = measurement.estimate
    # Rows are counted by independent unit, whatever it is; those of a run by answer.
    apart = not measurement.cluster or measurement.basis is not None
    exact = measurement.count is not None and apart and estimate.n > 0
    low: float | None
    high: float | None
    if exact and measurement.count is not None:
        low = stats.lower_bound(measurement.count, estimate.n, evidence.alpha)
        high = stats.upper_bound(measurement.count, estimate.n, evidence.alpha)
    else:
        low = bound_at(estimate, evidence.alpha, "lower")
        high = bound_at(estimate, evidence.alpha, "upper")
    if estimate.value is None or low is None or high is None:
        named = {"suite": suite_words(measurement.suite), "model": role_words(measurement.model)}
        raise Missing(Said("missing.empty", named), (measurement.digest,))
    state: Literal["pass", "fail", "inconclusive"]
    if low >= criterion.limit - _EPS:
        state = "pass"
    else:
        state = "fail" if high < criterion.limit - _EPS else "inconclusive"
    if exact and measurement.count is not None:
        needed = stats.n_needed(
            measurement.count, estimate.n, criterion.limit, evidence.alpha, side="lower"
        )
    else:
        needed = stats.n_to_clear(estimate, criterion.limit, side="lower")
    unit = unit_words(measurement)
    reason = [
        Said(
            f"rate_lower.{state}",
            {
                "observed": Number(estimate.value),
                "n": Number(estimate.n, "count"),
                "unit": unit,
                "bound": Number(low),
                "upper": Number(high),
                "limit": Number(criterion.limit),
            },
        )
    ]
    if state == "inconclusive":
        reason.append(need(needed, unit))
    return Found(
        state=state,
        reason=tuple(reason),
        observed=estimate.value,
        bound=high if state == "fail" else low,
        side="upper" if state == "fail" else "lower",
        limit=criterion.limit,
        n=estimate.n,
        n_needed=needed,
        evidence=(measurement.digest,),
    )
