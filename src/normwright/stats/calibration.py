"""How far probabilities are from the shares that come true, with what perfect ones would show."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normwright.records import Estimate, Interval

Floats = NDArray[np.float64]
BINS = 15
"""Bins of about the same number of rows."""


@dataclass(frozen=True)
class Bin:
    """Rows of about one probability: what was said of them, and what was so."""

    said: float
    found: float
    n: int


def bins(probabilities: ArrayLike, truth: ArrayLike, *, count: int = BINS) -> list[Bin]:
    """Return the rows in `count` bins of about equal size, in ascending probability.

    Equal probabilities may fall into two bins; a bin is never empty.
    """
    p, y = _checked(probabilities, truth)
    order = np.argsort(p, kind="stable")
    parts = [part for part in np.array_split(order, count) if len(part)]
    return [Bin(float(p[i].mean()), float(y[i].mean()), len(i)) for i in parts]


def calibration_error(probabilities: ArrayLike, truth: ArrayLike, *, count: int = BINS) -> float:
    """Return the expected calibration error: the mean of |found - said| over bins, by their size.

    Raises:
        ValueError: if there are no rows, or a probability is not in [0, 1].
    """
    found = bins(probabilities, truth, count=count)
    total = sum(b.n for b in found)
    if not total:
        raise ValueError("without rows there is no calibration error")
    return sum(b.n * abs(b.found - b.said) for b in found) / total


def bootstrap_calibration(
    probabilities: ArrayLike,
    truth: ArrayLike,
    *,
    clusters: Sequence[Hashable] | None = None,
    seed: int,
    rounds: int = 1000,
    level: float = 0.95,
    count: int = BINS,
) -> Estimate:
    """Return the calibration error with a bootstrap interval, clusters drawn whole.

    The error of a finite sample is above zero even for perfect probabilities, and that of a
    resample further above it, by what the resample adds to its noise. The interval is therefore the
    basic one, 2 * value - quantiles, cut at zero. Read it beside `calibration_floor`.
    """
    p, y = _checked(probabilities, truth)
    owner = list(clusters) if clusters is not None else list(range(len(p)))
    where: dict[Hashable, list[int]] = {}
    for i, cluster in enumerate(owner):
        where.setdefault(cluster, []).append(i)
    units = [np.array(rows) for rows in where.values()]
    value = calibration_error(p, y, count=count)
    if len(units) < 2:
        return Estimate(value=value, interval=None, n=len(units), seed=seed)
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(rounds):
        rows = np.concatenate([units[i] for i in rng.integers(0, len(units), len(units))])
        draws.append(calibration_error(p[rows], y[rows], count=count))
    tail = (1 - level) / 2
    low, high = np.quantile(draws, [1 - tail, tail])
    interval = Interval(
        low=max(0.0, min(value, 2 * value - float(low))),
        high=max(value, 2 * value - float(high)),
        level=level,
        method="basic-bootstrap",
    )
    return Estimate(value=value, interval=interval, n=len(units), seed=seed)


def calibration_floor(
    probabilities: ArrayLike, *, seed: int, rounds: int = 1000, count: int = BINS
) -> tuple[float, float]:
    """Return mean and 95 % quantile of the error that perfect probabilities would show.

    The truth is drawn from the probabilities themselves (Bröcker and Smith, Weather and Forecasting
    22, 2007). An error under the quantile is no sign that they are wrong.
    """
    p, _ = _checked(probabilities, np.zeros(np.shape(probabilities)))
    rng = np.random.default_rng(seed)
    draws = [calibration_error(p, rng.random(len(p)) < p, count=count) for _ in range(rounds)]
    return float(np.mean(draws)), float(np.quantile(draws, 0.95))


def _checked(probabilities: ArrayLike, truth: ArrayLike) -> tuple[Floats, Floats]:
    p, y = np.asarray(probabilities, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if p.ndim != 1 or p.shape != y.shape:
        raise ValueError(f"one probability and one truth each: shapes {p.shape} and {y.shape}")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("a probability lies in [0, 1]")
    return p, y
