"""Opinion groups, if the votes hold any: a map, groups, what speaks for them, and consensus."""

from normwright.aggregate.opinions.analysis import (
    Analysis,
    Candidate,
    Pipeline,
    Standing,
    opinion_analysis,
)

__all__ = ["Analysis", "Candidate", "Pipeline", "Standing", "opinion_analysis"]
