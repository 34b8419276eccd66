"""Model organisms: plans drawn from a seed, models trained from them, and what detectors find."""

from normwright.flow.organisms.candidate import Examined, examination, examined
from normwright.flow.organisms.needing import needed
from normwright.flow.organisms.plans import (
    DEVELOPMENT,
    detector_digest,
    evaluation_seed,
    every_plan,
    plans,
)
from normwright.flow.organisms.running import again_rows, look_again, raise_organisms, rows_of
from normwright.flow.organisms.summing import Tally, raised, tallies

__all__ = [
    "DEVELOPMENT",
    "Examined",
    "Tally",
    "again_rows",
    "detector_digest",
    "evaluation_seed",
    "every_plan",
    "examination",
    "examined",
    "look_again",
    "needed",
    "plans",
    "raise_organisms",
    "raised",
    "rows_of",
    "tallies",
]
