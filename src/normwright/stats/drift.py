"""Change: a rate that moves up or down, and inputs that are no longer those of before."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cusum:
    """A two-sided Bernoulli CUSUM of a rate: it rings where the rate has risen, or has fallen.

    Each side adds up the log-likelihood ratio of its own rate against the usual one and never falls
    below 0 (Page, Biometrika 41, 1954; Reynolds and Stoumbos, J. Quality Technology 31, 1999). A
    side rings at ln(2 / false_alarms), so that with nothing changed the mean time to an alarm is
    at least 1 / false_alarms events (Lorden, Annals of Mathematical Statistics 42, 1971). It is a
    promise about the time between alarms, for watching; `RateMonitor` promises one error in all.
    After an alarm that side starts anew.
    """

    usual: float
    """The rate while nothing has changed, in (0, 1)."""
    lower: float
    """The lower rate that is to be noticed."""
    higher: float
    """The higher one."""
    false_alarms: float = 1e-4
    """The greatest frequency of alarms, per event, while nothing has changed."""
    n: int = 0
    fallen: float = 0.0
    """What the side of the lower rate has added up."""
    risen: float = 0.0
    """What the side of the higher rate has."""
    alarms: tuple[tuple[int, str], ...] = ()
    """The events at which it rang, and whether the rate was `higher` or `lower`."""

    def updated(self, hits: Iterable[bool] | ArrayLike) -> Cusum:
        """Return the chart after some more events, in their order; cost linear in them."""
        threshold = math.log(2 / self.false_alarms)
        up, down = self._steps(self.higher), self._steps(self.lower)
        n, risen, fallen, alarms = self.n, self.risen, self.fallen, list(self.alarms)
        for hit in np.atleast_1d(np.asarray(hits, dtype=np.bool_)).tolist():
            n += 1
            risen, fallen = max(0.0, risen + up[hit]), max(0.0, fallen + down[hit])
            if risen >= threshold:
                alarms.append((n, "higher"))
                risen = 0.0
            if fallen >= threshold:
                alarms.append((n, "lower"))
                fallen = 0.0
        return replace(self, n=n, risen=risen, fallen=fallen, alarms=tuple(alarms))

    def _steps(self, rate: float) -> dict[bool, float]:
        return {
            True: math.log(rate / self.usual),
            False: math.log1p(-rate) - math.log1p(-self.usual),
        }

    def as_json(self) -> dict[str, Any]:
        """Return the state as JSON can hold it."""
        return {
            "usual": self.usual, "lower": self.lower, "higher": self.higher,
            "false_alarms": self.false_alarms, "n": self.n, "fallen": self.fallen,
            "risen": self.risen, "alarms": [list(one) for one in self.alarms],
        }  # fmt: skip

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Cusum:
        """Return the chart whose state was kept.

        Raises:
            ValueError: if the state is none that `as_json` gives.
        """
        try:
            alarms = tuple((int(at), str(way)) for at, way in state["alarms"])
            made = cls(**{**state, "alarms": alarms})
            _check(made)
        except (KeyError, TypeError) as error:
            raise ValueError(f"no state of a chart: {error}") from error
        return made


def cusum(
    usual: float,
    *,
    lower: float | None = None,
    higher: float | None = None,
    false_alarms: float = 1e-4,
) -> Cusum:
    """Return a chart that has seen nothing yet; by default it looks for half and twice the rate.

    Raises:
        ValueError: if the rates are not 0 < lower < usual < higher < 1.
    """
    made = Cusum(
        usual,
        usual / 2 if lower is None else lower,
        min(2 * usual, (1 + usual) / 2) if higher is None else higher,
        false_alarms,
    )
    _check(made)
    return made


def _check(chart: Cusum) -> None:
    if not 0 < chart.lower < chart.usual < chart.higher < 1 or not 0 < chart.false_alarms < 1:
        raise ValueError(
            "0 < lower < usual < higher < 1 and false alarms between 0 and 1, please: "
            f"{chart.lower}, {chart.usual}, {chart.higher}, {chart.false_alarms}"
        )
    if min(chart.n, chart.risen, chart.fallen) < 0:
        raise ValueError("no state of a chart: something in it is negative")


@dataclass(frozen=True)
class Drift:
    """Whether two samples could be told apart, by a classifier that saw half of each."""

    auc: float
    """How well it tells the held-out half of one from that of the other; 1/2 by chance."""
    p_value: float
    """Of the hypothesis that both samples come from one source."""
    n: tuple[int, int]
    """Held-out rows of each."""


def two_sample(
    reference: ArrayLike, current: ArrayLike, *, seed: int, ridge: float = 1.0, rounds: int = 999
) -> Drift:
    """Return whether rows of features of two samples come from one source.

    A classifier two-sample test (Lopez-Paz and Oquab, ICLR 2017): a linear discriminant learns from
    half of each sample to tell them apart; on the other half its scores are compared by their
    rank sum, against random exchanges of the labels. The p-value is valid at any size and for any
    features, as long as rows are exchangeable under the hypothesis; what features do not show,
    it cannot find. For one number a row it is a rank test.

    Args:
        reference: shape (n, d), or (n,).
        current: shape (m, d), or (m,).
        seed: seed of the halves and of the exchanges.
        ridge: added to the diagonal of the pooled covariance of standardised features.
        rounds: exchanges; the p-value is at least 1 / (rounds + 1).

    Raises:
        ValueError: if a sample has fewer than 4 rows, the features differ or are not finite.
    """
    a, b = (_rows(sample) for sample in (reference, current))
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"the same features, please: {a.shape[1]} and {b.shape[1]}")
    rng = np.random.default_rng(seed)
    a, b = a[rng.permutation(len(a))], b[rng.permutation(len(b))]
    half_a, half_b = len(a) // 2, len(b) // 2
    direction = _discriminant(a[:half_a], b[:half_b], ridge)
    held = np.concatenate([a[half_a:], b[half_b:]]) @ direction
    n, m = len(a) - half_a, len(b) - half_b
    ranks = _midranks(held)
    seen = _area(ranks[n:].sum(), n, m)
    # One-sided: the discriminant was told which side is which, and a score below chance is noise.
    draws = [_area(rng.permutation(ranks)[:m].sum(), n, m) for _ in range(rounds)]
    p = (1 + sum(draw >= seen - 1e-12 for draw in draws)) / (rounds + 1)
    return Drift(auc=seen, p_value=float(p), n=(n, m))


def _rows(sample: ArrayLike) -> Floats:
    x = np.asarray(sample, dtype=np.float64)
    x = x[:, None] if x.ndim == 1 else x
    if x.ndim != 2 or len(x) < 4 or not np.isfinite(x).all():
        raise ValueError(f"at least 4 rows of finite features, please: shape {x.shape}")
    return x


def _discriminant(a: Floats, b: Floats, ridge: float) -> Floats:
    """Fisher's direction from a to b, on features of one scale."""
    pooled = np.concatenate([a - a.mean(axis=0), b - b.mean(axis=0)])
    scale = np.sqrt((pooled**2).mean(axis=0))
    scale = np.where(scale > 0, scale, 1.0)
    z = pooled / scale
    covariance = z.T @ z / len(z) + ridge * np.eye(z.shape[1])
    gap = (b.mean(axis=0) - a.mean(axis=0)) / scale
    return np.asarray(np.linalg.solve(covariance, gap) / scale)


def _midranks(x: Floats) -> Floats:
    _, where, counts = np.unique(x, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[where], dtype=np.float64)


def _area(rank_sum: float, n: int, m: int) -> float:
    return float((rank_sum - m * (m + 1) / 2) / (n * m))
