"""Decides, per release mode, whether a model may go out, and writes the case for it.

Criteria and evidence in, a verdict and a safety case out. The gate has three values per criterion
(pass, fail, inconclusive) beside `missing`, exact bounds, and controls that must not pass.
"""

from normwright.release.arguing import argue, node_text, open_points
from normwright.release.case import safety_case
from normwright.release.criteria import Rule, kinds, rule
from normwright.release.criteria.predicate import PREDICATES
from normwright.release.deciding import decide, permit_criterion, worst_first
from normwright.release.doubts import defeaters, doubts_about, in_every_language
from normwright.release.evidence import (
    CANDIDATE,
    SUITES,
    Evidence,
    Expected,
    Found,
    Missing,
    failed_units,
    need,
    unit_words,
)
from normwright.release.filing import Filed, file_rows
from normwright.release.monitoring import monitor
from normwright.release.notations import gsn2x, outline, tea
from normwright.release.reading import (
    Control,
    Criteria,
    GivenJudge,
    Mode,
    criteria_in,
    criteria_text,
    read_criteria,
)
from normwright.release.rows import Folder, GivenRow, read_folder
from normwright.release.simulating import Simulated, simulate
from normwright.release.weakening import weaker
from normwright.release.wording import (
    Form,
    Number,
    Said,
    every_language,
    given,
    in_words,
    number,
    say,
    spoken,
)

__all__ = [
    "CANDIDATE",
    "PREDICATES",
    "SUITES",
    "Control",
    "Criteria",
    "Evidence",
    "Expected",
    "Filed",
    "Folder",
    "Form",
    "Found",
    "GivenJudge",
    "GivenRow",
    "Missing",
    "Mode",
    "Number",
    "Rule",
    "Said",
    "Simulated",
    "argue",
    "criteria_in",
    "criteria_text",
    "decide",
    "defeaters",
    "doubts_about",
    "every_language",
    "failed_units",
    "file_rows",
    "given",
    "gsn2x",
    "in_every_language",
    "in_words",
    "kinds",
    "monitor",
    "need",
    "node_text",
    "number",
    "open_points",
    "outline",
    "permit_criterion",
    "read_criteria",
    "read_folder",
    "rule",
    "safety_case",
    "say",
    "simulate",
    "spoken",
    "tea",
    "unit_words",
    "weaker",
    "worst_first",
]
