"""How well scores tell two kinds of things apart, with intervals by independent unit."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normwright.records import Estimate, Interval
from normwright.stats.exact import upper_bound
from normwright.stats.resample import bca_interval

Floats = NDArray[np.float64]
_CELLS = 4_000_000
"""Most weights held at once while resampling."""


def auc(scores: ArrayLike, positive: ArrayLike) -> float | None:
    """Return P(a positive scores higher than a negative), a tie counting half.

    It is the area under the ROC curve (Hanley and McNeil, Radiology 143, 1982), exact for any ties,
    so that a scorer which says the same of everything has exactly one half.

    Args:
        scores: shape (n,); infinities are ranked, NaN is refused.
        positive: truth of each, shape (n,).

    Returns:
        None where there are no positives or no negatives.

    Raises:
        ValueError: if the shapes differ or a score is NaN.
    """
    x, truth = _checked(scores, positive)
    value = float(_areas(x, truth, np.ones((1, len(x))))[0]) if len(x) else float("nan")
    return None if np.isnan(value) else value


def bootstrap_auc(
    scores: ArrayLike,
    positive: ArrayLike,
    *,
    clusters: Sequence[Hashable] | None = None,
    seed: int,
    rounds: int = 2000,
    level: float = 0.95,
) -> Estimate:
    """Return `auc` with a bootstrap interval (BCa), clusters drawn whole.

    Where no resample differs, as for constant scores or kinds wholly apart, the bootstrap would
    claim certainty. The interval then comes from the share of units of each kind that could differ
    without one having been seen (method `no-spread`).

    Args:
        scores: shape (n,).
        positive: truth of each, shape (n,).
        clusters: the unit of independence of each, shape (n,); None: every score its own.
        seed: seed of the resampling.
        rounds: number of resamples; those that miss a kind altogether are passed over.
        level: confidence level, two-sided.

    Returns:
        The estimate; its n is the number of clusters. It is empty without both kinds.
    """
    x, truth = _checked(scores, positive)
    return _estimate([x], truth, clusters, seed, rounds, level)


def auc_difference(
    a: ArrayLike,
    b: ArrayLike,
    positive: ArrayLike,
    *,
    clusters: Sequence[Hashable] | None = None,
    seed: int,
    rounds: int = 2000,
    level: float = 0.95,
) -> Estimate:
    """Return auc(a) - auc(b) of two scores of the same things, resampled together.

    Args and the interval are those of `bootstrap_auc`.
    """
    x, truth = _checked(a, positive)
    y, _ = _checked(b, positive)
    return _estimate([x, y], truth, clusters, seed, rounds, level)


def _estimate(
    sides: Sequence[Floats],
    truth: NDArray[np.bool_],
    clusters: Sequence[Hashable] | None,
    seed: int,
    rounds: int,
    level: float,
) -> Estimate:
    """One area, or the difference of two."""
    codes, n = _codes(clusters, len(truth))
    if truth.all() or not truth.any():
        return Estimate(value=None, interval=None, n=n, seed=seed)

    def areas(weights: Floats) -> Floats:
        first, *rest = (_areas(side, truth, weights[:, codes]) for side in sides)
        return first - rest[0] if rest else first

    rng = np.random.default_rng(seed)
    step = max(1, _CELLS // len(truth))
    sizes = [min(step, rounds - start) for start in range(0, rounds, step)]
    drawn = [areas(rng.multinomial(n, np.full(n, 1 / n), size=k).astype(float)) for k in sizes]
    draws = np.concatenate(drawn)
    value = float(areas(np.ones((1, n)))[0])
    draws = draws[~np.isnan(draws)]
    if not len(draws) or np.ptp(draws) <= 1e-12:
        units = [len(set(codes[truth == kind].tolist())) for kind in (True, False)]
        low = -1.0 if len(sides) > 1 else 0.0
        return Estimate(value=value, interval=_no_spread(value, units, low, level), n=n, seed=seed)
    jackknife = np.concatenate(
        [areas(1 - np.eye(n)[start : start + step]) for start in range(0, n, step)]
    )
    kept = jackknife[~np.isnan(jackknife)]
    return Estimate(value=value, interval=bca_interval(draws, value, kept, level), n=n, seed=seed)


def _areas(scores: Floats, truth: NDArray[np.bool_], weights: Floats) -> Floats:
    """Return the area for each row of weights, shape (rows,); NaN where a kind has no weight.

    Scores are sorted once. A positive beats the negatives of lesser score and half of its equals.
    """
    order = np.argsort(scores, kind="stable")
    _, starts = np.unique(scores[order], return_index=True)
    sorted_weights, kinds = weights[:, order], truth[order]
    ups = np.add.reduceat(np.where(kinds, sorted_weights, 0.0), starts, axis=1)
    downs = np.add.reduceat(np.where(kinds, 0.0, sorted_weights), starts, axis=1)
    beaten = np.cumsum(downs, axis=1) - downs / 2
    pairs = ups.sum(axis=1) * downs.sum(axis=1)
    wins = (ups * beaten).sum(axis=1)
    areas: Floats = np.full(len(pairs), np.nan)
    np.divide(wins, pairs, out=areas, where=pairs > 0)
    return areas


def _no_spread(value: float, units: Sequence[int], low: float, level: float) -> Interval:
    """What the area could be if, of each kind, the greatest share not excluded were different."""
    seen = 1.0
    for n in units:
        seen *= 1 - upper_bound(0, n, (1 - level) / 2)
    return Interval(
        low=value * seen + low * (1 - seen),
        high=value * seen + 1 - seen,
        level=level,
        method="no-spread",
    )


def _checked(scores: ArrayLike, positive: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    x, truth = np.asarray(scores, dtype=np.float64), np.asarray(positive, dtype=np.bool_)
    if x.ndim != 1 or x.shape != truth.shape:
        raise ValueError(f"one score and one truth each: shapes {x.shape} and {truth.shape}")
    if np.isnan(x).any():
        raise ValueError(f"{int(np.isnan(x).sum())} of {len(x)} scores are NaN, which has no rank")
    return x, truth


def _codes(clusters: Sequence[Hashable] | None, n: int) -> tuple[NDArray[np.int64], int]:
    """The number of each one's cluster, in order of first appearance, and how many there are."""
    if clusters is None:
        return np.arange(n), n
    if len(clusters) != n:
        raise ValueError(f"{n} scores but {len(clusters)} cluster labels")
    index: dict[Hashable, int] = {}
    codes = np.array([index.setdefault(c, len(index)) for c in clusters], dtype=np.int64)
    return codes, len(index)
