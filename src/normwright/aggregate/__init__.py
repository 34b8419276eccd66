"""From ballots to outcomes: who agrees with what, in which groups if any, and how sure that is."""

from normwright.aggregate.agreement import compare, compare_compromises
from normwright.aggregate.audit import audit
from normwright.aggregate.choosing import choose
from normwright.aggregate.coherence import coherence
from normwright.aggregate.compromises import Theories
from normwright.aggregate.compromises.reading import (
    theories_of,
    theories_of_groups,
    theories_of_rows,
)
from normwright.aggregate.curves import violation_curves
from normwright.aggregate.election import Bundles, Election, Inapplicable
from normwright.aggregate.groups import Grouped, find_groups
from normwright.aggregate.influence import rank_influence, share_influence, slate_influence
from normwright.aggregate.methods import Method, Order, by_score
from normwright.aggregate.minorities import audit_slate
from normwright.aggregate.opinions import Analysis, opinion_analysis
from normwright.aggregate.outcome import aggregate
from normwright.aggregate.profile import Profile
from normwright.aggregate.ranking import order_of, rank, ranking_of
from normwright.aggregate.robust import robust_support
from normwright.aggregate.slates import Chosen, SlateRule
from normwright.aggregate.slating import slate
from normwright.aggregate.standings import Certainty, certainty
from normwright.aggregate.targets import targets_of
from normwright.aggregate.weights import Raked, rake, weighted, weighted_ballots, weighted_support

__all__ = [
    "Analysis",
    "Bundles",
    "Certainty",
    "Chosen",
    "Election",
    "Grouped",
    "Inapplicable",
    "Method",
    "Order",
    "Profile",
    "Raked",
    "SlateRule",
    "Theories",
    "aggregate",
    "audit",
    "audit_slate",
    "by_score",
    "certainty",
    "choose",
    "coherence",
    "compare",
    "compare_compromises",
    "find_groups",
    "opinion_analysis",
    "order_of",
    "rake",
    "rank",
    "rank_influence",
    "ranking_of",
    "robust_support",
    "share_influence",
    "slate",
    "slate_influence",
    "targets_of",
    "theories_of",
    "theories_of_groups",
    "theories_of_rows",
    "violation_curves",
    "weighted",
    "weighted_ballots",
    "weighted_support",
]
