"""What answers are worth while a model is trained on its own answers."""

from normwright.learn.rewards.budget import Budget
from normwright.learn.rewards.constraints import FORCE, Constraint, Force, Pid, impact
from normwright.learn.rewards.groups import Groups, on_one_scale, standardised
from normwright.learn.rewards.lagrangian import Lagrangian
from normwright.learn.rewards.selfplay import Nash
from normwright.learn.rewards.signals import (
    Columns,
    Judge,
    Preference,
    Signal,
    breach,
    ensemble,
    judged,
    per_token,
    phrases,
    scored,
    unstopped,
)

__all__ = [
    "FORCE",
    "Budget",
    "Columns",
    "Constraint",
    "Force",
    "Groups",
    "Judge",
    "Lagrangian",
    "Nash",
    "Pid",
    "Preference",
    "Signal",
    "breach",
    "ensemble",
    "impact",
    "judged",
    "on_one_scale",
    "per_token",
    "phrases",
    "scored",
    "standardised",
    "unstopped",
]
