"""Sign-flip test of a mean difference whose items come in clusters."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

EXACT: Final = 14
"""Clusters up to which every pattern of signs is tried."""


def sign_flip_p(
    values: ArrayLike,
    clusters: Sequence[Hashable] | None = None,
    *,
    null: float = 0.0,
    rounds: int = 20_000,
    seed: int = 0,
) -> float:
    """Return the one-sided p-value of the hypothesis that a mean is at most `null`.

    The sums of value less `null`, one a cluster, keep or turn their signs together (Fisher 1935;
    Canay, Romano and Shaikh, Econometrica 85, 2017, for few clusters): every pattern with few
    clusters, else drawn ones, with the observed pattern counted in. Exact where sums are symmetric
    about their mean. Differences of rare events are skewed to the right, where the test rejects
    less often than it may. With G clusters p is never under 2^-G.

    Args:
        values: differences, shape (n,).
        clusters: the unit of independence of each, shape (n,); None: every value its own.
        null: the greatest mean under the hypothesis.
        rounds: patterns drawn.
        seed: of the patterns.

    Raises:
        ValueError: if there is no value, one is not finite, or the lengths differ.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or not len(x) or not np.isfinite(x).all():
        raise ValueError("values are a line of finite numbers, of which there is at least one")
    if clusters is not None and len(clusters) != len(x):
        raise ValueError(f"{len(x)} values have {len(clusters)} clusters")
    names: dict[Hashable, int] = {}
    given: Sequence[Hashable] = range(len(x)) if clusters is None else clusters
    codes = [names.setdefault(c, len(names)) for c in given]
    sums = np.bincount(codes, weights=x - null, minlength=len(names))
    # Sums of 0.95 and -0.05 added in another order differ in the last digit.
    least = float(sums.sum()) - 1e-9
    if len(sums) <= EXACT:
        patterns = np.indices((2,) * len(sums)).reshape(len(sums), -1).T * 2.0 - 1
        return float((patterns @ sums >= least).mean())
    flips = np.random.default_rng(seed).integers(0, 2, size=(rounds, len(sums)), dtype=np.int8)
    as_high = int(((flips * 2.0 - 1) @ sums >= least).sum())
    return (1 + as_high) / (1 + rounds)
