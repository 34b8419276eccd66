"""Training outside a project's run: one recipe, a model and a file of rows."""

from normwright.flow.learning.job import Job, Made
from normwright.flow.learning.launching import Allowed
from normwright.flow.learning.recipes import RECIPES, Trainable
from normwright.flow.learning.training import Learned, learned, learned_of
from normwright.flow.learning.withdrawn import unlearned_of
from normwright.flow.run_card import RUN_CARD

__all__ = [
    "RECIPES",
    "RUN_CARD",
    "Allowed",
    "Job",
    "Learned",
    "Made",
    "Trainable",
    "learned",
    "learned_of",
    "unlearned_of",
]
