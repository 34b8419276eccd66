"""What single voters can do to a result."""

from __future__ import annotations

from normwright.records.base import Frozen
from normwright.records.estimates import Estimate


class ShareInfluence(Frozen):
    """What single voters can do to one share of support, exactly."""

    statement: str
    agree: int
    seen: int
    removed: float
    """The largest change of the share when any one voter is taken out."""
    turned: float
    """The largest change of the share when any one voter says the opposite."""
    threshold: float
    flips_turned: int | None
    """The least number of voters who, turned, put the share on the other side of the threshold;
    None where not even all of them do."""
    flips_removed: int | None
    """The least number of voters who, taken out, do the same; None where none left proves it."""


class RankInfluence(Frozen):
    """What taking out any one voter does to the place of one statement among all, by support."""

    statement: str
    place: int
    """1 is the best; statements of exactly equal shares share the better place."""
    best: int
    worst: int
    """The best and worst place it takes when any one voter is taken out."""
    moved_by: int
    """Voters any one of whom, taken out, changes its place."""
    voters: int


class SlateInfluence(Frozen):
    """What taking out any one voter does to a slate."""

    method: str
    size: int
    stable: Estimate
    """Share of voters who can be taken out without changing the slate; n is how many were tried.
    All voters, and then there is no interval; or a random sample of them, with its seed."""
    most: int
    """The most members that taking out one voter replaced."""
    replaced: dict[str, int]
    """For each member that was ever replaced: by how many of the voters tried, one at a time."""
