"""The least number of units at which something holds that goes on holding with more of them."""

from __future__ import annotations

from collections.abc import Callable


def least(holds: Callable[[int], bool], maximum: int) -> int | None:
    """Return the least n from 1 at which it holds, or None; see `maximum`.

    The range is doubled until it holds, then halved: about 2 log2(n) calls.

    Args:
        holds: true from some n on.
        maximum: where no power of two up to it will do, nothing is returned.
    """
    high = 1
    while not holds(high):
        high *= 2
        if high > maximum:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
