"""From ballots to outcomes: who agrees with what, in which groups if any, and how sure that is."""

from normwright.aggregate.election import Bundles, Election, Inapplicable
from normwright.aggregate.groups import Grouped, find_groups
from normwright.aggregate.influence import rank_influence, share_influence, slate_influence
from normwright.aggregate.methods import Method, Order, by_score
from normwright.aggregate.minorities import audit_slate
from normwright.aggregate.opinions import Analysis, opinion_analysis
from normwright.aggregate.outcome import aggregate
from normwright.aggregate.profile import Profile
from normwright.aggregate.ranking import rank
from normwright.aggregate.slates import Chosen, SlateRule
from normwright.aggregate.slating import slate
from normwright.aggregate.weights import Raked, rake, weighted, weighted_ballots, weighted_support

__all__ = [
    "Analysis",
    "Bundles",
    "Chosen",
    "Election",
    "Grouped",
    "Inapplicable",
    "Method",
    "Order",
    "Profile",
    "Raked",
    "SlateRule",
    "aggregate",
    "audit_slate",
    "by_score",
    "find_groups",
    "opinion_analysis",
    "rake",
    "rank",
    "rank_influence",
    "share_influence",
    "slate",
    "slate_influence",
    "weighted",
    "weighted_ballots",
    "weighted_support",
]
