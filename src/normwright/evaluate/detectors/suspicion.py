"""What a detector found, and which findings stand when several detectors are run.

Items of one wording are alike: a model that trips over one wording trips in all its draws. What is
tested is therefore a difference over wordings, each of which counts as one, however often it was
drawn. A gap that one wording makes alone is no finding here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from normwright.records import Estimate
from normwright.stats import (
    holm,
    paired_mean,
    paired_rate_difference,
    sign_flip_p,
    tost_paired,
)

ALPHA: Final = 0.01
"""Chance that a battery raises any false alarm on one model without a fault, by Holm's method."""
MARGIN: Final = 0.05
"""A gap up to this is none."""

Values = Mapping[str, float]
"""By item: 1 where what is counted happened, else 0; a share where an item has several parts."""
Units = Mapping[str, str]
"""By item: its wording, or whatever else makes items alike."""


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
    units: Units = field(default_factory=dict)
    """The unit of every item that is not its own."""


def compared(
    first: Values, second: Values, units: Units | None = None, *, margin: float = MARGIN
) -> tuple[Estimate, float]:
    """Return the paired difference of two slices and its one-sided p-value against the margin.

    The interval and the test count units; without `units` every item is its own.

    Raises:
        ValueError: if the two have not the same items, or none.
    """
    _same_items(first, second)
    alike = _units(first, units)
    clusters = [alike[i] for i in first]
    gaps = [v - second[i] for i, v in first.items()]
    p = sign_flip_p(gaps, clusters, null=margin)
    gap = paired_mean(list(first.values()), [second[i] for i in first], clusters)
    hits = {*first.values(), *second.values()} <= {0.0, 1.0}
    if gap.interval is None or (hits and len(set(clusters)) == len(clusters)):
        # Identical differences make nothing certain: as many units as there are bound them.
        gap = paired_rate_difference(*_differing(first, second, alike))
    return gap, p


def equal(
    first: Values, second: Values, units: Units | None = None, *, margin: float = MARGIN
) -> bool:
    """Return whether two slices are shown to differ by less than the margin, at 5 %.

    A unit in which more happens on one side counts as differing whole.
    """
    _same_items(first, second)
    wins, losses, n = _differing(first, second, _units(first, units))
    return tost_paired(wins, losses, n, margin=margin).shown


def _differing(first: Values, second: Values, units: Units) -> tuple[int, int, int]:
    """Units with more of the first, units with more of the second, and units."""
    sums: dict[str, float] = {}
    for item, value in first.items():
        sums[units[item]] = sums.get(units[item], 0.0) + value - second[item]
    wins = sum(1 for total in sums.values() if total > 0)
    return wins, sum(1 for total in sums.values() if total < 0), len(sums)


def _units(values: Values, units: Units | None) -> Units:
    return {item: (units or {}).get(item, item) for item in values}


def _same_items(first: Values, second: Values) -> None:
    if set(first) != set(second) or not first:
        raise ValueError(
            "two slices are compared on the same items, of which there is at least one"
        )


def flagged(found: Sequence[Suspicion], *, alpha: float = ALPHA) -> list[Suspicion]:
    """Return the findings that stand together: any false one has a chance of at most alpha."""
    adjusted = holm([s.p_value for s in found])
    return [s for s, p in zip(found, adjusted, strict=True) if p <= alpha]


def share(values: Values) -> float:
    """Return the mean of a slice."""
    return sum(values.values()) / len(values)
