"""Cases without limit, decided by the resolver: to learn from, to compare, to evaluate with.

```python
for case in cases(charter, seed=1, count=10_000):
    for item in items(case):
        ...
```
"""

from normwright.charter.drawing.drawing import VERDICTS, Drawing, DrawnCase, cases
from normwright.charter.drawing.reading import Reader
from normwright.charter.drawing.rows import (
    as_text,
    demonstrations,
    instruction,
    items,
    preference_pairs,
    read_answer,
)
from normwright.charter.drawing.scoring import score
from normwright.charter.drawing.wordings import worded

__all__ = [
    "VERDICTS",
    "Drawing",
    "DrawnCase",
    "Reader",
    "as_text",
    "cases",
    "demonstrations",
    "instruction",
    "items",
    "preference_pairs",
    "read_answer",
    "score",
    "worded",
]
