"""Many questions of one body of evidence: what to allow for candidates, and which to name.

Releasing asks that every criterion hold, which needs no correction (Berger, 1982). These are for
the rest: the best of several candidates, naming which criteria failed, and discoveries.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def candidate_alpha(alpha: float, candidates: int) -> float:
    """Return the error at which to test the one candidate chosen from several on one evidence.

    Bonferroni: whichever is chosen, and however, one that ought not to be released is with
    probability at most alpha. A fresh confirmation set makes it unnecessary.

    Raises:
        ValueError: if there is no candidate or alpha is not in (0, 1).
    """
    if candidates < 1 or not 0 < alpha < 1:
        raise ValueError(f"at least one candidate and an error in (0, 1): {candidates}, {alpha}")
    return alpha / candidates


def holm(p_values: ArrayLike) -> Floats:
    """Return p-values adjusted by Holm's step-down method, shape as given.

    Hypotheses whose adjusted p-value is at most alpha may be rejected together: the probability of
    any false rejection is at most alpha, whatever the dependence (Holm, Scandinavian Journal of
    Statistics 6, 1979).

    Raises:
        ValueError: if a p-value is not in [0, 1].
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError("a list of p-values between 0 and 1, please")
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted: Floats = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, steps)
    return adjusted


def e_bh(e_values: Sequence[float] | ArrayLike, alpha: float) -> NDArray[np.bool_]:
    """Return which hypotheses the e-BH procedure rejects, shape as given.

    The expected share of false ones among those rejected is at most alpha, whatever the
    dependence between the e-values (Wang and Ramdas, JRSS B 84, 2022): the k greatest are
    rejected for the greatest k whose k-th e-value is at least m / (k alpha).

    Raises:
        ValueError: if an e-value is negative or NaN, or alpha is not in (0, 1).
    """
    e = np.asarray(e_values, dtype=np.float64)
    if e.ndim != 1 or not (e >= 0).all():
        raise ValueError("a list of e-values, each at least 0, please")
    if not 0 < alpha < 1:
        raise ValueError(f"an error lies between 0 and 1, not {alpha}")
    order = np.argsort(-e, kind="stable")
    m = len(e)
    enough = np.flatnonzero(e[order] * np.arange(1, m + 1) >= m / alpha)
    rejected = np.zeros(m, dtype=np.bool_)
    if len(enough):
        rejected[order[: enough[-1] + 1]] = True
    return rejected
