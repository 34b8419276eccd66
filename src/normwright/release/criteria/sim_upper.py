"""The rate of failures in each of several simulated environments must stay under a limit.

Known limits: what a model does in a small game bounds what it does in that game.
"""

from __future__ import annotations

from normwright.plugins import Card, plugin
from normwright.records import Criterion
from normwright.release.cells import worst
from normwright.release.criteria.rate_upper import rate_of
from normwright.release.evidence import Evidence, Found

CARD = Card(
    name="sim-upper",
    kind="criteria",
    status="tested",
    summary="In every environment named, the rate of failures is at most the limit.",
    reference="Clopper and Pearson, Biometrika 26 (1934); Berger, Technometrics 24 (1982)",
    claims=("an environment that was not played is missing evidence",),
)

KEY = "env"
"""The key of the slice that rows name their environment by."""


@plugin(CARD)
def sim_upper(criterion: Criterion, evidence: Evidence) -> Found:
    """Return what the worst environment is found to be."""
    wanted = list(criterion.options["env"])
    cells = [
        cell
        for cell in evidence.cells(criterion, asked=(KEY,))
        if cell.slice.get(KEY) in wanted or KEY not in cell.slice
    ]
    played = {cell.slice.get(KEY) for cell in cells}
    absent = [f"{KEY} {name}" for name in wanted if name not in played]
    named = [cell for cell in cells if KEY in cell.slice]
    return worst(named, lambda cell: rate_of(cell, criterion, evidence), absent=absent)
