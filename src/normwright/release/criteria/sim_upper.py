"""The rate of failures in each of several simulated environments must stay under a limit.

Known limits: what a model does in a small game bounds what it does in that game.
"""

from __future__ import annotations

from normwright.plugins import Card, plugin
from normwright.records import Criterion, Measurement
from normwright.release.cells import over_languages, part_words, worst
from normwright.release.criteria.rate_upper import rate_of
from normwright.release.evidence import Evidence, Found, Missing
from normwright.release.wording import Said

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

    def in_one(cells: tuple[Measurement, ...]) -> Found:
        played = [cell for cell in cells if cell.slice.get(KEY) in wanted]
        seen = {cell.slice[KEY] for cell in played}
        absent = [f"{KEY} {name}" for name in wanted if name not in seen]
        if not played:
            digests = tuple(cell.digest for cell in cells)
            raise Missing(Said("missing.cells", {"cells": ", ".join(absent)}), digests)
        return worst(
            played, lambda cell: rate_of(cell, criterion, evidence), part_words, absent=absent
        )

    return over_languages(evidence.cells(criterion, asked=(KEY,)), in_one)
