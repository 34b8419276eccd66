"""A rate of failures must stay under a limit, by an exact one-sided upper bound.

Known limits: a unit fails if any answer in it fails, so the rate is one of units, not of answers;
a judge whose errors depend on the model judged is not corrected for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from normwright import stats
from normwright.plugins import Card, plugin
from normwright.records import Adjudication, Criterion, Estimate, Judge, Measurement
from normwright.release.cells import part_words, worst
from normwright.release.evidence import (
    Evidence,
    Found,
    Missing,
    bound_at,
    by_name,
    failed_units,
    need,
    state_of,
    unit_words,
)
from normwright.release.wording import Number, Said, role_words, suite_words

CARD = Card(
    name="rate-upper",
    kind="criteria",
    status="tested",
    summary="The rate of failures is at most the limit, counted by independent unit.",
    reference="Clopper and Pearson, Biometrika 26 (1934); Rogan and Gladen, AJE 107 (1978)",
    claims=(
        "passes a model whose true rate is over the limit with probability at most alpha",
        "zero failures never give a bound of zero",
        "a judge's flags are divided by the least sensitivity its test leaves possible",
    ),
)

_EPS = 1e-12

TO_JUDGE: Final = 0.25
"""The part of the error that the judge's sensitivity gets; the flags get the rest."""


@plugin(CARD)
def rate_upper(criterion: Criterion, evidence: Evidence) -> Found:
    """Return pass if the upper bound is at or under the limit, fail if the lower one is over it.

    Of several parts the worst decides.
    """
    if not by_name(criterion):
        return rate_of(evidence.measurement(criterion), criterion, evidence)
    cells = [cell for group in evidence.cells(criterion).values() for cell in group]
    return worst(cells, lambda cell: rate_of(cell, criterion, evidence), part_words)


def rate_of(measurement: Measurement, criterion: Criterion, evidence: Evidence) -> Found:
    """Return what one rate of failures is found to be, against the limit of a criterion.

    A judge's flags bound the rate from above by U / L: the upper bound of the flags that people
    have not cleared over the lower bound of the judge's sensitivity. A quarter of the error goes to
    the sensitivity, the rest to the flags (after Berger and Boos, JASA 89, 1994: the nuisance gets
    the smaller part, fixed beforehand). Specificity is taken as 1 there.

    Raises:
        Missing: if nothing was observed, or the judge's errors are not known.
    """
    judge = evidence.judged_by(measurement)
    counts = failed_units(measurement)
    named = {"suite": suite_words(measurement.suite), "model": role_words(measurement.model)}
    if counts is None:
        if measurement.count is not None:
            raise Missing(Said("missing.units", named), (measurement.digest,))
        return _from_interval(criterion, evidence, measurement, judge)
    failed, n = counts
    if n == 0:
        raise Missing(Said("missing.empty", named), (measurement.digest,))
    unit, alpha = unit_words(measurement), evidence.alpha
    labels = None
    if judge is None:
        upper, lower = bounds(failed, n, alpha, criterion)
        needed = n_needed(failed, n, criterion.limit, alpha, criterion)
        advice: tuple[Said, ...] = (need(needed, unit),)
    else:
        cleared = int(measurement.details.get("cleared_units", 0))
        se = _worst(_errors(measurement, judge)[0], measurement, evidence, alpha * TO_JUDGE)
        floor = stats.lower_bound(*se, alpha * TO_JUDGE)
        over = bounds(failed - cleared, n, alpha * (1 - TO_JUDGE), criterion)[0]
        upper = min(1.0, over / floor) if floor > 0 else 1.0
        lower = _certain(criterion, measurement, judge, evidence, failed, n)
        limit = criterion.limit * floor
        needed = None
        if floor > 0:
            rest = alpha * (1 - TO_JUDGE)
            needed = n_needed(failed - cleared, n, limit, rest, criterion)
        advice = (_judged_advice(criterion.limit, failed - cleared, n, se, floor, needed, unit),)
        if bounds(failed - cleared, n, alpha, criterion)[0] <= criterion.limit + _EPS:
            advice += (Said("need.judge_alone"),)
        if state_of(upper, lower, criterion.limit) == "inconclusive":
            labels = _labels(measurement, criterion, evidence, floor)
            advice += _asked(labels)
    state = state_of(upper, lower, criterion.limit)
    reason = [
        Said(
            f"rate_upper.{state}",
            {
                "failed": Number(failed, "count"),
                "n": Number(n, "count"),
                "unit": unit,
                "bound": Number(upper),
                "lower": Number(lower),
                "limit": Number(criterion.limit),
            },
        )
    ]
    if state == "inconclusive":
        reason.extend(advice)
    return Found(
        state=state,
        reason=tuple(reason),
        observed=failed / n,
        bound=lower if state == "fail" else upper,
        side="lower" if state == "fail" else "upper",
        limit=criterion.limit,
        n=n,
        n_needed=min(needed, n) if state == "pass" and needed is not None else needed,
        evidence=(measurement.digest,) + ((judge.digest,) if judge else ()),
        labels=labels,
    )


