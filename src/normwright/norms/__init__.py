"""What a charter says about one situation: vocabulary, three-valued conditions, the resolver.

The room is pure: it reads no file and keeps no clock. Charter, guard, learning and evaluation all
ask it what is allowed, so it sits below them.
"""

from normwright.norms.acts import NULL_ACT, Acts
from normwright.norms.conditions import evaluate, facts_of
from normwright.norms.contexts import applies
from normwright.norms.resolver import Resolver, decide
from normwright.norms.specificity import (
    CELL_LIMIT,
    can_both_hold,
    cells,
    first_values,
    implies,
    more_specific,
    satisfiable,
)
from normwright.norms.vocabulary import (
    axiom_faults,
    condition_faults,
    norm_faults,
    situation_faults,
    vocabulary_faults,
)

__all__ = [
    "CELL_LIMIT",
    "NULL_ACT",
    "Acts",
    "Resolver",
    "applies",
    "axiom_faults",
    "can_both_hold",
    "cells",
    "condition_faults",
    "decide",
    "evaluate",
    "facts_of",
    "first_values",
    "implies",
    "more_specific",
    "norm_faults",
    "satisfiable",
    "situation_faults",
    "vocabulary_faults",
]
