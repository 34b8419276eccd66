"""Finite-sample promises that need exchangeable data alone: risk control, p-values, alarms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Control:
    """A threshold whose expected loss is bounded, with what it rests on."""

    threshold: float | None
    """The least threshold that keeps the promise; infinite: only by flagging nothing; None: even
    that is not shown to keep it, because there are too few rows."""
    alpha: float
    """The promise: E[share of the next such row that is flagged] is at most this."""
    n: int
    flagged: int
    """Rows at or above the threshold."""
    needed: int
    """Rows without which no threshold at all can keep the promise."""


def control_flags(scores: ArrayLike, alpha: float) -> Control:
    """Return the least threshold t such that P(a further score >= t) <= alpha, at any sample size.

    Conformal risk control (Angelopoulos, Bates, Fisch, Lei and Schuster, ICLR 2024) for the loss
    "this one is flagged", which falls as the threshold rises: t is the least with
    (flagged + 1) / (n + 1) <= alpha. For scores exchangeable with the further one the expected loss
    is at most alpha, over the draw of the sample and of the further row; it is not a bound that
    holds for every sample. Without ties it is also at least alpha - 1 / (n + 1).

    Args:
        scores: scores of rows that ought not to be flagged, shape (n,).
        alpha: the greatest share that may be flagged, in (0, 1).

    Raises:
        ValueError: if alpha is not in (0, 1) or a score is NaN.
    """
    x = np.sort(np.asarray(scores, dtype=np.float64))[::-1]
    if not 0 < alpha < 1:
        raise ValueError(f"a share between 0 and 1 may be flagged, not {alpha}")
    if np.isnan(x).any():
        raise ValueError("a score is NaN, which has no rank")
    n = len(x)
    needed = math.ceil(1 / alpha - 1 - 1e-12)
    spare = math.floor(alpha * (n + 1) + 1e-12) - 1
    if spare < 0:
        return Control(threshold=None, alpha=alpha, n=n, flagged=0, needed=needed)
    # Just above the first score that may not be flagged; all its equals stay below as well.
    threshold = float(np.nextafter(x[spare], np.inf)) if spare < n else -math.inf
    return Control(
        threshold=threshold,
        alpha=alpha,
        n=n,
        flagged=int((x >= threshold).sum()),
        needed=needed,
    )


def conformal_p(reference: ArrayLike, scores: ArrayLike) -> Floats:
    """Return (1 + reference scores at least as great) / (1 + n) for each score.

    For one score exchangeable with the reference P(p <= u) <= u for every u (Vovk, Gammerman and
    Shafer, Algorithmic Learning in a Random World, 2005). Of many scores against one reference each
    is so by itself; together they lean the same way, see `lasting_p`.
    """
    known = np.sort(np.asarray(reference, dtype=np.float64))
    x = np.asarray(scores, dtype=np.float64)
    above = len(known) - np.searchsorted(known, x, side="left")
    return np.asarray((1 + above) / (1 + len(known)), dtype=np.float64)


def lasting_p(reference: ArrayLike, scores: ArrayLike, *, delta: float = 0.01) -> Floats:
    """Return p-values of many scores against one reference that hold together.

    With probability 1 - delta over the draw of the reference, every further independent score of
    the same source has P(p <= u) <= u: the share above is raised by the Dvoretzky-Kiefer-Wolfowitz
    margin sqrt(ln(1 / delta) / (2 n)), one-sided, in Massart's form (1990), for delta <= 1/2.
    """
    known = np.sort(np.asarray(reference, dtype=np.float64))
    if not 0 < delta <= 0.5:
        raise ValueError(f"delta lies in (0, 1/2], not {delta}")
    if not len(known):
        return np.ones(np.shape(scores))
    x = np.asarray(scores, dtype=np.float64)
    share = (len(known) - np.searchsorted(known, x, side="left")) / len(known)
    return np.minimum(1.0, share + math.sqrt(math.log(1 / delta) / (2 * len(known))))


POWERS = (0.3, 0.5, 0.7)
"""Powers whose bets are mixed in equal parts; see `bet`."""


def bet(p: ArrayLike) -> Floats:
    """Return the e-value of each p-value: the mean of e * p**(e - 1) over `POWERS`.

    Each has mean at most one for a p-value that is no smaller than uniform (Vovk and Wang, Annals
    of Statistics 49, 2021).
    """
    x = np.maximum(np.asarray(p, dtype=np.float64), 1e-12)
    return np.asarray(np.mean([e * x ** (e - 1) for e in POWERS], axis=0), dtype=np.float64)


def alarms(evidence: Iterable[float], *, rate: float) -> Iterator[tuple[float, bool]]:
    """Yield the running evidence and whether it raises an alarm, one for each e-value.

    The e-CUSUM detector (Shin, Ramdas and Rinaldo, 2023): the evidence is multiplied by each
    e-value and never falls below the one it starts anew with; an alarm is evidence of at least 1 /
    rate, and after it the evidence starts again. If nothing has changed, alarms come no more often
    than once in 1 / rate e-values on average.

    Raises:
        ValueError: if the rate is not in (0, 1).
    """
    if not 0 < rate < 1:
        raise ValueError(f"a rate lies between 0 and 1, not at {rate}")
    running = 1.0
    for value in evidence:
        running = max(running, 1.0) * value
        rung = running >= 1 / rate
        yield running, rung
        if rung:
            running = 1.0
