"""A rate of failures must stay under a limit, by a bound that holds at every moment of looking.

The bound of `rate_upper` is exact for a number of units that was fixed beforehand. Whoever looks
after every batch and stops when it passes needs one that holds at all times at once.

Known limits: wider than the exact bound for one fixed n; a judge's own test is taken as fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from math import lgamma, log
from typing import Literal

import yaml

from normwright import stats
from normwright.plugins import Card, plugin
from normwright.records import Criterion
from normwright.release import Evidence, Found, Missing, Said, failed_units, given, number

CARD = Card(
    name="rate-upper-anytime",
    kind="criteria",
    summary="The rate of failures is at most the limit, by a bound that holds while you look.",
    reference="Robbins, Annals of Mathematical Statistics 41 (1970); Ville's inequality (1939)",
    claims=("over all times of looking, wrong about a rate with probability at most alpha",),
    status="tested",
)

State = Literal["pass", "fail", "inconclusive"]


@plugin(CARD)
def rate_upper_anytime(criterion: Criterion, evidence: Evidence) -> Found:
    """Return pass if the upper bound is within the limit, fail if the lower one is over it."""
    measurement = evidence.measurement(criterion)
    judge = evidence.judged_by(measurement)
    counts = failed_units(measurement)
    if counts is None or counts[1] == 0:
        raise Missing(Said("missing.predicate"), (measurement.digest,))
    failed, n = counts
    low, high = bounds(failed, n, evidence.alpha if judge is None else evidence.alpha / 2)
    if judge is not None:
        # A judge misses some and flags some for nothing: only so much of the rate is certain.
        hits = evidence.worst_rate(judge.sensitivity, measurement, evidence.alpha / 2)
        floor = stats.lower_bound(*hits, evidence.alpha / 2)
        low, high = 0.0, min(1.0, high / floor) if floor > 0 else 1.0
    state: State = "inconclusive"
    if high <= criterion.limit:
        state = "pass"
    elif low > criterion.limit:
        state = "fail"
    rates = {"bound": high, "lower": low, "limit": criterion.limit}
    return Found(
        state=state,
        reason=(given(words(state, failed, n, rates)),),
        observed=failed / n,
        bound=low if state == "fail" else high,
        side="lower" if state == "fail" else "upper",
        limit=criterion.limit,
        n=n,
        evidence=(measurement.digest,) + ((judge.digest,) if judge else ()),
    )


def bounds(failed: int, n: int, alpha: float) -> tuple[float, float]:
    """Return the rates that `failed` of `n` leave possible, whenever one looks.

    A bet against rate p that spreads its money evenly over all other rates has grown to
    B(failed + 1, n - failed + 1) / (p^failed (1 - p)^(n - failed)) by now. If p is the true rate,
    it ever reaches 1 / alpha with probability at most alpha (Ville), so rates it has not reached
    it for stay possible.

    Args:
        failed: Units that failed.
        n: Units looked at so far.
        alpha: Probability of being wrong at any time, both sides together.
    """
    seen, grown = failed / n, lgamma(failed + 1) + lgamma(n - failed + 1) - lgamma(n + 2)

    def possible(p: float) -> bool:
        won = 0.0 if failed == 0 else failed * log(p)
        lost = 0.0 if failed == n else (n - failed) * log(1 - p)
        return grown - won - lost < log(1 / alpha)

    low = 0.0 if failed == 0 else _edge(possible, inside=seen, outside=0.0)
    high = 1.0 if failed == n else _edge(possible, inside=seen, outside=1.0)
    return low, high


def _edge(possible: Callable[[float], bool], *, inside: float, outside: float) -> float:
    """Return where `possible` ends between two rates, by halving; the side of caution."""
    for _ in range(60):
        middle = (inside + outside) / 2
        if possible(middle):
            inside = middle
        else:
            outside = middle
    return outside


def words(state: State, failed: int, n: int, rates: Mapping[str, float]) -> dict[str, str]:
    """Return the reason in every language of the words file, rates written as it writes them."""
    return {
        lang: book[state].format(
            failed=number(failed, "count", lang),
            n=number(n, "count", lang),
            **{name: number(rate, "share", lang) for name, rate in rates.items()},
        )
        for lang, book in _books().items()
    }


@cache
def _books() -> dict[str, dict[str, str]]:
    text = (files("normwright_extras") / "anytime.yaml").read_text(encoding="utf-8")
    books: dict[str, dict[str, str]] = yaml.safe_load(text)
    return books
