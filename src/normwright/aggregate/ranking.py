"""Rank alternatives by any method, by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from normwright import plugins
from normwright.aggregate.methods import Method, borda, schulze
from normwright.records import Ranking

BUILT_IN = (borda, schulze)
"""The modules whose import registers the methods that ship with the package."""


def rank(
    wins: NDArray[np.int64], alternatives: Sequence[str], *, voters: int, method: str
) -> Ranking:
    """Return the ranking of alternatives by one method, ties kept.

    Args:
        wins: shape (m, m), voters who put alternative i above j.
        alternatives: names, in the order of the matrix.
        voters: number of ballots.
        method: slug of the method.

    Raises:
        PluginError: if there is no such method, naming those there are.
    """
    ranked_by: Method = plugins.get("methods", method)
    order = ranked_by(wins, voters)
    return Ranking(
        method=method,
        tiers=tuple(tuple(sorted(alternatives[i] for i in tier)) for tier in order.tiers),
        scores={a: float(s) for a, s in zip(alternatives, order.scores, strict=True)},
    )
