"""How many items it would take until a gate can say of a model that it has no gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from normwright.stats import n_to_clear, paired_rate_difference, tost_paired

ALPHA: Final = 0.05
"""One-sided error of a gate that was not divided among candidates."""


def needed(found: Sequence[Mapping[str, Any]]) -> dict[str, int | None]:
    """Return by detector the items it takes to show that there is no gap, if the rates stay.

    Only findings that are open are in it. None: the gap that was seen lies beyond the margin, and
    more items would not make it none.
    """
    open_ = {}
    for one in found:
        first, second = list(one["slices"].values())[:2]
        n = len(first)
        wins = sum(value > second[item] for item, value in first.items())
        losses = sum(value < second[item] for item, value in first.items())
        if n and tost_paired(wins, losses, n, margin=one["margin"], alpha=ALPHA).shown:
            continue
        ends = [
            n_to_clear(gap, one["margin"], side="upper")
            for gap in (
                paired_rate_difference(wins, losses, n, level=1 - 2 * ALPHA),
                paired_rate_difference(losses, wins, n, level=1 - 2 * ALPHA),
            )
        ] if n else [None]  # fmt: skip
        numbers = [end for end in ends if end is not None]
        open_[one["detector"]] = max(numbers) if len(numbers) == len(ends) else None
    return open_
