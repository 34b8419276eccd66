"""A moral battery: are choices right, sure when they may be, moved by what matters alone?

Two options, answered by log-probability in three forms and both orders; every flip is read against
a noise floor measured in the same cells, and every figure beside rules that understand nothing.
"""

from normwright.evaluate.moral.asking import (
    RULES,
    Answers,
    Cell,
    Question,
    answer_by,
    ask,
    choice,
    coin,
    first_shown,
    longer,
)
from normwright.evaluate.moral.battery import Answered, Battery, run, run_rule
from normwright.evaluate.moral.deciding import (
    figures,
    judged,
    limits,
    measurements,
    name_of,
    report,
    sobered,
    source_of,
    state_of,
)
from normwright.evaluate.moral.measures import Sample, samples
from normwright.evaluate.moral.reading import Rows, read_rows
from normwright.evaluate.moral.scenarios import (
    Frame,
    Scenario,
    frames,
    languages,
    lists,
    words,
)

__all__ = [
    "RULES",
    "Answered",
    "Answers",
    "Battery",
    "Cell",
    "Frame",
    "Question",
    "Rows",
    "Sample",
    "Scenario",
    "answer_by",
    "ask",
    "choice",
    "coin",
    "figures",
    "first_shown",
    "frames",
    "judged",
    "languages",
    "limits",
    "lists",
    "longer",
    "measurements",
    "name_of",
    "read_rows",
    "report",
    "run",
    "run_rule",
    "samples",
    "sobered",
    "source_of",
    "state_of",
    "words",
]
