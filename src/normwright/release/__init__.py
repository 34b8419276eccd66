"""Decides, per release mode, whether a model may go out, and writes the case for it.

Criteria and evidence in, a verdict and a safety case out. The gate has three values per criterion
(pass, fail, inconclusive) beside `missing`, exact bounds, and controls that must not pass.
"""

from normwright.release.arguing import argue, node_text, open_points
from normwright.release.case import defeaters, safety_case
from normwright.release.criteria import Rule, kinds, rule
from normwright.release.criteria.predicate import PREDICATES
from normwright.release.deciding import decide, permit_criterion
from normwright.release.evidence import (
    CANDIDATE,
    SUITES,
    Evidence,
    Found,
    Missing,
    failed_units,
    need,
    unit_words,
)
from normwright.release.monitoring import monitor
from normwright.release.notations import gsn2x, tea
from normwright.release.reading import Control, Criteria, Mode, read_criteria
from normwright.release.simulating import Simulated, simulate
from normwright.release.wording import Form, Number, Said, given, number, spoken

__all__ = [
    "CANDIDATE",
    "PREDICATES",
    "SUITES",
    "Control",
    "Criteria",
    "Evidence",
    "Form",
    "Found",
    "Missing",
    "Mode",
    "Number",
    "Rule",
    "Said",
    "Simulated",
    "argue",
    "decide",
    "defeaters",
    "failed_units",
    "given",
    "gsn2x",
    "kinds",
    "monitor",
    "need",
    "node_text",
    "number",
    "open_points",
    "permit_criterion",
    "read_criteria",
    "rule",
    "safety_case",
    "simulate",
    "spoken",
    "tea",
    "unit_words",
]
