"""From ballots to outcomes: who agrees with what, in which groups if any, and how sure that is."""

from normwright.aggregate.groups import Grouped, find_groups
from normwright.aggregate.methods import Method, Order
from normwright.aggregate.outcome import aggregate
from normwright.aggregate.profile import BallotProfile, Profile, ballot_wins
from normwright.aggregate.ranking import rank

__all__ = [
    "BallotProfile",
    "Grouped",
    "Method",
    "Order",
    "Profile",
    "aggregate",
    "ballot_wins",
    "find_groups",
    "rank",
]
