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
from normwright.charter.drafting import Draft, draft
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
from normwright.charter.ratifying import ratify
from normwright.charter.reading import CharterSource, read_norm, read_source, write_norm
from normwright.charter.shipped import seeds
from normwright.charter.situations import Asked, read_situations

__all__ = [
    "LAYER_LIMIT",
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
    "draft",
    "edited",
    "enact",
    "files_of",
    "question_families",
    "ratify",
    "read_deployment",
    "read_norm",
    "read_situations",
    "read_source",
    "run_cases",
    "seeds",
    "with_files",
    "write_norm",
]
