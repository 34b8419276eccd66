"""Keep a running model inside a policy: checks, calibrated classifiers, best of n, cited refusals.

Serving needs numpy alone. What checks see in an exchange becomes situations; the charter's resolver
decides them, and every refusal cites the norm it rests on. `Guard` screens any exchange under any
policy; `Screener` adds what was fitted on the scenes of a project's own charter.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from normwright.guard.bodies import read_answer, read_exchange
from normwright.guard.canonical import canonical
from normwright.guard.detectors import Detectors, read_detectors
from normwright.guard.engine import BUILT_IN, Guard, GuardSettings, screen
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
from normwright.guard.memory import Memory
from normwright.guard.opening import open_policy, own_detectors
from normwright.guard.rewards import Reward
from normwright.guard.screen import (
    ACTIONS,
    CHECKS,
    FAILURE,
    Action,
    Check,
    Concern,
    Request,
    Screened,
    Screener,
)
from normwright.guard.sights import Kit, Passage, Sight, TextReader, View

if TYPE_CHECKING:
    from normwright.guard.agents import approve

_LATER = {"approve": "agents"}

__all__ = [
    "ACTIONS",
    "BUILT_IN",
    "CHECKS",
    "FAILURE",
    "Action",
    "Check",
    "Concern",
    "Detectors",
    "Fact",
    "FactRules",
    "FittedLabels",
    "Guard",
    "GuardSettings",
    "GuardedModel",
    "HarmClassifier",
    "Head",
    "Kit",
    "LabelReader",
    "LabelledText",
    "Memory",
    "Passage",
    "Request",
    "Reward",
    "Screened",
    "Screener",
    "Sight",
    "TextReader",
    "View",
    "approve",
    "canonical",
    "fit_harm",
    "fit_labels",
    "measure_labels",
    "open_policy",
    "own_detectors",
    "read_answer",
    "read_detectors",
    "read_exchange",
    "read_labels",
    "read_rules",
    "screen",
]


def __getattr__(name: str) -> Any:
    """Load what keeps ledgers when it is first asked for, so that a check starts at once."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
