"""Rates that are the same to within a margin, or not worse by more than one: tests, n and power.

The score tests estimate the rates under the hypothesis that is tested, so that they hold where no
difference at all was seen. They are approximate; `exact_noninferiority` is not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normwright.records import Estimate, Interval
from normwright.stats.clustered import clustered_mean, standard_error
from normwright.stats.exact import lower_bound, upper_bound
from normwright.stats.resample import no_spread
from normwright.stats.searching import least

Floats = NDArray[np.float64]
_NORMAL = NormalDist()


@dataclass(frozen=True)
class MarginTest:
    """A difference tested against a margin."""

    difference: Estimate
    """First less second, with the two-sided interval of level 1 - 2 alpha, whose two ends are the
    bounds of the two one-sided tests."""
    margin: float
    p_value: float
    """Of the hypothesis that the difference is not within the margin."""
    shown: bool
    """Whether it is rejected at alpha."""


def paired_rate_difference(wins: int, losses: int, n: int, *, level: float = 0.95) -> Estimate:
    """Return the difference of two rates on the same items with Tango's score interval.

    (Tango, Statistics in Medicine 17, 1998.) It stays within [-1, 1] and has width also where no
    pair differs. Its coverage lies near the level on average; for few discordant pairs and rates
    near 0 it can fall a few points short, see `exact_noninferiority`.

    Args:
        wins: pairs of which the first alone is a hit.
        losses: pairs of which the second alone is.
        n: pairs in all; 0 gives an empty estimate.
        level: confidence level, two-sided.

    Raises:
        ValueError: if the counts or the level are impossible.
    """
    _pairs(wins, losses, n)
    z = _NORMAL.inv_cdf(1 - _tail(level))
    if n == 0:
        return Estimate(value=None, interval=None, n=0)
    gap = (wins - losses) / n
    interval = _inverted(lambda d: float(tango(wins, losses, n, d)), gap, z, level, "tango")
    return Estimate(value=gap, interval=interval, n=n)


def rate_difference(
    first: tuple[int, int], second: tuple[int, int], *, level: float = 0.95
) -> Estimate:
    """Return the difference of two rates of samples apart with its score interval.

    (Farrington and Manning, Statistics in Medicine 9, 1990; Miettinen and Nurminen, 4, 1985,
    without their factor N / (N - 1).)

    Args:
        first: (hits, units).
        second: (hits, units) of the other sample.
        level: confidence level, two-sided.
    """
    (a, n), (b, m) = first, second
    _apart(first, second)
    z = _NORMAL.inv_cdf(1 - _tail(level))
    if n == 0 or m == 0:
        return Estimate(value=None, interval=None, n=0)
    gap = a / n - b / m
    interval = _inverted(
        lambda d: float(farrington_manning(a, n, b, m, d)), gap, z, level, "farrington-manning"
    )
    return Estimate(value=gap, interval=interval, n=min(n, m))


def tost_paired(
    wins: int, losses: int, n: int, *, margin: float, alpha: float = 0.05
) -> MarginTest:
    """Return whether two rates on the same items differ by less than a margin, by two tests.

    Two one-sided tests (Schuirmann, J. Pharmacokinetics and Biopharmaceutics 15, 1987) by Tango's
    score: equivalence is shown if the interval of level 1 - 2 alpha lies within the margin.

    Raises:
        ValueError: if the counts, the margin or alpha are impossible, or there are no pairs.
    """
    _margin(margin, alpha, n)
    estimate = paired_rate_difference(wins, losses, n, level=1 - 2 * alpha)
    scores = (float(tango(wins, losses, n, -margin)), float(tango(wins, losses, n, margin)))
    return _both(estimate, margin, alpha, scores)


def tost_unpaired(
    first: tuple[int, int], second: tuple[int, int], *, margin: float, alpha: float = 0.05
) -> MarginTest:
    """Return whether two rates of samples apart differ by less than a margin, by two tests."""
    _margin(margin, alpha, min(first[1], second[1]))
    estimate = rate_difference(first, second, level=1 - 2 * alpha)
    scores = [float(farrington_manning(*first, *second, d)) for d in (-margin, margin)]
    return _both(estimate, margin, alpha, (scores[0], scores[1]))


def noninferiority_paired(
    wins: int, losses: int, n: int, *, margin: float, alpha: float = 0.05, exact: bool | None = None
) -> MarginTest:
    """Return whether the first rate is not lower than the second by a margin or more.

    Args:
        wins: pairs of which the first alone is a hit (hits are good).
        losses: pairs of which the second alone is.
        n: pairs in all, at least 1.
        margin: how much lower is too much, in (0, 1).
        alpha: one-sided error.
        exact: test by `exact_noninferiority`, else by Tango's score; None: exactly where no more
            than 100 pairs differ. The interval is Tango's in either case.
    """
    _margin(margin, alpha, n)
    estimate = paired_rate_difference(wins, losses, n, level=1 - 2 * alpha)
    if exact is None:
        exact = wins + losses <= 100
    if exact:
        p = exact_noninferiority(wins, losses, n, margin=margin)
    else:
        p = 1 - _NORMAL.cdf(float(tango(wins, losses, n, -margin)))
    return MarginTest(estimate, margin, p, p <= alpha)


def noninferiority_unpaired(
    first: tuple[int, int], second: tuple[int, int], *, margin: float, alpha: float = 0.05
) -> MarginTest:
    """Return whether the first rate is not lower than the second by a margin, of samples apart.

    Args:
        first: (hits, units); hits are good.
        second: (hits, units) of the other sample.
        margin: how much lower is too much, in (0, 1).
        alpha: one-sided error of the score test.
    """
    _margin(margin, alpha, min(first[1], second[1]))
    estimate = rate_difference(first, second, level=1 - 2 * alpha)
    p = 1 - _NORMAL.cdf(float(farrington_manning(*first, *second, -margin)))
    return MarginTest(estimate, margin, p, p <= alpha)


def noninferiority_mean(
    differences: ArrayLike,
    clusters: Sequence[Hashable] | None = None,
    *,
    margin: float,
    alpha: float = 0.05,
) -> MarginTest:
    """Return whether a mean of differences in [-1, 1] is not lower than zero by a margin or more.

    For scores that are no counts, and for items in clusters, by Student's t on `standard_error`.
    Where all clusters differ alike there is no spread to test with: then the p-value is the chance
    to have missed every cluster that must be at -1 for the mean to be at the margin.

    Args:
        differences: first less second, item by item, shape (n,).
        clusters: the unit of independence of each item; None: every item its own.
        margin: how much lower is too much, in (0, 1).
        alpha: one-sided error.
    """
    from scipy.special import stdtr

    x = np.asarray(differences, dtype=np.float64)
    _margin(margin, alpha, len(x))
    estimate = clustered_mean(x, clusters, level=1 - 2 * alpha)
    error, mean = standard_error(x, clusters), float(x.mean())
    if error:
        p = float(stdtr(estimate.n - 1, -(mean + margin) / error))
        return MarginTest(estimate, margin, p, p <= alpha)
    unseen = (mean + margin) / (mean + 1) if mean > -margin else 0.0
    p = (1 - unseen) ** estimate.n
    found = no_spread(mean, estimate.n, (-1.0, 1.0), 1 - 2 * alpha)
    return MarginTest(estimate.model_copy(update={"interval": found}), margin, p, p <= alpha)


def exact_noninferiority(
    wins: int, losses: int, n: int, *, margin: float, spare: float = 1e-4
) -> float:
    """Return the exact p-value of "the first rate is lower by at least the margin", for pairs.

    Outcomes are ordered by Tango's score. The p-value is the greatest probability, over the rate of
    discordance, of an outcome at least as far from the hypothesis (unconditional; Hsueh, Liu and
    Chen, Biometrics 57, 2001). Rates of discordance that the data exclude at `spare` are left out
    and `spare` is added (Berger and Boos, JASA 89, 1994), which is what makes it fast. The rate
    is searched on a grid of 100, so that "greatest" is numerical.
    """
    _pairs(wins, losses, n)
    if not 0 < margin < 1 or n == 0:
        raise ValueError(f"a margin between 0 and 1 and at least one pair: {margin}, {n}")
    # Under the hypothesis losses - wins = margin: discordance 2 x + margin, x the rate of wins.
    seen = wins + losses
    low = max(0.0, (lower_bound(seen, n, spare / 2) - margin) / 2)
    high = min((1 - margin) / 2, max(0.0, (upper_bound(seen, n, spare / 2) - margin) / 2))
    rates = np.linspace(low, max(low, high), 100)
    b, c = _grid(n, (rates[0], rates[-1]), (rates[0] + margin, rates[-1] + margin))
    observed = float(tango(wins, losses, n, -margin))
    at_least = tango(b, c, n, -margin) >= observed - 1e-9
    b, c = b[at_least], c[at_least]
    chances = [float(_trinomial(b, c, n, x, x + margin).sum()) for x in rates]
    return min(1.0, max(chances) + spare)


def tango(wins: ArrayLike, losses: ArrayLike, n: int, difference: float) -> Floats:
    """Return the score of each outcome of n pairs under a difference, standard normal if it holds.

    Args:
        wins: shape (...,).
        losses: shape (...,).
        n: pairs.
        difference: first less second, in (-1, 1).
    """
    b, c = np.asarray(wins, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    d = difference
    # The likelihood under the hypothesis is greatest at the larger root of a quadratic.
    linear = -b - c + (2 * n - b + c) * d
    root = np.sqrt(np.maximum(0.0, linear**2 + 8 * n * c * d * (1 - d)))
    rate = np.maximum(0.0, (root - linear) / (4 * n))
    return _score(b - c - n * d, n * (2 * rate + d * (1 - d)))


def farrington_manning(
    hits: ArrayLike, n: int, others: ArrayLike, m: int, difference: float
) -> Floats:
    """Return the score of each outcome of two samples under a difference of their rates.

    Args:
        hits: hits of the first, shape (...,).
        n: its units.
        others: hits of the second, shape (...,).
        m: its units.
        difference: first less second, in (-1, 1).
    """
    p, q = np.asarray(hits, dtype=np.float64) / n, np.asarray(others, dtype=np.float64) / m
    d, t = difference, m / n
    # The rates under the hypothesis solve a cubic, of which this root alone is admissible.
    a = 1 + t
    b = -(1 + t + p + t * q + d * (t + 2))
    c = d * d + d * (2 * p + t + 1) + p + t * q
    e = -p * d * (1 + d)
    v = (b / (3 * a)) ** 3 - b * c / (6 * a * a) + e / (2 * a)
    u = np.where(v >= 0, 1.0, -1.0) * np.sqrt(np.maximum(0.0, (b / (3 * a)) ** 2 - c / (3 * a)))
    with np.errstate(invalid="ignore", divide="ignore"):
        angle = np.where(u == 0, 0.0, np.clip(v / np.where(u == 0, 1.0, u) ** 3, -1, 1))
    first = 2 * u * np.cos((math.pi + np.arccos(angle)) / 3) - b / (3 * a)
    first = np.clip(first, max(0.0, d), min(1.0, 1 + d))
    second = np.clip(first - d, 0.0, 1.0)
    return _score(p - q - d, first * (1 - first) / n + second * (1 - second) / m)


def equivalence_power_paired(
    n: int, discordant: float, *, margin: float, difference: float = 0.0, alpha: float = 0.05
) -> float:
    """Return the probability that `tost_paired` shows equivalence, summed over all outcomes.

    What decides is how often the two differ, not how often either hits: a model that answers each
    item the same way both times has few discordant pairs at any rate.

    Args:
        n: pairs.
        discordant: share of pairs that differ, in truth.
        margin: the margin.
        difference: the true difference.
        alpha: one-sided error of each test.
    """
    _margin(margin, alpha, n)
    if not abs(difference) <= discordant <= 1:
        raise ValueError(f"a difference of {difference} needs more discordance than {discordant}")
    win, loss = (discordant + difference) / 2, (discordant - difference) / 2
    b, c = _grid(n, (win, win), (loss, loss))
    z = _NORMAL.inv_cdf(1 - alpha)
    shown = (tango(b, c, n, -margin) >= z) & (tango(b, c, n, margin) <= -z)
    return float(_trinomial(b[shown], c[shown], n, win, loss).sum())


def equivalence_power_unpaired(
    n: int, rate: float, *, margin: float, difference: float = 0.0, alpha: float = 0.05
) -> float:
    """Return the probability that `tost_unpaired` on n units each shows equivalence.

    Args:
        n: units of each sample.
        rate: true rate of the second.
        margin: the margin.
        difference: true rate of the first less that of the second.
        alpha: one-sided error of each test.
    """
    from scipy.special import bdtr

    _margin(margin, alpha, n)
    other = rate + difference
    if not (0 <= rate <= 1 and 0 <= other <= 1):
        raise ValueError(f"rates lie between 0 and 1: {rate}, {other}")
    a, b = _range(n, other, other), _range(n, rate, rate)
    z = _NORMAL.inv_cdf(1 - alpha)
    shown = (farrington_manning(a[:, None], n, b, n, -margin) >= z) & (
        farrington_manning(a[:, None], n, b, n, margin) <= -z
    )

    def mass(counts: Floats, p: float) -> Floats:
        below = np.where(counts > 0, bdtr(np.maximum(counts - 1, 0), n, p), 0.0)
        return np.asarray(bdtr(counts, n, p) - below)

    return float(mass(a, other) @ shown @ mass(b, rate))


def equivalence_n(
    discordant: float, *, margin: float, difference: float = 0.0, alpha: float = 0.05,
    power: float = 0.9, maximum: int = 100_000,
) -> int | None:  # fmt: skip
    """Return pairs at which `tost_paired` has a power; None where no n up to `maximum` has.

    Power is not quite monotone in n, because counts are whole; the n returned has it, and the one
    before has not.
    """
    if abs(difference) >= margin:
        return None

    def enough(n: int) -> bool:
        found = equivalence_power_paired(
            n, discordant, margin=margin, difference=difference, alpha=alpha
        )
        return found >= power

    return least(enough, maximum)


def _score(gap: Floats, variance: Floats) -> Floats:
    scores: Floats = np.where(gap > 0, np.inf, np.where(gap < 0, -np.inf, 0.0))
    scores = np.array(scores, dtype=np.float64)
    np.divide(gap, np.sqrt(variance), out=scores, where=variance > 1e-15)
    return scores


def _inverted(
    score: Callable[[float], float], value: float, z: float, level: float, method: str
) -> Interval:
    """The differences whose score lies within z; it falls as the difference rises."""

    def end(wanted: float, inside: float, outside: float) -> float:
        for _ in range(60):
            middle = (inside + outside) / 2
            kept = score(middle) < wanted if wanted > 0 else score(middle) > wanted
            inside, outside = (middle, outside) if kept else (inside, middle)
        return outside

    return Interval(
        low=max(-1.0, end(z, value, -1.0)), high=min(1.0, end(-z, value, 1.0)),
        level=level, method=method,
    )  # fmt: skip


def _both(
    estimate: Estimate, margin: float, alpha: float, scores: tuple[float, float]
) -> MarginTest:
    p = max(1 - _NORMAL.cdf(scores[0]), _NORMAL.cdf(scores[1]))
    return MarginTest(estimate, margin, p, p <= alpha)


def _range(n: int, low: float, high: float) -> Floats:
    """Whole counts that are not far beyond chance (7 standard deviations) from low to high."""

    def spread(rate: float) -> float:
        return 7 * math.sqrt(n * rate * (1 - rate)) + 12

    first = max(0, math.floor(n * low - spread(low)))
    return np.arange(first, min(n, math.ceil(n * high + spread(high))) + 1, dtype=np.float64)


def _grid(n: int, wins: tuple[float, float], losses: tuple[float, float]) -> tuple[Floats, Floats]:
    """All outcomes of n pairs that are not beyond chance at any rate within the bounds."""
    b, c = np.meshgrid(_range(n, *wins), _range(n, *losses), indexing="ij")
    possible = b + c <= n
    return b[possible], c[possible]


def _trinomial(wins: Floats, losses: Floats, n: int, win: float, loss: float) -> Floats:
    """The chance of each outcome."""
    from scipy.special import gammaln, xlogy

    same = n - wins - losses
    logs = gammaln(n + 1) - gammaln(wins + 1) - gammaln(losses + 1) - gammaln(same + 1)
    rest = max(0.0, 1 - win - loss)
    return np.asarray(
        np.exp(logs + xlogy(wins, win) + xlogy(losses, loss) + xlogy(same, rest)),
        dtype=np.float64,
    )


def _tail(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"a confidence level lies between 0 and 1, not {level}")
    return (1 - level) / 2


def _pairs(wins: int, losses: int, n: int) -> None:
    if min(wins, losses) < 0 or wins + losses > n:
        raise ValueError(f"{wins} and {losses} of {n} pairs cannot differ")


def _apart(*samples: tuple[int, int]) -> None:
    for k, n in samples:
        if not 0 <= k <= n:
            raise ValueError(f"a count lies between 0 and n; saw {k} of {n}")


def _margin(margin: float, alpha: float, n: int) -> None:
    if not 0 < margin < 1 or not 0 < alpha < 0.5:
        raise ValueError(f"a margin in (0, 1) and an error in (0, 1/2), not {margin} and {alpha}")
    if n < 1:
        raise ValueError("without observations nothing is shown, nor refuted")