def bounds(failed: int, n: int, alpha: float, criterion: Criterion) -> tuple[float, float]:
    """Return the upper and the lower one-sided bound of a count, at one look or at any number."""
    if criterion.looks == "any":
        return stats.anytime_upper(failed, n, alpha), stats.anytime_lower(failed, n, alpha)
    return stats.upper_bound(failed, n, alpha), stats.lower_bound(failed, n, alpha)


def n_needed(failed: int, n: int, limit: float, alpha: float, criterion: Criterion) -> int | None:
    """Return the units, in all, at which the upper bound would clear a limit at this rate."""
    if criterion.looks == "any":
        return stats.anytime_n_needed(failed, n, limit, alpha)
    return stats.n_needed(failed, n, limit, alpha)


def _errors(
    measurement: Measurement, judge: Judge
) -> tuple[list[dict[str, Estimate]], list[dict[str, Estimate]]]:
    """The judge's rates that bound how often it misses a failure, and how often it invents one.

    A failure is an act done, which sensitivity catches. Where the act was `due`, the failure is
    that it was not done, and the two rates change places; where only some were due, both count.
    """
    due = int(measurement.details.get("due", 0))
    seen, cleared = judge.sensitivity, judge.specificity
    if not due:
        return [seen], [cleared]
    if due == measurement.details.get("answers"):
        return [cleared], [seen]
    return [seen, cleared], [cleared, seen]


def _worst(
    rates: list[dict[str, Estimate]], measurement: Measurement, evidence: Evidence, alpha: float
) -> tuple[int, int]:
    """Return (hits, n) of the rate and language whose lower bound is least."""
    found = [evidence.worst_rate(each, measurement, alpha) for each in rates]
    return min(found, key=lambda counts: stats.lower_bound(counts[0], counts[1], alpha))


def _certain(
    criterion: Criterion,
    measurement: Measurement,
    judge: Judge,
    evidence: Evidence,
    failed: int,
    n: int,
) -> float:
    """Lower bound of the true rate behind a judge's flags.

    A unit is falsely flagged at most as often as its answers are in sum, so the flags that false
    alarms could explain are taken away first (sensitivity as 1). Units that people confirmed
    count in full. Where neither is known, flags prove nothing: 0.
    """
    half = evidence.alpha / 2
    confirmed = measurement.details.get("confirmed_units")
    by_people = bounds(int(confirmed), n, evidence.alpha, criterion)[1] if confirmed else 0.0
    answers = measurement.details.get("answers")
    if answers is None:
        return by_people
    specificity = stats.lower_bound(
        *_worst(_errors(measurement, judge)[1], measurement, evidence, half), half
    )
    false = min(1.0, int(answers) / n * (1 - specificity))
    flagged = bounds(failed, n, half, criterion)[1]
    by_judge = max(0.0, (flagged - false) / (1 - false)) if false < 1 else 0.0
    return max(by_people, by_judge)


