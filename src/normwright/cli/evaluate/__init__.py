"""`normwright evaluate`: what a model does, with intervals and beside what needs no model."""

from normwright.cli.evaluate import compare, degeneracy, human, moral, run
from normwright.cli.evaluate.group import app

__all__ = ["app", "compare", "degeneracy", "human", "moral", "run"]
from normwright.cli.evaluate import locate, pareto, power, tax

__all__ = ["app", "compare", "degeneracy", "human", "locate", "pareto", "power", "run", "tax"]
