"""Errors of means and paired differences by formula, with clusters, and the n they ask for.

After Miller, Adding error bars to evals (2024): items of one family are not independent, and two
models asked the same items are compared item by item. The bootstrap in `resample` needs no normal
approximation; these need no seed.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normwright.records import Estimate, Interval

Floats = NDArray[np.float64]
_NORMAL = NormalDist()


def standard_error(values: ArrayLike, clusters: Sequence[Hashable] | None = None) -> float | None:
    """Return the standard error of a mean, robust to what items of one cluster have in common.

    sqrt(G / (G - 1) * sum over clusters of (sum of deviations)^2) / n; with every value its own
    cluster it is the textbook s / sqrt(n).

    Args:
        values: shape (n,).
        clusters: the unit of independence of each value, shape (n,); None: every value its own.

    Returns:
        None where there are fewer than two clusters.

    Raises:
        ValueError: if a value is not finite or the lengths differ.
    """
    x, codes, groups = _grouped(values, clusters)
    if groups < 2:
        return None
    sums = np.bincount(codes, weights=x - x.mean(), minlength=groups)
    return math.sqrt(groups / (groups - 1) * float((sums**2).sum())) / len(x)


def clustered_mean(
    values: ArrayLike, clusters: Sequence[Hashable] | None = None, *, level: float = 0.95
) -> Estimate:
    """Return a mean with Student's t interval on `standard_error` and clusters - 1 degrees.

    Its n is the number of clusters. Without spread there is no interval: identical values do not
    make a mean certain (see `clopper_pearson` for rates near 0 and 1).
    """
    from scipy.special import stdtrit

    x, _, groups = _grouped(values, clusters)
    if not len(x):
        return Estimate(value=None, interval=None, n=0)
    mean, error = float(x.mean()), standard_error(x, clusters)
    if not error:
        return Estimate(value=mean, interval=None, n=groups)
    half = float(stdtrit(groups - 1, (1 + level) / 2)) * error
    method = "student-t" if clusters is None else "clustered-t"
    interval = Interval(low=mean - half, high=mean + half, level=level, method=method)
    return Estimate(value=mean, interval=interval, n=groups)


def paired_mean(
    a: ArrayLike,
    b: ArrayLike,
    clusters: Sequence[Hashable] | None = None,
    *,
    level: float = 0.95,
) -> Estimate:
    """Return mean(a - b) item by item, as `clustered_mean` of the differences.

    What both find easy or hard falls out, so that the interval is shorter than that of two means
    apart wherever the two agree on that.

    Raises:
        ValueError: if the shapes differ.
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.shape != y.shape:
        raise ValueError(f"a pair has two sides: shapes {x.shape} and {y.shape} differ")
    return clustered_mean(x - y, clusters, level=level)


def intraclass(values: ArrayLike, clusters: Sequence[Hashable]) -> float | None:
    """Return the intraclass correlation, by analysis of variance (Donner and Koval, 1980).

    0: items of a cluster are no more alike than others; 1: they are the same. It may come out
    slightly negative. None where there are fewer than two clusters or none has two items, or
    all values are equal.
    """
    x, codes, groups = _grouped(values, clusters)
    n = len(x)
    if groups < 2 or n == groups:
        return None
    sizes = np.bincount(codes, minlength=groups).astype(np.float64)
    means = np.bincount(codes, weights=x, minlength=groups) / sizes
    between = float((sizes * (means - x.mean()) ** 2).sum()) / (groups - 1)
    within = float(((x - means[codes]) ** 2).sum()) / (n - groups)
    size = (n - float((sizes**2).sum()) / n) / (groups - 1)
    whole = between + (size - 1) * within
    return None if whole == 0 else (between - within) / whole


def design_effect(size: float, alike: float) -> float:
    """Return by how much clusters of one size multiply the n that is needed: 1 + (size - 1) ICC.

    Raises:
        ValueError: if the size is under 1 or the correlation not in [-1, 1].
    """
    if size < 1 or not -1 <= alike <= 1:
        raise ValueError(f"clusters of at least 1 and a correlation, not {size} and {alike}")
    return max(0.0, 1 + (size - 1) * alike)


