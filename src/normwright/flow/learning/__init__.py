"""Training outside a project's run: one recipe, a model and a file of rows."""

from normwright.flow.learning.job import Job, Made
from normwright.flow.learning.recipes import RECIPES, Trainable
from normwright.flow.learning.training import RUN_CARD, Learned, learned, learned_of

__all__ = [
    "RECIPES",
    "RUN_CARD",
    "Job",
    "Learned",
    "Made",
    "Trainable",
    "learned",
    "learned_of",
]
