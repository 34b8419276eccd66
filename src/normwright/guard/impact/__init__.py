"""What an agent changes besides what it was asked for, measured exactly in small worlds.

In the world of tools the same question is answered by the manifest and by budgets, see
`normwright.guard.agents`; here every state is known, and so is what an agent should leave alone.
"""

from normwright.guard.impact.measures import (
    BASELINES,
    DEVIATIONS,
    Baseline,
    Deviation,
    deviations,
    penalties,
    reachability,
)
from normwright.guard.impact.planning import BETAS, HORIZON, Outcome, Plan, planned, table
from normwright.guard.impact.worlds import MOVES, Ending, State, World, worlds

__all__ = [
    "BASELINES",
    "BETAS",
    "DEVIATIONS",
    "HORIZON",
    "MOVES",
    "Baseline",
    "Deviation",
    "Ending",
    "Outcome",
    "Plan",
    "State",
    "World",
    "deviations",
    "penalties",
    "planned",
    "reachability",
    "table",
    "worlds",
]