def paired_n(
    effect: float,
    discordant: float,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    size: float = 1,
    alike: float = 0.0,
) -> int:
    """Return the pairs needed to find a difference of two rates on the same items.

    (Connor, Biometrics 43, 1987; two-sided McNemar test.) For items in clusters it is multiplied by
    their design effect; divide by the size for the number of clusters.

    Args:
        effect: the true difference, not 0.
        discordant: share of pairs that differ, at least |effect|.
        alpha: two-sided error.
        power: probability to find it.
        size: items in a cluster.
        alike: intraclass correlation of the differences.

    Raises:
        ValueError: if the effect is 0 or greater than the discordance, or a share is impossible.
    """
    if effect == 0 or not abs(effect) <= discordant <= 1:
        raise ValueError(f"0 < |effect| <= discordance <= 1, not {effect} and {discordant}")
    z_alpha, z_power = _quantiles(alpha, power)
    root = z_alpha * math.sqrt(discordant) + z_power * math.sqrt(discordant - effect**2)
    return math.ceil((root / effect) ** 2 * design_effect(size, alike))


def paired_power(effect: float, discordant: float, n: int, *, alpha: float = 0.05) -> float:
    """Return the power of the exact two-sided McNemar test on n pairs, summed over all outcomes.

    Args are those of `paired_n`.
    """
    from scipy.special import bdtr

    if n < 1 or not abs(effect) <= discordant <= 1:
        raise ValueError(f"|effect| <= discordance <= 1, n >= 1: {effect}, {discordant}, {n}")
    if discordant == 0:
        return 0.0
    share = (discordant + effect) / (2 * discordant)

    def at(differing: int) -> float:
        # The least tail of a fair coin that rejects, and the chance of either tail in truth.
        counts = np.arange(differing // 2 + 1)
        rejecting = np.flatnonzero(2 * bdtr(counts, differing, 0.5) <= alpha)
        if not len(rejecting):
            return 0.0
        k = int(rejecting[-1])
        return float(bdtr(k, differing, share) + bdtr(k, differing, 1 - share))

    differing = np.arange(n + 1)
    below = bdtr(differing, n, discordant)
    mass = np.diff(below, prepend=0.0)
    return float(sum(m * at(int(d)) for d, m in zip(differing, mass, strict=True) if m > 1e-12))


def mean_n(
    effect: float,
    spread: float,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    noise: float = 0.0,
    answers: int = 1,
) -> int:
    """Return the items needed to find a difference of means, with several answers to each.

    (Miller 2024, section 5): (z_alpha/2 + z_power)^2 (spread^2 + noise^2 / answers) / effect^2.

    Args:
        effect: the true difference of means, not 0.
        spread: standard deviation, over items, of the differences of expected scores.
        alpha: two-sided error.
        power: probability to find it.
        noise: standard deviation of one answer's difference around its expectation.
        answers: answers of each model to each item.
    """
    if effect == 0 or min(spread, noise) < 0 or answers < 1:
        raise ValueError(f"impossible plan: {effect}, {spread}, {noise}, {answers}")
    z = sum(_quantiles(alpha, power))
    return max(1, math.ceil(z * z * (spread**2 + noise**2 / answers) / effect**2))


def _quantiles(alpha: float, power: float) -> tuple[float, float]:
    if not 0 < alpha < 1 or not 0 < power < 1:
        raise ValueError(f"error and power lie between 0 and 1: {alpha}, {power}")
    return _NORMAL.inv_cdf(1 - alpha / 2), _NORMAL.inv_cdf(power)


def _grouped(
    values: ArrayLike, clusters: Sequence[Hashable] | None
) -> tuple[Floats, NDArray[np.int64], int]:
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or not np.isfinite(x).all():
        raise ValueError("a list of finite values, please")
    if clusters is None:
        return x, np.arange(len(x)), len(x)
    if len(clusters) != len(x):
        raise ValueError(f"{len(x)} values but {len(clusters)} cluster labels")
    index: dict[Hashable, int] = {}
    codes = np.array([index.setdefault(c, len(index)) for c in clusters], dtype=np.int64)
    return x, codes, len(index)
