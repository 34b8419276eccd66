"""What speaks for groups: do they repeat, do they beat chance, is there a gap between them?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from normwright.aggregate.opinions.cells import Cells, Floats, Ints
from normwright.aggregate.opinions.gap import dip_p
from normwright.aggregate.opinions.mixture import of_labels, placed
from normwright.aggregate.opinions.plane import plane
from normwright.aggregate.opinions.splitting import kmeans
from normwright.stats import adjusted_rand

Splits = Callable[[Cells, np.random.Generator], Sequence[Ints]]
"""Splits some people in one or several ways, each as labels, always in the same sequence."""

KEPT = 0.8
"""Share of people in each subsample."""
PERMUTATIONS = 99


@dataclass(frozen=True, eq=False)
class Repeats:
    """How alike splits of subsamples are to the split of all."""

    agreement: Floats
    """Adjusted Rand index of each subsample and split, shape (rounds, splits)."""
    together: Sequence[Floats] | None
    """For each split how often two people are put together, of the rounds that hold both."""


def repeats(
    cells: Cells,
    splits: Splits,
    found: Sequence[Ints],
    rng: np.random.Generator,
    *,
    rounds: int,
    matrix: bool = False,
    tick: Callable[[], None] = lambda: None,
) -> Repeats:
    """Return how well splits survive leaving a fifth of the people out.

    Args:
        cells: votes of all people.
        splits: how people are split.
        found: the splits of all people, in the sequence of `splits`.
        rng: source of subsamples and starts.
        rounds: number of subsamples.
        matrix: whether to count how often two people are together, which is people squared.
        tick: called after each round.
    """
    size = round(KEPT * cells.people)
    agreement = np.zeros((rounds, len(found)))
    both = np.zeros((cells.people, cells.people) if matrix else (0, 0))
    alike = [both.copy() for _ in found]
    for i in range(rounds):
        some = np.sort(rng.choice(cells.people, size, replace=False))
        fewer = cells.only(some)
        # A subsample in which nobody differs agrees with the groups no better than chance: 0.
        others = splits(fewer, rng) if fewer.varies() else []
        for which, labels in enumerate(others):
            agreement[i, which] = adjusted_rand(found[which][some], labels)
            if matrix:
                alike[which][np.ix_(some, some)] += labels[:, None] == labels
        if matrix and len(others):
            both[np.ix_(some, some)] += 1
        tick()
    shares = [each / np.maximum(both, 1) for each in alike]
    return Repeats(agreement, shares if matrix else None)


def explained(cells: Cells, labels: Ints, k: int) -> float:
    """Return the share of the variation of all votes that lies between the groups."""
    centred = cells.centred.data
    block = labels[cells.rows] * cells.statements + cells.columns
    sums = np.bincount(block, centred, k * cells.statements)
    count = np.bincount(block, minlength=k * cells.statements)
    return float((sums**2 / np.maximum(count, 1)).sum() / (centred**2).sum())


def chance(
    cells: Cells, k: int, rng: np.random.Generator, *, tick: Callable[[], None] = lambda: None
) -> float:
    """Return the p-value of k groups on the map against votes that know nothing of each other.

    Each statement's votes are permuted among those who voted on it, so that its tally and the
    pattern of who saw what stay, and everything that ties statements together goes. The statistic
    is the share of all variation between k groups of k-means on the map, found anew each time.
    """

    def statistic(votes: Cells) -> float:
        labels = kmeans(plane(votes).points, k, rng, starts=6)
        return explained(votes, labels, k)

    observed = statistic(cells)
    as_good = 0
    for _ in range(PERMUTATIONS):
        as_good += statistic(cells.shuffled(rng)) >= observed
        tick()
    return (as_good + 1) / (PERMUTATIONS + 1)


def gaps(
    cells: Cells, splits: Splits, found: Sequence[Ints], rng: np.random.Generator
) -> list[float]:
    """Return for each split the p-value that between some two of its groups there is no gap.

    Each half of the people is split without the other, whose people are then placed on the line
    from group to group by votes that had no part in drawing it: groups that were cut to fit look
    apart to themselves. Of the pairs of groups the least separate counts.
    """
    order = rng.permutation(cells.people)
    halves = [np.sort(order[::2]), np.sort(order[1::2])]
    ks = [int(labels.max()) + 1 for labels in found]
    seats = [np.zeros(cells.people, dtype=np.int64) for _ in found]
    lines = [np.zeros((cells.people, k, k)) for k in ks]
    for mine, theirs in (halves, halves[::-1]):
        some, others = cells.only(mine), cells.only(theirs)
        fresh = (
            splits(some, rng) if some.varies() else [np.zeros(len(mine), dtype=np.int64)] * len(ks)
        )
        for which, labels in enumerate(fresh):
            named = _matched(labels, found[which][mine], ks[which])
            groups = of_labels(some, named, ks[which])
            seats[which][theirs] = placed(others, groups).argmax(axis=1)
            lines[which][theirs] = _positions(others, groups.shares)
    return [_least(seats[w], lines[w], k) for w, k in enumerate(ks)]


def _matched(labels: Ints, known: Ints, k: int) -> Ints:
    """Labels renamed after the groups that they share most people with; others join the first."""
    from scipy.optimize import linear_sum_assignment

    size = max(k, int(labels.max()) + 1)
    table = np.zeros((size, size))
    np.add.at(table, (labels, known), 1)
    rows, columns = linear_sum_assignment(-table)
    names = np.zeros(size, dtype=np.int64)
    names[rows] = np.where(columns < k, columns, table[rows].argmax(axis=1))
    return names[labels]


def _positions(cells: Cells, shares: Floats) -> Floats:
    """Where people stand between any two groups: 1 in the middle of the first, 0 of the second.

    Votes weighed by how far apart the groups' odds of agreeing to disagreeing are, on statements
    that a person saw, so that few votes are no position of their own. Odds, because shares pile up
    at their ends, and a spectrum in shares would look like camps. A pass stands in the middle: how
    often a half of the people pass is known too badly to be weighed.
    """
    against, _, for_it = shares.reshape(-1, 3, shares.shape[1]).transpose(1, 0, 2)
    odds, means = np.log(for_it / against), for_it - against
    k = shares.shape[1]
    lines = np.zeros((cells.people, k, k))
    for a in range(k):
        for b in range(a):
            apart = odds[:, a] - odds[:, b]
            ends = means[:, [a, b]] * apart[:, None]
            reach = np.stack(
                [np.bincount(cells.rows, ends[cells.columns, i], cells.people) for i in (0, 1)]
            )
            span = np.maximum(reach[0] - reach[1], 1e-12)
            stands = np.bincount(cells.rows, cells.values * apart[cells.columns], cells.people)
            lines[:, a, b] = (stands - reach[1]) / span
    return lines


def _least(seats: Ints, lines: Floats, k: int) -> float:
    worst = 0.0
    for a in range(k):
        for b in range(a):
            either = (seats == a) | (seats == b)
            worst = max(worst, dip_p(lines[either, a, b]))
    return worst
