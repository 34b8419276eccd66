"""Three alternatives, many profiles at once: everything from how many gave each of the six orders.

With three alternatives a profile is six numbers, and what rules and paradoxes say of them is
arithmetic: millions of profiles take seconds. Tests hold every function against the methods and
the axioms themselves. The orders stand as in a dictionary: ABC, ACB, BAC, BCA, CAB, CBA.

Counts are whole numbers of shape (profiles, 6); up to 10^17 voters nothing overflows.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import Ints

Bools = NDArray[np.bool_]
ORDERS = tuple(permutations(range(3)))
"""The six orders, best first."""
_NUMBER = {order: number for number, order in enumerate(ORDERS)}
_FIRST = np.array([[order[0] == a for a in range(3)] for order in ORDERS], dtype=np.int64)
_LAST = np.array([[order[2] == a for a in range(3)] for order in ORDERS], dtype=np.int64)


def above(counts: Ints, one: int, other: int) -> Ints:
    """Return how many voters put one alternative above another, shape (profiles,)."""
    rows = [n for n, order in enumerate(ORDERS) if order.index(one) < order.index(other)]
    total: Ints = counts[:, rows].sum(axis=1)
    return total


def margin(counts: Ints, one: int, other: int) -> Ints:
    """Return how many more voters put one above another than below, shape (profiles,)."""
    return above(counts, one, other) - above(counts, other, one)


def condorcet(counts: Ints) -> Bools:
    """Return which alternative beats both others, shape (profiles, 3)."""
    beats = [[margin(counts, a, b) > 0 for b in range(3) if b != a] for a in range(3)]
    return np.stack([one & other for one, other in beats], axis=1)


def plurality(counts: Ints) -> Bools:
    """Return the winners by first places, shape (profiles, 3)."""
    firsts = counts @ _FIRST
    return _highest(firsts)


def antiplurality(counts: Ints) -> Bools:
    """Return the winners by fewest last places, shape (profiles, 3)."""
    return _highest(-(counts @ _LAST))


def borda(counts: Ints) -> Bools:
    """Return the winners by Borda's count, shape (profiles, 3)."""
    return _highest(counts @ (_FIRST - _LAST))


def irv(counts: Ints) -> Bools:
    """Return the winners by instant runoff, shape (profiles, 3), however ties are settled.

    With three alternatives it is plurality with a runoff too.
    """
    firsts = counts @ _FIRST
    lowest = _highest(-firsts)
    wins = np.zeros_like(lowest)
    for out in range(3):
        one, other = (a for a in range(3) if a != out)
        ahead = margin(counts, one, other)
        wins[:, one] |= lowest[:, out] & (ahead >= 0)
        wins[:, other] |= lowest[:, out] & (ahead <= 0)
    return wins


RULES: dict[str, Callable[[Ints], Bools]] = {
    "antiplurality": antiplurality,
    "borda": borda,
    "irv": irv,
    "plurality": plurality,
}
"""Winners by the slug of the method, shape (profiles, 3)."""


def manipulable(counts: Ints, rule: str) -> Bools:
    """Return where voters who prefer another to the only winner could make it the only winner.

    All who prefer it, and nobody else, may give whatever ballot they like, each their own; the
    others do not answer. It is a definition for large electorates: there is no smallest group.

    Args:
        counts: shape (profiles, 6).
        rule: `antiplurality`, `borda` or `plurality`.
    """
    winners = RULES[rule](counts)
    sole = winners & (winners.sum(axis=1, keepdims=True) == 1)
    could = _COULD[rule]
    found = np.zeros(len(counts), dtype=np.bool_)
    for winner, target, third in ORDERS:
        found |= sole[:, winner] & could(counts, winner, target, third)
    return found


def _plurality_could(counts: Ints, winner: int, target: int, third: int) -> Bools:
    # Who puts the target first prefers it: outside the coalition it has no first place.
    gained = above(counts, target, winner)
    outside = counts[:, _NUMBER[third, winner, target]]
    made: Bools = (gained > (counts @ _FIRST)[:, winner]) & (gained > outside)
    return made


def _antiplurality_could(counts: Ints, winner: int, target: int, third: int) -> Bools:
    # The coalition divides its last places so that both others have more than the target keeps.
    own = above(counts, target, winner)
    kept = counts[:, _NUMBER[winner, third, target]] + counts[:, _NUMBER[third, winner, target]]
    lacking = np.maximum(0, kept + 1 - counts[:, _NUMBER[winner, target, third]])
    made: Bools = own >= kept + 1 + lacking
    return made


def _borda_could(counts: Ints, winner: int, target: int, third: int) -> Bools:
    # The coalition puts the target first; `low` to `high` of it may put the winner second.
    own = above(counts, target, winner)
    wtz = counts[:, _NUMBER[winner, target, third]]
    wzt = counts[:, _NUMBER[winner, third, target]]
    zwt = counts[:, _NUMBER[third, winner, target]]
    reached = 2 * own + wtz
    low = np.maximum(0, (wzt + 2 * zwt) + own - reached + 1)
    high = np.minimum(own, reached - 1 - (2 * (wtz + wzt) + zwt))
    made: Bools = low <= high
    return made


_COULD: dict[str, Callable[[Ints, int, int, int], Bools]] = {
    "antiplurality": _antiplurality_could,
    "borda": _borda_could,
    "plurality": _plurality_could,
}


def irv_not_monotone(counts: Ints) -> Bools:
    """Return where voters, by lifting the only winner of an instant runoff, keep it from winning.

    They put it first instead of the one it met in the runoff, so that this one goes out, and the
    third, which went out before, beats it. Those who have the third last do it without loss; each
    of the others costs the third a voter (Lepelley, Chantreuil and Berg, Mathematical Social
    Sciences 31, 1996).
    """
    winners = irv(counts)
    sole = winners & (winners.sum(axis=1, keepdims=True) == 1)
    firsts = counts @ _FIRST
    found = np.zeros(len(counts), dtype=np.bool_)
    for winner, second, third in ORDERS:
        moved = np.maximum(0, firsts[:, second] - firsts[:, third] + 1)
        costly = np.maximum(0, moved - counts[:, _NUMBER[second, winner, third]])
        found |= (
            sole[:, winner]
            & (costly <= counts[:, _NUMBER[second, third, winner]])
            & (margin(counts, third, winner) > 2 * costly)
        )
    return found


def _highest(scores: Ints) -> Bools:
    made: Bools = scores == scores.max(axis=1, keepdims=True)
    return made
