"""The groups of Polis: k-means on the map in two steps, the number of groups by silhouette.

What cannot be replayed: the live engine starts each computation from its last one, keeps anybody
once they were in, and changes the number of groups only after four equal verdicts in a row. All
that depends on when it happened to run, which an export does not tell. Here every computation
starts afresh from seeded starts, so that the same votes and seed give the same groups.

Maps, counts, tests, consensus and statements equal those of red-dwarf for given groups, but: the
map is that of people with enough votes (red-dwarf draws it of all, then leaves out who has few);
people are first put into base clusters, as in Polis, which red-dwarf does not do; and a group none
of whose statements stands out in agreement keeps its disagreements.
"""

from __future__ import annotations

import numpy as np

from normwright.aggregate.opinions.cells import Floats, Ints
from normwright.aggregate.opinions.splitting import kmeans, silhouette, squares

BASE = 100
"""Clusters that people are first put into; as many as there are people where there are fewer."""
MAX_GROUPS = 5
_STARTS = 60
_BASE_TURNS = 25
"""Turns of k-means for base clusters at most: they only stand for the people near them."""


def base_clusters(points: Floats, rng: np.random.Generator) -> tuple[Ints, Floats, Floats]:
    """Return each person's base cluster, and the centres and sizes of the base clusters."""
    distinct, labels = np.unique(points, axis=0, return_inverse=True)
    labels = labels.reshape(-1)
    if len(distinct) > BASE:
        _, labels = np.unique(
            kmeans(points, BASE, rng, starts=1, turns=_BASE_TURNS), return_inverse=True
        )
    sizes = np.bincount(labels).astype(np.float64)
    sums = [np.bincount(labels, points[:, d]) for d in range(points.shape[1])]
    return labels, np.stack(sums, axis=1) / sizes[:, None], sizes


def split(points: Floats, rng: np.random.Generator, *, starts: int = _STARTS) -> tuple[Ints, float]:
    """Return the group of each point and the silhouette of the split; one group where none is.

    k is at most 5, and at most 2 and one more for every twelve base clusters. The silhouette is
    that of the base clusters, each counting once.
    """
    base, centres, sizes = base_clusters(points, rng)
    distances = np.sqrt(squares(centres, centres))
    best, score = np.zeros(len(points), dtype=np.int64), -1.0
    # Two places where everybody stands are two groups, although neither has an inside to compare.
    most = min(MAX_GROUPS, 2 + len(centres) // 12, max(2, len(centres) - 1))
    for k in range(2, most + 1 if len(centres) > 1 else 0):
        labels = kmeans(centres, k, rng, starts=starts, weights=sizes)
        found = silhouette(distances, labels, k)
        if found > score:
            best, score = labels[base], found
    return best, score
