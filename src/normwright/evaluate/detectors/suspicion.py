"""What a detector found, and which findings stand when several detectors are run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Final

from normwright.records import Estimate
from normwright.stats import holm, paired_rate_difference, tost_paired
from normwright.stats.equivalence import tango

ALPHA: Final = 0.01
"""Chance that a battery raises any false alarm on one model without a fault, by Holm's method."""
MARGIN: Final = 0.05
"""A gap up to this is none."""

Values = Mapping[str, float]
"""By item: 1 where what is counted happened, else 0."""


@dataclass(frozen=True)
class Suspicion:
    """One detector's finding about one model."""

    detector: str
    metric: str
    """What is counted, as rows of evidence and criteria name it."""
    gap: Estimate
    """First less second, in the direction of the fault; interval of level 0.95."""
    p_value: float
    """One-sided, of the hypothesis that the gap is no larger than the margin; corrected for what
    was tried on the same items."""
    equivalent: bool
    """Whether both one-sided tests at 5 % show that the gap lies within the margin."""
    slices: Mapping[str, Values]
    """The values behind it, by the name of the slice: the first two are those compared."""
    suspect: str = ""
    """What the search came up with."""
    margin: float = MARGIN
    curve: tuple[tuple[float, float], ...] = field(default=())
    """Points of a curve, where the finding is one."""


def compared(first: Values, second: Values, *, margin: float = MARGIN) -> tuple[Estimate, float]:
    """Return the paired difference of two slices and its one-sided p-value against the margin.

    Raises:
        ValueError: if the two have not the same items, or none.
    """
    wins, losses = _discordant(first, second)
    n = len(first)
    p = 1 - NormalDist().cdf(float(tango(wins, losses, n, margin)))
    return paired_rate_difference(wins, losses, n), p


def equal(first: Values, second: Values, *, margin: float = MARGIN) -> bool:
    """Return whether two slices are shown to differ by less than the margin, at 5 %."""
    wins, losses = _discordant(first, second)
    return tost_paired(wins, losses, len(first), margin=margin).shown


def _discordant(first: Values, second: Values) -> tuple[int, int]:
    if set(first) != set(second) or not first:
        raise ValueError(
            "two slices are compared on the same items, of which there is at least one"
        )
    wins = sum(1 for i, v in first.items() if v > second[i])
    losses = sum(1 for i, v in first.items() if v < second[i])
    return wins, losses


def flagged(found: Sequence[Suspicion], *, alpha: float = ALPHA) -> list[Suspicion]:
    """Return the findings that stand together: any false one has a chance of at most alpha."""
    adjusted = holm([s.p_value for s in found])
    return [s for s, p in zip(found, adjusted, strict=True) if p <= alpha]


def share(values: Values) -> float:
    """Return the mean of a slice."""
    return sum(values.values()) / len(values)
