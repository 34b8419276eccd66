"""Evidence about a rate that may be looked at whenever one likes: e-values, sequences, a monitor.

A fixed-n bound holds at the one n that was fixed. Whoever looks after every batch and stops at a
good moment needs what is here: with probability 1 - alpha it holds at all times at once (Ville's
inequality), whatever made one stop. The price is more units; `anytime_n_needed` says how many.

Every function asks of the events that each fails with at most (or at least) the rate in question
given those before it. They need be neither independent nor of one rate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normwright.records import Interval
from normwright.stats.searching import least

Floats = NDArray[np.float64]
Against: TypeAlias = Literal["above", "below"]
"""What the evidence speaks against: that the rate is `above` a limit, or that it is `below`."""

_PRIOR = 0.5
"""Both parameters of the mixing beta distribution: most of it lies near rates of 0 and 1."""


def log_evidence(k: int, n: int, limit: float, *, against: Against) -> float:
    """Return the logarithm of the e-value against a rate at or above (below) a limit.

    It is the capital of a gambler who bets on a lower (higher) rate, averaged over all lower rates
    q with the weights of a Beta(1/2, 1/2) cut off at the limit: the mean of q^k (1 - q)^(n - k) /
    (limit^k (1 - limit)^(n - k)). Each part is a bet of constant size lambda = (limit - q) /
    (limit (1 - limit)), so that the mean is a non-negative supermartingale under the hypothesis
    and exceeds 1 / alpha at any time with probability at most alpha (Robbins, Annals of
    Mathematical Statistics 41, 1970; Waudby-Smith and Ramdas, JRSS B 86, 2024, for bets). It
    depends on the counts alone.

    Args:
        k: failures so far.
        n: units so far; 0 is evidence of 1, logarithm 0.
        limit: the rate in question, in (0, 1).
        against: `above` tests whether the rate is at or over the limit, so that large evidence
            means a lower rate; `below` the other way round.

    Raises:
        ValueError: if the counts are impossible or the limit is not in (0, 1).
    """
    from scipy.special import betainc, betaln

    if not 0 <= k <= n:
        raise ValueError(f"a count lies between 0 and n; saw {k} of {n}")
    if not 0 < limit < 1:
        raise ValueError(f"a limit lies between 0 and 1, not {limit}")
    if against == "below":
        return log_evidence(n - k, n, 1 - limit, against="above")
    a = b = _PRIOR
    mass = float(betainc(a + k, b + n - k, limit))
    if mass == 0:  # Far on the other side of the limit: less than the smallest number there is.
        return -math.inf
    return (
        float(betaln(a + k, b + n - k) - betaln(a, b))
        + math.log(mass / float(betainc(a, b, limit)))
        - k * math.log(limit)
        - (n - k) * math.log1p(-limit)
    )


def anytime_upper(k: int, n: int, alpha: float = 0.05) -> float:
    """Return an upper bound of a rate that holds after every unit at once, with 1 - alpha.

    It is the least limit against which `log_evidence` reaches 1 / alpha. Before the first unit it
    is 1. With no failure in n it lies near that of a fixed n of four fifths.

    Raises:
        ValueError: if the counts or alpha are impossible.
    """
    if not 0 <= k <= n:
        raise ValueError(f"a count lies between 0 and n; saw {k} of {n}")
    if not 0 < alpha < 1:
        raise ValueError(f"an error lies between 0 and 1, not {alpha}")
    wanted = -math.log(alpha)
    low, high = k / n if n else 0.0, 1.0
    if k == n:
        return 1.0
    # Above k / n the evidence against "at least this rate" grows with the rate.
    for _ in range(60):
        middle = (low + high) / 2
        if not 0 < middle < 1:
            break
        reached = log_evidence(k, n, middle, against="above") >= wanted
        low, high = (low, middle) if reached else (middle, high)
    return high


def anytime_lower(k: int, n: int, alpha: float = 0.05) -> float:
    """Return a lower bound of a rate that holds after every unit at once, with 1 - alpha."""
    return 1 - anytime_upper(n - k, n, alpha)


def anytime_interval(k: int, n: int, level: float = 0.95) -> Interval:
    """Return the confidence sequence of a rate at n units: it holds at every n at once."""
    tail = (1 - level) / 2
    return Interval(
        low=anytime_lower(k, n, tail),
        high=anytime_upper(k, n, tail),
        level=level,
        method="beta-mixture-sequence",
    )


def anytime_n_needed(
    k: int, n: int, limit: float, alpha: float = 0.05, *, maximum: int = 10_000_000
) -> int | None:
    """Return the least n, in all, at which `anytime_upper` would be at or under the limit.

    The rate is held at k / n and failures are rounded up; None where no n up to `maximum` would do.

    Raises:
        ValueError: if nothing was observed, because then there is no rate to hold.
    """
    if n == 0:
        raise ValueError("no unit was observed, so there is no rate to hold")
    if k / n >= limit:
        return None
    wanted = -math.log(alpha)

    def clears(units: int) -> bool:
        failed = min(units, math.ceil(k * units / n - 1e-9))
        return log_evidence(failed, units, limit, against="above") >= wanted

    return least(clears, maximum)


@dataclass(frozen=True)
class RateMonitor:
    """Evidence that a rate has risen above a limit, now or at any time since the start.

    A gambler who had to start at the first event would have lost all by the time a rate rises
    after years of quiet. This one sets the share ln 2 / ln(j + 1) - ln 2 / ln(j + 2) of the capital
    aside for a start at event j, and splits each share over bets on several higher rates. The sum
    is a non-negative supermartingale as long as each event fails with at most `limit` given those
    before it: it reaches 1 / alpha, ever, with probability at most alpha. That is the promise of
    one alarm in a lifetime, stronger than a promise about the time between alarms. What it takes to
    notice a rise grows with the logarithm of the time that passed before (Shin, Ramdas and Rinaldo,
    e-detectors, 2023, for sums over starts; Vovk and Wang, Annals of Statistics 49, 2021, for
    their averages).

    The state is a few numbers whatever was seen; `as_json` and `from_json` keep it.
    """

    limit: float
    """The rate that must not be exceeded, in (0, 1)."""
    alpha: float = 0.05
    """The probability of an alarm, ever, while it is not."""
    rates: tuple[float, ...] = ()
    """The higher rates that are bet on, in equal parts."""
    n: int = 0
    failed: int = 0
    capitals: tuple[float, ...] = ()
    """For each rate, what the starts so far have made of their shares."""
    peak: float = 1.0
    """The greatest evidence so far."""
    alarm_at: int | None = None
    """The event at which the evidence first reached 1 / alpha; None: it never has."""

    @property
    def evidence(self) -> float:
        """The e-value now: what the starts have made, and what is set aside for later ones."""
        if not self.n:
            return 1.0
        return sum(self.capitals) / len(self.capitals) + _aside(self.n)

    def updated(self, failures: Iterable[bool] | ArrayLike) -> RateMonitor:
        """Return the monitor after some more events, in their order; cost linear in them."""
        events = np.atleast_1d(np.asarray(failures, dtype=np.bool_)).tolist()
        if not events:
            return self
        odds = {
            True: [rate / self.limit for rate in self.rates],
            False: [(1 - rate) / (1 - self.limit) for rate in self.rates],
        }
        capitals = list(self.capitals) if self.n else [0.0] * len(self.rates)
        n, peak, alarm_at, parts = self.n, self.peak, self.alarm_at, len(self.rates)
        left = _aside(n)
        for failure in events:
            n += 1
            # The share for a start at this event joins, and all that has started bets on it.
            before, left = left, _aside(n)
            share = before - left
            capitals = [
                min(_MOST, (c + share) * o) for c, o in zip(capitals, odds[failure], strict=True)
            ]
            now = sum(capitals) / parts + left
            if now > peak:
                peak = now
                if alarm_at is None and now >= 1 / self.alpha:
                    alarm_at = n
        return replace(
            self, n=n, failed=self.failed + sum(events), peak=peak, alarm_at=alarm_at,
            capitals=tuple(capitals),
        )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """Return the state as JSON can hold it."""
        return {
            "limit": self.limit, "alpha": self.alpha, "rates": list(self.rates), "n": self.n,
            "failed": self.failed, "capitals": list(self.capitals), "peak": self.peak,
            "alarm_at": self.alarm_at,
        }  # fmt: skip

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> RateMonitor:
        """Return the monitor whose state was kept.

        Raises:
            ValueError: if the state is none that `as_json` gives.
        """
        try:
            rates, capitals = tuple(state["rates"]), tuple(state["capitals"])
            made = cls(**{**state, "rates": rates, "capitals": capitals})
            _check_monitor(made)
        except (KeyError, TypeError) as error:
            raise ValueError(f"no state of a monitor: {error}") from error
        if len(capitals) != (len(rates) if made.n else 0) or not 0 <= made.failed <= made.n:
            raise ValueError("no state of a monitor: its counts do not fit one another")
        return made


_MOST = 1e300
"""Where capital stops growing; an alarm has long rung."""


def _aside(n: int) -> float:
    """What is still set aside for starts after event n: all of it at first, falling very slowly."""
    return _LN2 / math.log(n + 2)


_LN2 = math.log(2)
TIMES = (1.25, 1.5, 2.0, 3.0, 6.0)
"""The multiples of the limit that a monitor bets on unless it is told otherwise."""


def rate_monitor(
    limit: float, *, alpha: float = 0.05, rates: Iterable[float] | None = None
) -> RateMonitor:
    """Return a monitor that has seen nothing yet.

    Args:
        limit: the rate that must not be exceeded, in (0, 1).
        alpha: the probability of an alarm, ever, while it is not.
        rates: the higher rates to bet on; None: `TIMES` the limit, as far as they are under 1.

    Raises:
        ValueError: if a rate is not above the limit and under 1, or a share is impossible.
    """
    if rates is None:
        chosen = tuple(t * limit for t in TIMES if t * limit < 1) or ((1 + limit) / 2,)
    else:
        chosen = tuple(rates)
    made = RateMonitor(limit=limit, alpha=alpha, rates=chosen)
    _check_monitor(made)
    return made


def _check_monitor(monitor: RateMonitor) -> None:
    if not 0 < monitor.limit < 1 or not 0 < monitor.alpha < 1:
        raise ValueError(
            f"a limit and an error lie between 0 and 1: {monitor.limit}, {monitor.alpha}"
        )
    if not monitor.rates or any(not monitor.limit < rate < 1 for rate in monitor.rates):
        raise ValueError(
            f"rates to bet on lie between the limit {monitor.limit} and 1: {monitor.rates}"
        )


def hedged_interval(
    values: ArrayLike, *, level: float = 0.95, grid: int = 1000, most: float = 0.5
) -> Interval:
    """Return the hedged-capital confidence sequence of a mean of bounded values, at its end.

    For each mean m on a grid two gamblers bet that it is higher and that it is lower, with the
    predictable plug-in bets of an empirical-Bernstein bound; means at which the better of the two
    has made 2 / alpha are excluded (Waudby-Smith and Ramdas, JRSS B 86, 2024, theorem 3). It
    holds at all times at once for values in [0, 1] that have one mean given those before, and is
    the one to ask where they are shares rather than failures. For failures `anytime_interval` is
    shorter near 0 and 1 and needs the counts alone. Cost: len(values) * grid.

    Args:
        values: shape (n,), in [0, 1], in the order in which they came.
        level: confidence level, two-sided.
        grid: means that are tried; the interval is widened by one step each way.
        most: the share of the capital that a bet may lose, in (0, 1).

    Raises:
        ValueError: if a value is outside [0, 1], or the level or the share is impossible.
    """
    x = np.asarray(values, dtype=np.float64).ravel()
    if len(x) and not (x.min() >= 0 and x.max() <= 1):
        raise ValueError("values lie in [0, 1]; scale them first")
    if not 0 < level < 1 or not 0 < most < 1 or grid < 2:
        raise ValueError(f"level, share or grid impossible: {level}, {most}, {grid}")
    alpha = 1 - level
    means = np.arange(grid + 1) / grid
    bets = _plug_in_bets(x, alpha)
    with np.errstate(divide="ignore"):
        up_most, down_most = most / means, most / (1 - means)
    up, down = np.zeros(grid + 1), np.zeros(grid + 1)
    best = np.full(grid + 1, -np.inf)
    for value, wager in zip(x, bets, strict=True):
        with np.errstate(invalid="ignore"):
            up += np.log1p(np.minimum(wager, up_most) * (value - means))
            down += np.log1p(-np.minimum(wager, down_most) * (value - means))
        best = np.maximum(best, np.maximum(up, down))
    kept = means[best < math.log(2 / alpha)]
    low, high = (float(kept.min()), float(kept.max())) if len(kept) else (0.0, 1.0)
    step = 1 / grid
    return Interval(
        low=max(0.0, low - step), high=min(1.0, high + step), level=level, method="hedged-capital"
    )


def _plug_in_bets(x: Floats, alpha: float) -> Floats:
    """Bets that know of each value only those before it, shape (n,)."""
    t = np.arange(1, len(x) + 1)
    mean = (0.5 + np.cumsum(x)) / (t + 1)
    spread = (0.25 + np.cumsum((x - mean) ** 2)) / (t + 1)
    before = np.concatenate([[0.25], spread[:-1]]) if len(x) else spread
    bets: Floats = np.sqrt(2 * math.log(2 / alpha) / (before * t * np.log1p(t)))
    return bets
