"""The stages as steps: what each takes from the ones before, what it makes, which code it runs.

Nothing heavy is imported here; a step imports its stage when it runs, so that a run in which every
step is skipped opens neither torch nor scikit-learn.
"""

from normwright.flow.stages.asked import open_remote, tested
from normwright.flow.stages.decision import check_split
from normwright.flow.stages.evidence import TRAINED, open_guarded
from normwright.flow.stages.permits import no_charter
from normwright.flow.stages.plan import steps
from normwright.flow.stages.plugged import check_plugins

__all__ = [
    "TRAINED",
    "check_plugins",
    "check_split",
    "no_charter",
    "open_guarded",
    "open_remote",
    "steps",
    "tested",
]
