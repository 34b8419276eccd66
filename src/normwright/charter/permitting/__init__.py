"""Whether alignment is permissible at all: the necessary conditions, asked before any training.

```python
request = gather(charter, process=process, outcomes=outcomes, subject=subject, ...)
answer = permit(request, on=today)
```

The first source document names four assumptions and asks for permission besides; each has become
something that can be looked up. What intelligence is does not decide what it is for: `subject`.
Behaviour comes from intentions, and these from preferences over norms: `chain`, and `scale` for
what answers measure. Preferences are seen in past environments only: `freshness` and `coverage`.
Whether it may be done at all: `authority`, `consent`, `floors` and `minorities`.
"""

from normwright.charter.permitting.conditions import (
    LONGEST_DAYS,
    SERVES,
    WITHDRAWN_LIMIT,
    Point,
)
from normwright.charter.permitting.deciding import permit
from normwright.charter.permitting.gathering import floors_of, gather, scale_of
from normwright.charter.permitting.levels import modes_of, permitted, weakest

__all__ = [
    "LONGEST_DAYS",
    "SERVES",
    "WITHDRAWN_LIMIT",
    "Point",
    "floors_of",
    "gather",
    "modes_of",
    "permit",
    "permitted",
    "scale_of",
    "weakest",
]
