"""From outcomes to norms that hold: read the drafts, ratify them by rule, enact them as a policy.

```python
source = read_source(directory, languages=("en", "pt"))
charter = ratify(source, outcomes, process=process, statements=statements, charter_id="town",
                 languages=("en", "pt"), on=today)
policy = enact(charter, outcomes, deployment={"polities": ["vila-clara"], "organisation": "hall"})
```

What looks a charter over, changes it or asks leave for it loads more and is loaded when it is first
asked for: `lint`, `diff`, `as_of`, `permit`. Cases without limit are drawn by `charter.drawing`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from normwright.charter.amending import as_of, diff
    from normwright.charter.linting import lint
    from normwright.charter.permitting import permit

_LATER = {"as_of": "amending", "diff": "amending", "lint": "linting", "permit": "permitting"}

__all__ = [
    "AMENDMENT",
    "LAYER_LIMIT",
    "LEVEL_CAP",
    "Asked",
    "CaseResult",
    "CharterCheck",
    "CharterSource",
    "Draft",
    "as_of",
    "assembled",
    "check",
    "check_source",
    "conflicts",
    "coverage",
    "criterion_holes",
    "deployment_of",
    "diff",
    "dissent",
    "dissent_in",
    "draft",
    "edited",
    "enact",
    "files_of",
    "level_of",
    "lint",
    "minority_report",
    "objections",
    "permit",
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


def __getattr__(name: str) -> Any:
    """Load a verb of an inner room when it is first asked for, so that a check starts at once."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
