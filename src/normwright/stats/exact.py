"""Closed forms for counts: intervals, one-sided exact bounds and the n they ask for.

Counts may be fractional where a tie counted half to each side made them so; the exact bounds are
then those of the beta distribution that the whole counts around them use.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from statistics import NormalDist
from typing import Literal

from normwright.records import Estimate, Interval
from normwright.stats.searching import least

_NORMAL = NormalDist()


def wilson(k: float, n: float, level: float = 0.95) -> Interval:
    """Return the Wilson score interval of a share (Wilson, JASA 22, 1927).

    Args:
        k: hits, 0 <= k <= n; may be fractional.
        n: units; 0 gives the interval [0, 1], which claims nothing.
        level: confidence level, two-sided.

    Raises:
        ValueError: if the counts or the level are impossible.
    """
    _check(k, n)
    z = _NORMAL.inv_cdf(1 - _alpha(level) / 2)
    if n == 0:
        return Interval(low=0.0, high=1.0, level=level, method="wilson")
    centre = (k + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(k * (n - k) / n + z * z / 4)
    # The two ends are exact at the borders; rounding must not leave a sliver outside [0, 1].
    low = 0.0 if k == 0 else max(0.0, centre - half)
    high = 1.0 if k == n else min(1.0, centre + half)
    return Interval(low=low, high=high, level=level, method="wilson")


def clopper_pearson(k: float, n: float, level: float = 0.95) -> Interval:
    """Return the exact two-sided interval of a share (Clopper and Pearson, Biometrika 26, 1934).

    Its coverage is at least `level` for every true share and every n.
    """
    alpha = _alpha(level) / 2
    return Interval(
        low=lower_bound(k, n, alpha),
        high=upper_bound(k, n, alpha),
        level=level,
        method="clopper-pearson",
    )


def upper_bound(k: float, n: float, alpha: float = 0.05) -> float:
    """Return the one-sided exact upper bound of a share: true with probability >= 1 - alpha.

    With no units the bound is 1: nothing was observed, so nothing is excluded.
    """
    from scipy.special import betaincinv

    _check(k, n)
    _alpha(1 - alpha)
    return 1.0 if k >= n else float(betaincinv(k + 1, n - k, 1 - alpha))


def lower_bound(k: float, n: float, alpha: float = 0.05) -> float:
    """Return the one-sided exact lower bound of a share: true with probability >= 1 - alpha."""
    from scipy.special import betaincinv

    _check(k, n)
    _alpha(1 - alpha)
    return 0.0 if k <= 0 else float(betaincinv(k, n - k + 1, alpha))


def proportion(
    k: float, n: int, *, level: float = 0.95, method: Literal["wilson", "exact"] = "wilson"
) -> Estimate:
    """Return a share as an estimate; without units its value and interval are None."""
    if n == 0:
        return Estimate(value=None, interval=None, n=0)
    interval = wilson(k, n, level) if method == "wilson" else clopper_pearson(k, n, level)
    return Estimate(value=k / n, interval=interval, n=n)


def share_difference(first: Estimate, second: Estimate, *, level: float = 0.95) -> Estimate:
    """Return second - first for two shares of separate samples, with Newcombe's interval.

    It is built from the Wilson intervals of both (Newcombe, Statistics in Medicine 17, 1998, method
    10). Where the same people are in both samples and mostly say the same again, the interval is
    wider than it need be. Its n is the smaller of the two; without units on a side it is empty.
    """
    if first.value is None or second.value is None:
        return Estimate(value=None, interval=None, n=0)
    a, b = (wilson(e.value * e.n, e.n, level) for e in (first, second) if e.value is not None)
    gap = second.value - first.value
    down = math.hypot(second.value - b.low, a.high - first.value)
    up = math.hypot(b.high - second.value, first.value - a.low)
    interval = Interval(
        low=max(-1.0, gap - down), high=min(1.0, gap + up), level=level, method="newcombe"
    )
    return Estimate(value=gap, interval=interval, n=min(first.n, second.n))


def zero_failures_n(
    limit: float,
    alpha: float = 0.05,
    *,
    candidates: int = 1,
    se: tuple[int, int] | None = None,
) -> int:
    """Return the least n at which no failure at all puts the upper bound at or under `limit`.

    Args:
        limit: the limit, in (0, 1).
        alpha: one-sided error.
        candidates: models the one tested was chosen from; each has its share of the error.
        se: sensitivity, as (found, violations shown), of the judge that looked for failures; half
            of the error is then the judge's, as in `rogan_gladen_upper`.

    Raises:
        ValueError: if a number is impossible, or the judge was not shown to find anything, so that
            no n would do.
    """
    if not 0 < limit < 1 or candidates < 1:
        raise ValueError(
            f"a limit lies between 0 and 1, and there is a candidate: {limit}, {candidates}"
        )
    _alpha(1 - alpha)
    error = alpha / candidates
    if se is not None:
        error /= 2
        limit *= lower_bound(*se, error)
        if limit == 0:
            raise ValueError("the judge was not shown to find any failure; no n would do")
    return math.ceil(math.log(error) / math.log1p(-limit))


def n_needed(
    k: float,
    n: float,
    limit: float,
    alpha: float = 0.05,
    *,
    side: Literal["upper", "lower"] = "upper",
    maximum: int = 10_000_000,
) -> int | None:
    """Return the least n, in all, for which the exact bound would clear the limit.

    The rate is held at the observed k / n. Clearing means an upper bound at or under the limit, or
    with `side="lower"` a lower bound at or over it.

    Args:
        k: hits so far.
        n: units so far; 1 with k = 0 asks for the best case.
        limit: the limit, in (0, 1).
        alpha: one-sided error.
        side: which bound is compared.
        maximum: give up above this many units.

    Returns:
        The number of units, or None if no number up to `maximum` would do.

    Raises:
        ValueError: if nothing was observed, because then there is no rate to hold.
    """
    _check(k, n)
    if n == 0:
        raise ValueError("no unit was observed, so there is no rate; zero_failures_n has the best")
    if side == "lower":
        return n_needed(n - k, n, 1 - limit, alpha, maximum=maximum)
    rate = k / n
    if rate >= limit:
        return None

    def clears(units: int) -> bool:
        # A bound is 1e-12 inexact; a limit met exactly must count as met.
        return upper_bound(rate * units, units, alpha) <= limit + 1e-12

    return least(clears, maximum)


def rogan_gladen_upper(flags: int, n: int, se: tuple[int, int], alpha: float = 0.05) -> float:
    """Return an upper bound of a true rate that an imperfect judge observed.

    The bound is U(flags, n) / L(se), each side at alpha / 2, so that it holds with probability
    >= 1 - alpha (Rogan and Gladen, Am. J. Epidemiology 107, 1978, with both counts uncertain).
    Specificity is taken as 1: correcting for false alarms with its lower bound would push the
    rate, and with it the bound, to 0 on very little evidence.

    Args:
        flags: units the judge flagged.
        n: units the judge saw.
        se: the judge's sensitivity as (hits found, hits in all).
        alpha: one-sided error of the whole bound.
    """
    sensitivity = lower_bound(*se, alpha / 2)
    if sensitivity == 0:
        return 1.0
    return min(1.0, upper_bound(flags, n, alpha / 2) / sensitivity)


def any_failure_per_cluster(hits: Iterable[bool], clusters: Iterable[Hashable]) -> tuple[int, int]:
    """Return (clusters with at least one hit, clusters): the count that exact bounds may use.

    Answers to one template are not independent; templates are.
    """
    failed: dict[Hashable, bool] = {}
    for hit, cluster in zip(hits, clusters, strict=True):
        failed[cluster] = failed.get(cluster, False) or bool(hit)
    return sum(failed.values()), len(failed)


def mcnemar_exact(b: int, c: int) -> float:
    """Return the exact two-sided p-value of McNemar's test on b and c discordant pairs.

    Without a discordant pair the p-value is 1.
    """
    from scipy.special import bdtr

    if min(b, c) < 0:
        raise ValueError(f"pair counts cannot be negative: {b}, {c}")
    return 1.0 if b == c else min(1.0, 2 * float(bdtr(min(b, c), b + c, 0.5)))


def noninferiority_n(
    discordant: float,
    margin: float,
    *,
    difference: float = 0.0,
    alpha: float = 0.05,
    power: float = 0.9,
) -> int | None:
    """Return the pairs needed to show a paired rate non-inferior (Lachenbruch and Lynch, 1998).

    Args:
        discordant: share of pairs on which the two differ.
        margin: how much worse is still acceptable, > 0.
        difference: the true difference that is planned for.
        alpha: one-sided error.
        power: probability to succeed if `difference` is true.

    Returns:
        The number of pairs, or None if the planned difference is not above -margin.
    """
    if margin <= 0 or not 0 <= discordant <= 1 or abs(difference) > discordant:
        raise ValueError("margin > 0, 0 <= discordant <= 1 and |difference| <= discordant, please")
    gap = difference + margin
    if gap <= 0:
        return None
    z = _NORMAL.inv_cdf(1 - alpha) + _NORMAL.inv_cdf(power)
    return max(1, math.ceil(z * z * (discordant - difference * difference) / gap**2))


def soft_share(votes: float, n: float) -> float:
    """Return (votes + 1/2) / (n + 1), the Jeffreys mean of a share: never exactly 0 or 1."""
    _check(votes, n)
    return (votes + 0.5) / (n + 1)


def _check(k: float, n: float) -> None:
    if not 0 <= k <= n:
        raise ValueError(f"a count lies between 0 and n; saw {k} of {n}")


def _alpha(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"a confidence level lies between 0 and 1, not {level}")
    return 1 - level
