"""The graph of majorities: who beats whom by how much, on what paths, in what parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def strongest_paths(links: Ints) -> Ints:
    """Return the strength of the strongest path between any two, shape (m, m); O(m^3).

    A path is as strong as its weakest link.

    Args:
        links: strength of each link, 0 where there is none, shape (m, m).
    """
    strength = links.copy()
    for k in range(len(links)):
        through = np.minimum(strength[:, k, None], strength[None, k, :])
        np.maximum(strength, through, out=strength)
    return strength


def levels(margins: Ints) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Yield each margin of victory, the largest first, with all the pairs that have it."""
    above, below = np.nonzero(margins > 0)
    sizes = margins[above, below]
    order = np.argsort(-sizes, kind="stable")
    ends = np.flatnonzero(np.diff(sizes[order])) + 1
    for part in np.split(order, ends):
        if part.size:
            pairs = zip(above[part].tolist(), below[part].tolist(), strict=True)
            yield int(sizes[part[0]]), list(pairs)


def unbeaten(beats: NDArray[np.bool_]) -> list[int]:
    """Return who is beaten by nobody."""
    return [int(i) for i in np.flatnonzero(~beats.any(axis=0))]


def by_layers(beats: NDArray[np.bool_]) -> tuple[tuple[int, ...], ...]:
    """Return tiers: the unbeaten, then who is beaten by those only, and so on.

    Args:
        beats: a relation without cycles, shape (m, m).
    """
    left = np.arange(len(beats))
    tiers = []
    while left.size:
        top = left[unbeaten(beats[np.ix_(left, left)])]
        tiers.append(tuple(top.tolist()))
        left = np.setdiff1d(left, top, assume_unique=True)
    return tuple(tiers)


def by_removal(
    alternatives: int, winners: Callable[[Sequence[int]], Sequence[int]]
) -> tuple[tuple[int, ...], ...]:
    """Return tiers: the winners, then who wins among the rest, and so on.

    Args:
        alternatives: how many there are.
        winners: who wins among some of them, given by number in rising order.
    """
    left = list(range(alternatives))
    tiers = []
    while left:
        top = set(winners(left))
        tiers.append(tuple(sorted(top)))
        left = [i for i in left if i not in top]
    return tuple(tiers)


def condorcet_winner(margins: Ints) -> int | None:
    """Return the alternative that beats every other, or None; margins of shape (m, m)."""
    ahead = np.flatnonzero((margins > 0).sum(axis=1) == len(margins) - 1)
    return int(ahead[0]) if len(ahead) and len(margins) else None


def smith_set(margins: Ints) -> tuple[int, ...]:
    """Return the smallest set whose members each beat everything outside it, by number.

    O(m^2). Without alternatives it is empty.
    """
    layers = smith_layers(margins)
    return tuple(layers[0]) if layers else ()


def smith_layers(margins: Ints) -> list[list[int]]:
    """Return the parts each of which beats all that comes later, pair by pair; as many as can be.

    The first is the Smith set. O(m^2).
    """
    if not len(margins):
        return []
    # Whoever is in an earlier part beats or ties strictly more than whoever is in a later one.
    order = np.argsort(-np.sign(margins).sum(axis=1), kind="stable")
    unbeaten = margins[np.ix_(order, order)] >= 0
    # The last place that holds out against each, and against any of those before: a part ends
    # where nobody after it does.
    last = len(order) - 1 - np.argmax(unbeaten[::-1], axis=0)
    ends = np.flatnonzero(np.maximum.accumulate(last) == np.arange(len(order)))
    return [sorted(part.tolist()) for part in np.split(order, ends[:-1] + 1)]


class Locked:
    """Defeats that were locked in, and who is thereby above whom; it never holds a cycle."""

    def __init__(self, alternatives: int) -> None:
        self.above = np.zeros((alternatives, alternatives), dtype=bool)
        """Who is above whom by one or more defeats."""
        self.beaten = np.zeros(alternatives, dtype=bool)
        """Who has lost a defeat that was locked in."""

    def lock(self, level: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Lock the defeats of one margin and return those that only their equals contradict.

        A defeat that closes a cycle with those locked before is dropped, as always. Of the others,
        those that stand in a cycle of each other (and of what was locked before) are dropped
        together, since no order among equals is given; they are returned.
        """
        open_ = [(i, j) for i, j in level if not self.above[j, i]]
        if len(open_) > 1:
            trial = self.above.copy()
            for i, j in open_:
                _add(trial, i, j)
            kept = [(i, j) for i, j in open_ if not trial[j, i]]
        else:
            kept = open_
        for i, j in kept:
            _add(self.above, i, j)
            self.beaten[j] = True
        return sorted(set(open_) - set(kept))


def _add(above: NDArray[np.bool_], i: int, j: int) -> None:
    """Put i above j, and so all that is above i above all that is below j."""
    if not above[i, j]:
        upper, lower = above[:, i].copy(), above[j].copy()
        upper[i] = lower[j] = True
        above |= upper[:, None] & lower[None, :]
