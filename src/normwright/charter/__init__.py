"""From outcomes to norms that hold: read the drafts, ratify them by rule, enact them as a policy.

```python
source = read_source(directory, languages=("en", "pt"))
charter = ratify(source, outcomes, process=process, statements=statements, charter_id="town",
                 languages=("en", "pt"), on=today)
policy = enact(charter, outcomes, deployment={"polities": ["vila-clara"], "organisation": "hall"})
```
"""

from normwright.charter.assembling import assembled
from normwright.charter.cases import CaseResult, run_cases
from normwright.charter.checking import CharterCheck, check_source
from normwright.charter.conflicts import conflicts
from normwright.charter.dissenting import dissent, dissent_in, minority_report
from normwright.charter.drafting import AMENDMENT, Draft, draft, unwritten, write_drafts
from normwright.charter.enacting import (
    LAYER_LIMIT,
    coverage,
    criterion_holes,
    deployment_of,
    edited,
    enact,
    files_of,
    read_deployment,
    with_files,
)
from normwright.charter.invariants import check
from normwright.charter.questions import question_families
from normwright.charter.ratifying import LEVEL_CAP, level_of, ratify
from normwright.charter.reading import CharterSource, read_norm, read_source, write_norm
from normwright.charter.readings import objections, result_of, rule_in_words, standing_of
from normwright.charter.shipped import seeds
from normwright.charter.situations import Asked, read_situations

__all__ = [
    "AMENDMENT",
    "LAYER_LIMIT",
    "LEVEL_CAP",
    "Asked",
    "CaseResult",
    "CharterCheck",
    "CharterSource",
    "Draft",
    "assembled",
    "check",
    "check_source",
    "conflicts",
    "coverage",
    "criterion_holes",
    "deployment_of",
    "dissent",
    "dissent_in",
    "draft",
    "edited",
    "enact",
    "files_of",
    "level_of",
    "minority_report",
    "objections",
    "question_families",
    "ratify",
    "read_deployment",
    "read_norm",
    "read_situations",
    "read_source",
    "result_of",
    "rule_in_words",
    "run_cases",
    "seeds",
    "standing_of",
    "unwritten",
    "with_files",
    "write_drafts",
    "write_norm",
]
