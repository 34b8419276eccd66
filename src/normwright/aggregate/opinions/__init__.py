"""Opinion groups, if the votes hold any: a map, groups, what speaks for them, and consensus."""

from normwright.aggregate.opinions.analysis import (
    PIPELINES,
    Analysis,
    Candidate,
    Pipeline,
    Standing,
    opinion_analysis,
)

__all__ = [
    "PIPELINES",
    "Analysis",
    "Candidate",
    "Pipeline",
    "Standing",
    "opinion_analysis",
]
