"""Keep a running model inside a policy: rules, a linear classifier, best of n, cited refusals.

Serving needs numpy alone. What a conversation asks for and what an answer tells become situations;
the charter's resolver decides them, and every refusal cites the norm it rests on.
"""

from normwright.guard.agents import approve
from normwright.guard.bodies import read_answer, read_exchange
from normwright.guard.canonical import canonical
from normwright.guard.facts import Fact, FactRules, read_rules
from normwright.guard.fit import fit_harm
from normwright.guard.guarded import GuardedModel
from normwright.guard.harm import HarmClassifier, Head
from normwright.guard.labels import (
    FittedLabels,
    LabelledText,
    LabelReader,
    fit_labels,
    measure_labels,
    read_labels,
)
from normwright.guard.screen import (
    ACTIONS,
    CHECKS,
    FAILURE,
    Action,
    Check,
    Concern,
    Exchange,
    Request,
    Screened,
    Screener,
    screen,
)

__all__ = [
    "ACTIONS",
    "CHECKS",
    "FAILURE",
    "Action",
    "Check",
    "Concern",
    "Exchange",
    "Fact",
    "FactRules",
    "FittedLabels",
    "GuardedModel",
    "HarmClassifier",
    "Head",
    "LabelReader",
    "LabelledText",
    "Request",
    "Screened",
    "Screener",
    "approve",
    "canonical",
    "fit_harm",
    "fit_labels",
    "measure_labels",
    "read_answer",
    "read_exchange",
    "read_labels",
    "read_rules",
    "screen",
]
