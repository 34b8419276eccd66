"""From ballots to outcomes: who agrees with what, in which groups if any, and how sure that is."""

from normwright.aggregate.election import Bundles, Election, Inapplicable
from normwright.aggregate.groups import Grouped, find_groups
from normwright.aggregate.methods import Method, Order, by_score
from normwright.aggregate.minorities import audit_slate
from normwright.aggregate.outcome import aggregate
from normwright.aggregate.profile import Profile
from normwright.aggregate.ranking import order_of, rank, ranking_of
from normwright.aggregate.slates import Chosen, SlateRule
from normwright.aggregate.slating import slate
from normwright.aggregate.standings import Certainty, certainty

__all__ = [
    "Bundles",
    "Certainty",
    "Chosen",
    "Election",
    "Grouped",
    "Inapplicable",
    "Method",
    "Order",
    "Profile",
    "SlateRule",
    "aggregate",
    "audit_slate",
    "by_score",
    "certainty",
    "find_groups",
    "order_of",
    "rank",
    "ranking_of",
    "slate",
]
