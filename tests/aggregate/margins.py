"""Margins of majorities that tests are made of."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import NDArray
from tests.aggregate.elections import election_of_pairs

from normwright.aggregate import Election

NAMES = "abcdefgh"
Margins = NDArray[np.int64]


def margins_from(text: str) -> Margins:
    """Margins of lines such as `a b 3`: a beats b by 3; names sorted."""
    rows = [line.split() for line in text.strip().splitlines()]
    names = sorted({name for row in rows for name in row[:2]})
    made = np.zeros((len(names), len(names)), dtype=np.int64)
    for winner, loser, size in rows:
        made[names.index(winner), names.index(loser)] = int(size)
    return made - made.T


def election_of_margins(margins: Margins) -> Election:
    """An election with these margins: on each pair nobody else says anything."""
    m = len(margins)
    names = NAMES[:m] if m <= len(NAMES) else [f"a{i:03}" for i in range(m)]
    voters = int(np.abs(margins).max(initial=0)) + 1
    return election_of_pairs(np.maximum(margins, 0), names, voters)


@st.composite
def margins(draw: DrawFn, *, least: int = 1, most: int = 6, largest: int = 3) -> Margins:
    """Margins with many ties; every such matrix belongs to some ballots (McGarvey, Debord)."""
    m = draw(st.integers(least, most))
    size = draw(st.integers(0, largest))
    values = st.lists(st.integers(-size, size), min_size=m * m, max_size=m * m)
    upper = np.triu(np.array(draw(values), dtype=np.int64).reshape(m, m), 1)
    return upper - upper.T


@st.composite
def uneven_margins(draw: DrawFn, *, least: int = 2, most: int = 6) -> Margins:
    """Margins no two of which are equal, and none 0."""
    m = draw(st.integers(least, most))
    pairs = m * (m - 1) // 2
    sizes = draw(st.permutations(range(1, pairs + 1)))
    signs = draw(st.lists(st.sampled_from([-1, 1]), min_size=pairs, max_size=pairs))
    upper = np.zeros((m, m), dtype=np.int64)
    upper[np.triu_indices(m, 1)] = np.array(sizes) * np.array(signs)
    return upper - upper.T
