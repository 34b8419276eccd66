"""Rank alternatives by any method, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.methods import Method
from normwright.aggregate.methods.borda import borda
from normwright.aggregate.methods.schulze import schulze
from normwright.records import PluginError, Ranking

METHODS: Mapping[str, Method] = {"borda": borda, "schulze": schulze}
"""Ranking methods by slug."""


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
        PluginError: if there is no such method.
    """
    if method not in METHODS:
        raise PluginError(f"no ranking method {method!r}; there are {', '.join(sorted(METHODS))}")
    order = METHODS[method](wins, voters)
    return Ranking(
        method=method,
        tiers=tuple(tuple(sorted(alternatives[i] for i in tier)) for tier in order.tiers),
        scores={a: float(s) for a, s in zip(alternatives, order.scores, strict=True)},
    )
