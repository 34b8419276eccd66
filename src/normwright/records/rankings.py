"""Rankings of alternatives, and how sure they are."""

from __future__ import annotations

from normwright.records.base import Frozen
from normwright.records.estimates import Estimate, Interval


class Ranking(Frozen):
    """A social ranking with ties, best first, and the scores behind it."""

    method: str
    tiers: tuple[tuple[str, ...], ...]
    scores: dict[str, float] = {}


class Standing(Frozen):
    """Where one alternative of the ballots stands, and how sure that is."""

    alternative: str
    """Id of its statement."""
    ranked: int
    """Ballots that rank it at all."""
    first: Estimate
    """Share of voters who put it first; a first place that several share is divided."""
    leads: Estimate
    """Share of resamples in which the method that counts ranks it first, alone or with others;
    n is the number of resamples to which the method applies."""
    places: Interval
    """The places it takes in resamples; 1 is the best, and level alternatives share the better.
    Where the method does not apply to a resample, any place is possible."""


class Margin(Frozen):
    """How far voters put one alternative above another."""

    above: str
    below: str
    prefer: int
    """Voters who put `above` above `below`."""
    oppose: int
    """Voters who put `below` above `above`. All others have them level, or do not compare them."""
    margin: Estimate
    """(prefer - oppose) / voters, in [-1, 1], with its interval."""
