"""Does the analysis find what was planted? Simulated raters with a known leaning, many studies.

Raters differ in how much they like the first system, items in how well it does on them; whoever
rates also leans to what stands first. The truth is the mean share over all raters and items of the
population, by numerical integration, not over those drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from normwright import stats
from normwright.records import Estimate


@dataclass(frozen=True)
class Population:
    """Raters and items of whom a study sees some; on the scale of log-odds."""

    effect: float = 0.4
    """How much the first system is liked."""
    rater: float = 0.5
    """Standard deviation between raters."""
    item: float = 1.0
    """Standard deviation between items."""
    tie: float = 0.4
    """Half the width within which a difference is not told."""
    position: float = 0.3
    """Leaning to what stands first."""

    def share(self) -> float:
        """Return the mean share of the first system, ties half, over the whole population."""
        x = np.linspace(-8, 8, 4001)
        weight = np.exp(-(x**2) / 2)
        z = self.effect + math.hypot(self.rater, self.item) * x
        both = [self._share(z + lean) for lean in (self.position, -self.position)]
        return float((weight * (both[0] + both[1]) / 2).sum() / weight.sum())

    def _share(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        return (_logistic(z - self.tie) + _logistic(z + self.tie)) / 2


@dataclass(frozen=True)
class Recovered:
    """How often the interval held the truth, and what taking ratings as independent would do."""

    truth: float
    runs: int
    coverage: Estimate
    naive: Estimate
    """Coverage of the interval that takes ratings as independent: the control."""
    bias: Estimate
    """Mean of the estimates less the truth."""
    power: float
    """Share of studies that showed the first system to be better."""


def recover(
    population: Population,
    *,
    raters: int = 12,
    items: int = 100,
    per_item: int = 3,
    runs: int = 500,
    seed: int,
    level: float = 0.95,
    progress: Callable[[int, int, str], None] | None = None,
) -> Recovered:
    """Return how well studies of a population recover its share.

    Args:
        population: who rates what.
        raters: of one study.
        items: of one study.
        per_item: raters an item is given to.
        runs: studies.
        seed: of the draws.
        level: of the intervals.
        progress: called with (done, in all, what) now and then.
    """
    rng = np.random.default_rng(seed)
    truth = population.share()
    held, naive, shown, values = 0, 0, 0, []
    for run in range(runs):
        if progress is not None and run % 10 == 0:
            progress(run, runs, "studies")
        y, who, what = _study(population, rng, raters, items, per_item)
        found = stats.crossed_mean(y, who, what, level=level, bounds=(0.0, 1.0)).mean
        each = list(range(len(y)))
        alone = stats.crossed_mean(y, each, each, level=level, bounds=(0.0, 1.0)).mean
        values.append(found.value or 0.0)
        held += _holds(found, truth)
        naive += _holds(alone, truth)
        shown += found.interval is not None and found.interval.low > 0.5
    if progress is not None:
        progress(runs, runs, "studies")
    bias = stats.bootstrap_mean(np.asarray(values) - truth, seed=seed, bounds=(-1.0, 1.0))
    return Recovered(
        truth, runs, stats.proportion(held, runs, method="exact"),
        stats.proportion(naive, runs, method="exact"), bias, shown / runs,
    )  # fmt: skip


def _holds(estimate: Estimate, truth: float) -> bool:
    interval = estimate.interval
    return interval is not None and interval.low <= truth <= interval.high


def _study(
    population: Population, rng: np.random.Generator, raters: int, items: int, per_item: int
) -> tuple[NDArray[np.float64], list[int], list[int]]:
    likes = rng.normal(0, population.rater, raters)
    suits = rng.normal(0, population.item, items)
    # Loads are even, as sheets of a study are.
    who = np.array([(j * per_item + k) % raters for j in range(items) for k in range(per_item)])
    what = np.repeat(np.arange(items), per_item)
    lean = population.position * rng.choice([-1.0, 1.0], len(who))
    z = population.effect + likes[who] + suits[what] + lean + rng.logistic(size=len(who))
    y = np.where(z > population.tie, 1.0, np.where(z < -population.tie, 0.0, 0.5))
    return y, who.tolist(), what.tolist()


def _logistic(z: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-z)))
