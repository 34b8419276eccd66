"""A number from ballots with what is needed to believe it."""

from __future__ import annotations

from typing import Any

from normwright.records.base import Frozen


class Interval(Frozen):
    """A two-sided interval; the level is part of the claim."""

    low: float
    high: float
    level: float = 0.95
    method: str
    """For example `wilson`, `clopper-pearson`, `bootstrap`."""


class Estimate(Frozen):
    """A number with what is needed to believe it. `value` is None where there is no evidence."""

    value: float | None
    interval: Interval | None
    n: int
    """Number of independent units behind the value."""
    seed: int | None = None
    """Seed of the bootstrap, if one was used."""

    @property
    def ends(self) -> list[float] | None:
        """The interval as commands print it, `[low, high]`; None where it is unknown."""
        return None if self.interval is None else [self.interval.low, self.interval.high]

    def as_json(self) -> dict[str, Any]:
        """Return it as commands print it."""
        return {"value": self.value, "interval": self.ends, "n": self.n, "seed": self.seed}
