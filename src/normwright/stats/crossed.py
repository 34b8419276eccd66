"""The mean of a crossed design: raters by items, each a draw from more of its kind.

A mean over ratings has three sources of error: which people rated, which items they rated, and
the rest. Taking ratings as independent counts the first two as if they were the third.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normwright.records import Estimate, Interval
from normwright.stats.resample import no_spread

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Crossed:
    """The mean of ratings with its sources of error."""

    mean: Estimate
    """Its n is the smaller of the numbers of raters and items: what the mean generalises over."""
    ratings: int
    rows: int
    columns: int
    row: float
    """Variance between rows (raters), of one rating; never less than zero."""
    column: float
    """Variance between columns (items), of one rating."""
    rest: float
    """What is left, of one rating."""
    error: float
    """Standard error of the mean."""
    freedom: float
    """Degrees of freedom of the interval, after Satterthwaite."""


def crossed_mean(
    values: ArrayLike,
    rows: Sequence[Hashable],
    columns: Sequence[Hashable],
    *,
    level: float = 0.95,
    bounds: tuple[float, float] | None = None,
) -> Crossed:
    """Return a mean with an interval that holds for new rows and new columns.

    The model is y = mean + row + column + rest with independent effects (a linear mixed model with
    crossed random intercepts). Components come from the moments of Gao and Owen (2017, Efficient
    moment calculations for variance components in large unbalanced crossed random effects models);
    they need no normality. One below zero is taken as zero. The interval is Student's, with
    Satterthwaite's degrees of freedom (1946).

    Args:
        values: shape (n,).
        rows: who rated, shape (n,).
        columns: what was rated, shape (n,). A rater rates an item once.
        level: two-sided.
        bounds: least and greatest possible value, for clipping the interval.

    Returns:
        The estimate and its components. Where all values are equal the interval is that of
        `bootstrap_mean` (method `no-spread`), for the smaller number of units. Without two rows
        and two columns there is no interval.

    Raises:
        ValueError: if shapes differ or a row and a column meet twice.
    """
    y = np.asarray(values, dtype=np.float64)
    if not len(y) == len(rows) == len(columns):
        raise ValueError(f"{len(y)} values, {len(rows)} rows and {len(columns)} columns")
    if len(set(zip(rows, columns, strict=True))) != len(y):
        raise ValueError("a row and a column meet more than once")
    if not len(y):
        return Crossed(Estimate(value=None, interval=None, n=0), 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0)
    r, c = _codes(rows), _codes(columns)
    per_row, per_column = np.bincount(r), np.bincount(c)
    mean = float(y.mean())
    row, column, rest = _components(y, r, c, per_row, per_column)
    n = len(y)
    variance, freedom = _of_mean(
        row * float((per_row**2).sum()) / n**2,
        column * float((per_column**2).sum()) / n**2,
        rest / n,
        (len(per_row) - 1, len(per_column) - 1, n - len(per_row) - len(per_column) + 1),
    )
    interval = None
    if min(len(per_row), len(per_column)) >= 2:
        if freedom > 0:
            interval = _student(mean, math.sqrt(variance), freedom, level, bounds)
        else:
            interval = no_spread(mean, min(len(per_row), len(per_column)), bounds, level)
    return Crossed(
        Estimate(value=mean, interval=interval, n=min(len(per_row), len(per_column))),
        n, len(per_row), len(per_column), row, column, rest, math.sqrt(variance), freedom,
    )  # fmt: skip


def crossed_p(crossed: Crossed, null: float) -> float | None:
    """Return the two-sided p-value of a mean of `null`; None where there is no interval."""
    from scipy import stats as scipy_stats

    at = crossed.mean
    if at.value is None or at.interval is None or crossed.error == 0:
        return None
    return float(2 * scipy_stats.t.sf(abs(at.value - null) / crossed.error, crossed.freedom))


def crossed_power(
    effect: float,
    *,
    rows: int,
    columns: int,
    ratings: int,
    row: float,
    column: float,
    rest: float,
    alpha: float = 0.05,
) -> float:
    """Return the chance that a balanced crossed design shows a mean shift, two-sided.

    Args:
        effect: distance of the mean from what is to be excluded.
        rows: raters.
        columns: items.
        ratings: in all; at most rows times columns, spread evenly.
        row: variance between rows of one rating.
        column: variance between columns of one rating.
        rest: the rest of it.
        alpha: two-sided error.

    Raises:
        ValueError: if there are more ratings than meetings of a row and a column, or fewer than
            two of either.
    """
    from scipy import stats as scipy_stats

    if min(rows, columns) < 2 or not max(rows, columns) <= ratings <= rows * columns:
        raise ValueError(f"{rows} raters and {columns} items cannot share {ratings} ratings evenly")
    variance, freedom = _of_mean(
        row / rows,
        column / columns,
        rest / ratings,
        (rows - 1, columns - 1, ratings - rows - columns + 1),
    )
    if variance == 0:
        return 1.0 if effect else alpha
    shift = abs(effect) / math.sqrt(variance)
    far = float(scipy_stats.t.ppf(1 - alpha / 2, freedom))
    upper = float(scipy_stats.nct.sf(far, freedom, shift))
    return upper + float(scipy_stats.nct.cdf(-far, freedom, shift))


def krippendorff_alpha(values: ArrayLike, items: Sequence[Hashable]) -> float | None:
    """Return how far raters agree beyond chance, for interval values (Krippendorff, 2011).

    One is full agreement, zero what shuffled ratings would give; None where nothing was rated
    twice or all values are equal.

    Args:
        values: shape (n,), one rating each.
        items: what each is a rating of, shape (n,).
    """
    y, code = np.asarray(values, dtype=np.float64), _codes(items)
    counts = np.bincount(code) if len(y) else np.zeros(0, dtype=np.int64)
    paired = counts[code] >= 2 if len(y) else np.zeros(0, dtype=bool)
    y, code = y[paired], code[paired]
    if not len(y):
        return None
    counts = np.bincount(code)
    sums, squares = np.bincount(code, y), np.bincount(code, y**2)
    # The squared differences of all pairs in a unit: 2 (m sum y^2 - (sum y)^2), by m - 1.
    kept = counts >= 2
    within = 2 * (counts * squares - sums**2)[kept] / (counts[kept] - 1)
    n = len(y)
    overall = 2 * (n * float((y**2).sum()) - float(y.sum()) ** 2) / (n - 1)
    return None if overall <= 0 else 1 - float(within.sum()) / overall


def _of_mean(
    row: float, column: float, rest: float, free: tuple[int, int, int]
) -> tuple[float, float]:
    """Variance of a mean, and its degrees of freedom.

    What is seen of a row effect is the spread of row means, which holds the rest as well; so the
    degrees of freedom are those of that spread, not of the effect alone (as for the mean squares
    of a balanced table, Satterthwaite 1946). Taking the effect alone is too sure of itself.
    """
    variance = row + column + rest
    parts = (row + rest, column + rest, rest)
    # Where the rest cannot be told from an effect it has no freedom of its own to lose.
    spread = sum(part**2 / f for part, f in zip(parts, free, strict=True) if f > 0)
    return variance, variance**2 / spread if spread > 0 else 0.0


def _components(
    y: Floats,
    r: NDArray[np.int64],
    c: NDArray[np.int64],
    per_row: NDArray[np.int64],
    per_column: NDArray[np.int64],
) -> tuple[float, float, float]:
    """Moments of Gao and Owen: within rows, within columns, and overall."""
    n = len(y)
    centred = y - y.mean()
    within_rows = _within(centred, r, per_row)
    within_columns = _within(centred, c, per_column)
    overall = n * float((centred**2).sum())
    squares_r, squares_c = float((per_row**2).sum()), float((per_column**2).sum())
    system = np.array(
        [
            [0.0, n - len(per_row), n - len(per_row)],
            [n - len(per_column), 0.0, n - len(per_column)],
            [n**2 - squares_r, n**2 - squares_c, n**2 - n],
        ]
    )
    # Where every column is rated once (or every row rates once) its effect cannot be told from the
    # rest; least squares then gives the part together, shared among the two, which is harmless: in
    # the variance of the mean both are divided by n alike.
    found, *_ = np.linalg.lstsq(
        system, np.array([within_rows, within_columns, overall]), rcond=None
    )
    row, column, rest = (max(0.0, float(value)) for value in found)
    return row, column, rest


def _within(y: Floats, code: NDArray[np.int64], counts: NDArray[np.int64]) -> float:
    sums = np.bincount(code, y)
    return float((y**2).sum() - (sums**2 / counts).sum())


def _codes(labels: Sequence[Hashable]) -> NDArray[np.int64]:
    index: dict[Hashable, int] = {}
    return np.array([index.setdefault(label, len(index)) for label in labels], dtype=np.int64)


def _student(
    mean: float,
    error: float,
    freedom: float,
    level: float,
    bounds: tuple[float, float] | None,
) -> Interval:
    from scipy import stats as scipy_stats

    half = float(scipy_stats.t.ppf((1 + level) / 2, freedom)) * error
    low, high = mean - half, mean + half
    if bounds is not None:
        low, high = max(bounds[0], low), min(bounds[1], high)
    return Interval(low=low, high=high, level=level, method="crossed-random-effects")
