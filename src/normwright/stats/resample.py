"""Bootstrap estimates of means and paired differences, by independent unit, with their seed."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normwright.records import Estimate, Interval
from normwright.stats.exact import upper_bound

Floats = NDArray[np.float64]
_NORMAL = NormalDist()


def bootstrap_mean(
    values: ArrayLike,
    *,
    clusters: Sequence[Hashable] | None = None,
    seed: int,
    rounds: int = 2000,
    level: float = 0.95,
    bounds: tuple[float, float] | None = None,
) -> Estimate:
    """Return a mean with its bias-corrected and accelerated bootstrap interval (Efron, 1987).

    Clusters are drawn whole; the mean is over values, so large clusters weigh more. Where the
    clusters show no spread at all the bootstrap would claim certainty. For bounded values the
    interval then comes from the exact bound on the share of clusters that could differ without
    one having been seen (method `no-spread`); for unbounded values there is no interval.

    Args:
        values: shape (n,).
        clusters: the unit of independence of each value, shape (n,); None: every value its own.
        seed: seed of the resampling.
        rounds: number of resamples.
        level: confidence level, two-sided.
        bounds: least and greatest possible value, infinite where there is none; None: (0, 1) if all
            values lie in it.

    Returns:
        The estimate; its n is the number of clusters. Without values it is empty.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.size == 0:
        return Estimate(value=None, interval=None, n=0, seed=seed)
    if bounds is None and x.min() >= 0 and x.max() <= 1:
        bounds = (0.0, 1.0)
    sums, sizes = _by_cluster(x, clusters)
    mean = float(sums.sum() / sizes.sum())
    n = len(sums)
    means = sums / sizes
    if np.ptp(means) <= 1e-12 * max(1.0, float(np.abs(means).max())):
        return Estimate(value=mean, interval=no_spread(mean, n, bounds, level), n=n, seed=seed)
    draws = _draws(sums, sizes, np.random.default_rng(seed), rounds)
    jackknife = (sums.sum() - sums) / (sizes.sum() - sizes)
    interval = bca_interval(draws, mean, jackknife, level)
    return Estimate(value=mean, interval=interval, n=n, seed=seed)


def paired_difference(
    a: ArrayLike,
    b: ArrayLike,
    *,
    clusters: Sequence[Hashable] | None = None,
    seed: int,
    rounds: int = 2000,
    level: float = 0.95,
    bounds: tuple[float, float] | None = None,
) -> Estimate:
    """Return mean(a - b) over pairs, bootstrapped as in `bootstrap_mean`.

    Args:
        a: shape (n,), one side of each pair.
        b: shape (n,), the other side.
        clusters: the unit of independence of each pair.
        seed: seed of the resampling.
        rounds: number of resamples.
        level: confidence level, two-sided.
        bounds: least and greatest possible difference; None: (-1, 1) if both sides lie in [0, 1].
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.shape != y.shape:
        raise ValueError(f"a pair has two sides: shapes {x.shape} and {y.shape} differ")
    sides = np.concatenate([x, y])
    if bounds is None and sides.size and sides.min() >= 0 and sides.max() <= 1:
        bounds = (-1.0, 1.0)
    return bootstrap_mean(
        x - y, clusters=clusters, seed=seed, rounds=rounds, level=level, bounds=bounds
    )


def percentile_interval(
    samples: ArrayLike,
    level: float = 0.95,
    *,
    unknown: int = 0,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Interval:
    """Return the central `level` of a set of resampled values, shape (rounds,).

    Args:
        samples: the values.
        level: the share of them inside.
        unknown: resamples beside these in which the value is not known, as where a method does not
            apply: anything within the bounds is possible there, so that the interval is never
            narrower than what is known.
        bounds: the least and greatest value possible.
    """
    tail = (1 - level) / 2
    known = np.asarray(samples, dtype=np.float64)
    lowest, highest = (np.append(known, np.full(unknown, end)) for end in bounds)
    low, high = np.quantile(lowest, tail), np.quantile(highest, 1 - tail)
    return Interval(low=float(low), high=float(high), level=level, method="bootstrap-percentile")


def n_to_clear(
    estimate: Estimate, limit: float, *, side: Literal["lower", "upper"] = "lower"
) -> int | None:
    """Return the units needed for an interval's end to clear a limit, if its value stays.

    The distance from the value to that end is taken to shrink with the square root of n, which
    holds for means and their bootstrap intervals and is a plan, not a bound.

    Returns:
        Units in all, or None if there is no evidence or the value itself does not clear the limit.
    """
    if estimate.value is None or estimate.interval is None:
        return None
    if side == "lower":
        gap, half = estimate.value - limit, estimate.value - estimate.interval.low
    else:
        gap, half = limit - estimate.value, estimate.interval.high - estimate.value
    return max(1, math.ceil(estimate.n * (half / gap) ** 2)) if gap > 0 else None


def _by_cluster(x: Floats, clusters: Sequence[Hashable] | None) -> tuple[Floats, Floats]:
    """Sums and sizes of the clusters in order of first appearance, each of shape (clusters,)."""
    if clusters is None:
        return x, np.ones_like(x)
    if len(clusters) != len(x):
        raise ValueError(f"{len(x)} values but {len(clusters)} cluster labels")
    index: dict[Hashable, int] = {}
    codes = np.array([index.setdefault(c, len(index)) for c in clusters])
    sums = np.bincount(codes, weights=x, minlength=len(index)).astype(np.float64)
    return sums, np.bincount(codes, minlength=len(index)).astype(np.float64)


def _draws(sums: Floats, sizes: Floats, rng: np.random.Generator, rounds: int) -> Floats:
    """Resampled means, shape (rounds,). Weights come in chunks so that memory stays small."""
    n = len(sums)
    step = max(1, 4_000_000 // n)
    parts = []
    for start in range(0, rounds, step):
        size = min(step, rounds - start)
        weights = rng.multinomial(n, np.full(n, 1 / n), size=size)
        parts.append((weights @ sums) / (weights @ sizes))
    return np.concatenate(parts)


def bca_interval(draws: Floats, value: float, jackknife: Floats, level: float) -> Interval:
    """Efron's interval. Ties with the value count half, or discrete data would look biased."""
    below = float((draws < value).mean() + (draws == value).mean() / 2)
    centred = jackknife.mean() - jackknife
    spread = float((centred**2).sum())
    acceleration = float((centred**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    tail = (1 - level) / 2
    if not 0 < below < 1:
        low, high = np.quantile(draws, [tail, 1 - tail])
        return Interval(
            low=float(low), high=float(high), level=level, method="bootstrap-percentile"
        )
    z0 = _NORMAL.inv_cdf(below)

    def adjusted(share: float) -> float:
        z = z0 + _NORMAL.inv_cdf(share)
        return _NORMAL.cdf(z0 + z / (1 - acceleration * z))

    low, high = np.quantile(draws, [adjusted(tail), adjusted(1 - tail)])
    return Interval(low=float(low), high=float(high), level=level, method="bootstrap-bca")


def no_spread(
    value: float, n: int, bounds: tuple[float, float] | None, level: float
) -> Interval | None:
    """Return the interval of n units that are all alike: how many could differ, unseen, at most."""
    if bounds is None or not np.isfinite(bounds).all():
        return None
    unseen = upper_bound(0, n, 1 - level)
    low, high = bounds
    return Interval(
        low=value + (low - value) * unseen,
        high=value + (high - value) * unseen,
        level=level,
        method="no-spread",
    )
