"""Few labels of people and many of a judge: rates that use both and trust the first alone."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normwright.records import Estimate, Interval
from normwright.stats.clustered import standard_error
from normwright.stats.exact import lower_bound, upper_bound

Floats = NDArray[np.float64]
_NORMAL = NormalDist()


def ppi_mean(
    labels: ArrayLike,
    predicted: ArrayLike,
    unlabelled: ArrayLike,
    *,
    weight: float | None = None,
    clusters: Sequence[Hashable] | None = None,
    unlabelled_clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return a mean from few labels and many predictions, by prediction-powered inference.

    weight * mean(unlabelled) + mean(labels - weight * predicted): what the predictions get wrong is
    measured on the labelled and taken off (Angelopoulos et al., Science 382, 2023). The weight that
    makes the variance least is estimated (PPI++, Angelopoulos, Duchi and Zrnic, 2023), so that a
    useless judge costs nothing. The interval is normal and asks for a few dozen labels; where no
    label disagrees with its prediction it would claim certainty about the judge and is None. For
    rare events use `ppi_rate`.

    Args:
        labels: what people said, shape (n,).
        predicted: what the judge said of the same units, shape (n,).
        unlabelled: what it said of others of the same population, shape (N,).
        weight: of the predictions; 1 is plain PPI, 0 ignores them, None: estimated.
        clusters: unit of independence of each labelled one, shape (n,).
        unlabelled_clusters: likewise, shape (N,).
        level: confidence level, two-sided.

    Returns:
        The estimate; its n is the number of labelled units (or clusters).

    Raises:
        ValueError: if the shapes differ or a value is not finite.
    """
    y, f, g = (np.asarray(v, dtype=np.float64) for v in (labels, predicted, unlabelled))
    if y.ndim != 1 or y.shape != f.shape or g.ndim != 1:
        raise ValueError(f"a label and a prediction each: shapes {y.shape}, {f.shape}, {g.shape}")
    if not all(np.isfinite(v).all() for v in (y, f, g)):
        raise ValueError("labels and predictions are finite numbers")
    units = len(y) if clusters is None else len(set(clusters))
    if not len(y) or not len(g):
        return Estimate(value=None, interval=None, n=units)
    if weight is None:
        weight = _weight(y, f, g)
    value = float(weight * g.mean() + (y - weight * f).mean())
    rectifier = standard_error(y - weight * f, clusters)
    judged = standard_error(g, unlabelled_clusters)
    if rectifier is None or judged is None or rectifier == 0:
        return Estimate(value=value, interval=None, n=units)
    half = _NORMAL.inv_cdf((1 + level) / 2) * math.hypot(rectifier, weight * judged)
    interval = Interval(
        low=value - half, high=value + half, level=level, method="prediction-powered"
    )
    return Estimate(value=value, interval=interval, n=units)


def _weight(y: Floats, f: Floats, g: Floats) -> float:
    """The weight of least variance, kept between ignoring the predictions and trusting them."""
    if len(y) < 2:
        return 0.0
    every = np.concatenate([f, g])
    spread = float(every.var(ddof=1))
    if spread == 0:
        return 0.0
    covariance = float(np.cov(y, f, ddof=1)[0, 1])
    return min(1.0, max(0.0, covariance / ((1 + len(y) / len(g)) * spread)))


def ppi_rate(
    missed: int, invented: int, labelled: int, flags: int, n: int, *, level: float = 0.95
) -> Estimate:
    """Return a rate from a judge's flags and labels of a sample of its verdicts, for any counts.

    The rate is that of flags, plus that of what the judge missed, less that of what it invented.
    Each is bounded exactly, at a third of the error, and the bounds are added up, so that coverage
    is at least `level` for every sample size; the price is width. Nothing missed in the sample is
    not taken for a judge that misses nothing.

    Args:
        missed: labelled units that people call a violation and the judge did not flag.
        invented: labelled units that the judge flagged and people call none.
        labelled: labelled units in all.
        flags: units flagged among those without labels.
        n: units without labels, of the same population.
        level: confidence level, two-sided.
    """
    if min(missed, invented) < 0 or missed + invented > labelled or not 0 <= flags <= n:
        raise ValueError(
            f"impossible counts: {missed} and {invented} of {labelled}, {flags} of {n}"
        )
    if labelled == 0 or n == 0:
        return Estimate(value=None, interval=None, n=labelled)
    tail = (1 - level) / 6
    value = flags / n + (missed - invented) / labelled
    low = (
        lower_bound(flags, n, tail)
        + lower_bound(missed, labelled, tail)
        - upper_bound(invented, labelled, tail)
    )
    high = (
        upper_bound(flags, n, tail)
        + upper_bound(missed, labelled, tail)
        - lower_bound(invented, labelled, tail)
    )
    interval = Interval(
        low=min(1.0, max(0.0, low)), high=min(1.0, max(0.0, high)), level=level,
        method="prediction-powered-exact",
    )  # fmt: skip
    return Estimate(value=min(1.0, max(0.0, value)), interval=interval, n=labelled)
