"""Whether people stand in camps with a gap between them, or are spread along a line.

Any cloud can be cut in two, and a long one is cut alike again and again: a split that repeats is
no evidence of a gap. The dip test asks for one: how far is the distribution of people, along the
line from one group to the other, from the nearest distribution with a single peak (Hartigan and
Hartigan, "The Dip Test of Unimodality", Annals of Statistics 13, 1985)?
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from normwright.aggregate.opinions.cells import Floats

LEVELS = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.001)
"""Chances of the dips in `CRITICAL`."""
CRITICAL = {
    20: (0.328, 0.396, 0.435, 0.469, 0.510, 0.537, 0.564, 0.612),
    50: (0.346, 0.416, 0.459, 0.497, 0.540, 0.570, 0.595, 0.665),
    100: (0.355, 0.427, 0.472, 0.511, 0.556, 0.591, 0.622, 0.696),
    200: (0.360, 0.436, 0.478, 0.520, 0.570, 0.604, 0.633, 0.695),
    500: (0.368, 0.444, 0.492, 0.530, 0.581, 0.613, 0.654, 0.741),
    1000: (0.371, 0.448, 0.496, 0.535, 0.584, 0.623, 0.655, 0.706),
    2000: (0.374, 0.450, 0.500, 0.546, 0.598, 0.622, 0.657, 0.713),
}
"""Dip times the square root of n that a uniform sample of n exceeds with each chance."""


def dip(values: ArrayLike) -> float:
    """Return the dip of a sample: its distance from the nearest distribution with one peak.

    Greatest difference between the two distribution functions; 1 / (2n) at least, 1/4 at most.

    Args:
        values: shape (n,), n >= 1.
    """
    x = np.sort(np.asarray(values, dtype=np.float64))
    low, high = 0, len(x) - 1
    if x[low] == x[high]:
        return 0.5 / len(x)
    widest = 1.0
    while True:
        # Convex below and concave above: what one peak allows on either side of it.
        convex, concave = _hull(x, low, high, 1), _hull(x, low, high, -1)
        corners = np.union1d(convex, concave)
        above = np.interp(x[corners], x[concave], concave + 1.0)
        gap = above - np.interp(x[corners], x[convex], convex.astype(np.float64))
        place = int(gap.argmax())
        if gap[place] <= widest:
            break
        middle = corners[place]
        first = convex[np.searchsorted(convex, middle, side="right") - 1]
        last = concave[np.searchsorted(concave, middle)]
        left, right = np.arange(low, first + 1), np.arange(last, high + 1)
        under = left + 1 - np.interp(x[left], x[convex], convex.astype(np.float64))
        over = np.interp(x[right], x[concave], concave + 1.0) - right
        widest = max(widest, float(under.max()), float(over.max()))
        if (first, last) == (low, high):
            break
        low, high = int(first), int(last)
    return widest / (2 * len(x))


def dip_p(values: ArrayLike) -> float:
    """Return the chance of such a dip where people are spread evenly, the hardest single peak.

    Interpolated between simulated quantiles; chances below the smallest of `LEVELS` are given as
    that one, and those above the largest as 1.
    """
    n = np.asarray(values).size
    if n < min(CRITICAL):
        return 1.0
    sizes = sorted(CRITICAL)
    scaled = dip(values) * math.sqrt(n)
    critical = [np.interp(n, sizes, [CRITICAL[s][i] for s in sizes]) for i in range(len(LEVELS))]
    if scaled < critical[0]:
        return 1.0
    if scaled >= critical[-1]:
        return LEVELS[-1]
    return float(np.exp(np.interp(scaled, critical, np.log(LEVELS))))


def _hull(
    x: Floats, low: int, high: int, side: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Corners of the greatest convex minorant (side 1) or least concave majorant (-1) of ranks."""
    places = x[low : high + 1].tolist()
    corners: list[int] = []
    for i, here in enumerate(places):
        while len(corners) > 1:
            a, b = corners[-2], corners[-1]
            if side * ((b - a) * (here - places[a]) - (i - a) * (places[b] - places[a])) < 0:
                break
            corners.pop()
        corners.append(i)
    return np.array(corners, dtype=np.int64) + low