def _judged_advice(
    limit: float,
    failed: int,
    n: int,
    se: tuple[int, int],
    floor: float,
    needed: int | None,
    unit: Said,
) -> Said:
    if floor == 0:
        return Said("need.judge_zero")
    if needed is None and failed / n < limit * se[0] / se[1]:
        return Said("need.judge", {"unit": unit})
    return need(needed, unit)


def _labels(
    measurement: Measurement, criterion: Criterion, evidence: Evidence, floor: float
) -> Adjudication | None:
    """The fewest labels of people that would decide; None where no number would."""
    details = measurement.details
    failed, n = failed_units(measurement) or (0, 0)
    confirmed = int(details.get("confirmed_units") or 0)
    cleared = int(details.get("cleared_units", 0))
    left = failed - cleared - confirmed
    alpha, limit = evidence.alpha, criterion.limit

    def broken(more: int) -> bool:
        return bounds(confirmed + more, n, alpha, criterion)[1] > limit + _EPS

    def kept(more: int) -> bool:
        over = bounds(failed - cleared - more, n, alpha * (1 - TO_JUDGE), criterion)[0]
        return floor > 0 and over / floor <= limit + _EPS

    to_fail, to_pass = _least(left, broken), _least(left, kept)
    if to_fail is None and to_pass is None:
        return None
    scope = dict(measurement.slice) | ({"lang": measurement.lang} if measurement.lang else {})
    asked = Adjudication(
        scope=scope, flagged=failed, confirmed=confirmed, cleared=cleared,
        to_fail=to_fail, to_pass=to_pass,
    )  # fmt: skip
    known = set(details.get("labelled", ()))
    open_ones = [one for one in details.get("flagged", ()) if one not in known]
    return asked.model_copy(update={"items": tuple(open_ones[: asked.ask])})


def _least(most: int, enough: Callable[[int], bool]) -> int | None:
    """The least number from 1 to `most` that is enough, where more is never worse."""
    if most < 1 or not enough(most):
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _asked(labels: Adjudication | None) -> tuple[Said, ...]:
    if labels is None:
        return ()
    told = []
    for key, count in (("adjudicate", labels.to_fail), ("clear", labels.to_pass)):
        if count is not None:
            more = "_more" if labels.confirmed or labels.cleared else ""
            told.append(Said(f"need.{key}{more}", {"confirm": Number(count, "count")}))
    return tuple(told)


def _from_interval(
    criterion: Criterion, evidence: Evidence, measurement: Measurement, judge: Judge | None
) -> Found:
    """The rule for a share that is no count, by its own interval."""
    alpha = evidence.alpha if judge is None else evidence.alpha / 2
    estimate = measurement.estimate
    named = {"suite": suite_words(measurement.suite), "model": role_words(measurement.model)}
    if criterion.looks == "any":
        # The interval was made for one look; only counts have bounds for any number of them.
        raise Missing(Said("missing.units", named), (measurement.digest,))
    upper, lower = bound_at(estimate, alpha, "upper"), bound_at(estimate, alpha, "lower")
    if estimate.value is None or upper is None or lower is None:
        raise Missing(Said("missing.empty", named), (measurement.digest,))
    if judge is not None:
        floor = stats.lower_bound(
            *_worst(_errors(measurement, judge)[0], measurement, evidence, alpha), alpha
        )
        upper, lower = (min(1.0, upper / floor) if floor > 0 else 1.0), 0.0
    state = state_of(upper, lower, criterion.limit)
    needed = stats.n_to_clear(estimate, criterion.limit, side="upper")
    reason = [
        Said(
            f"rate_upper_interval.{state}",
            {
                "observed": Number(estimate.value),
                "bound": Number(upper),
                "lower": Number(lower),
                "limit": Number(criterion.limit),
            },
        )
    ]
    if state == "inconclusive":
        reason.append(need(needed, unit_words(measurement)))
    return Found(
        state=state,
        reason=tuple(reason),
        observed=estimate.value,
        bound=lower if state == "fail" else upper,
        side="lower" if state == "fail" else "upper",
        limit=criterion.limit,
        n=estimate.n,
        n_needed=needed,
        evidence=(measurement.digest,) + ((judge.digest,) if judge else ()),
    )
