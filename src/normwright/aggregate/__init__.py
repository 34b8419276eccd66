"""From ballots to outcomes: who agrees with what, in which groups if any, and how sure that is."""

from normwright.aggregate.agreement import compare, compare_compromises
from normwright.aggregate.compromises import Theories
from normwright.aggregate.compromises.reading import (
    theories_of,
    theories_of_groups,
    theories_of_rows,
)
from normwright.aggregate.election import Bundles, Election, Inapplicable
from normwright.aggregate.groups import Grouped, find_groups
from normwright.aggregate.methods import Method, Order, by_score
from normwright.aggregate.outcome import aggregate
from normwright.aggregate.profile import Profile
from normwright.aggregate.ranking import rank

__all__ = [
    "Bundles",
    "Election",
    "Grouped",
    "Inapplicable",
    "Method",
    "Order",
    "Profile",
    "Theories",
    "aggregate",
    "by_score",
    "compare",
    "compare_compromises",
    "find_groups",
    "rank",
    "theories_of",
    "theories_of_groups",
    "theories_of_rows",
]
