"""Opinion groups, if the votes hold any: a map, groups, what speaks for them, and consensus."""

from normwright.aggregate.opinions.analysis import (
    PIPELINES,
    Agreed,
    Analysis,
    Candidate,
    Pipeline,
    opinion_analysis,
)

__all__ = [
    "PIPELINES",
    "Agreed",
    "Analysis",
    "Candidate",
    "Pipeline",
    "opinion_analysis",
]
