"""Sequential proportional approval: each further member a voter has is worth less to that voter."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from normwright.aggregate.approvals import Approvals, check_size, leaders
from normwright.aggregate.election import Election, Ints
from normwright.aggregate.slates import Chosen
from normwright.aggregate.slates.sequence import chosen, follow
from normwright.plugins import Card, Denial, plugin

_UNSERVED = (
    "5: X",
    "2: E",
    "1: F",
    "3: G",
    "3: B = F",
    "1: C = E",
    "1: C = F",
    "1: D = F",
    "1: D = G",
    "3: A = C = F",
    "2: A = D = E",
    "1: A = D = F",
    "1: B = C = E",
    "1: B = C = G",
    "1: B = D = E",
    "1: C = D = G",
    "1: A = B = D = E",
    "1: A = B = E = G",
    "1: A = C = D = E",
    "2: A = B = C = D = G",
    "1: A = B = C = E = G",
    "1: A = B = D = E = F",
)

CARD = Card(
    name="seq-pav",
    kind="slates",
    summary="Adds the alternative that raises the PAV score most, one after the other.",
    reference="Thiele, Om Flerfoldsvalg, 1895; Lackner and Skowron, Springer 2023",
    claims=("anonymity", "neutrality", "homogeneity", "house-monotonicity"),
    denies=(
        Denial(
            axiom="jr",
            source="That it fails: Aziz et al., Social Choice and Welfare 48, 2017. This case, of "
            "the fewest voters for its size, was found by integer programming; size 7",
            ballots=_UNSERVED,
        ),
        Denial(
            axiom="ejr", source="It breaks JR, which follows from this; size 7", ballots=_UNSERVED
        ),
        Denial(
            axiom="ejr-plus",
            source="It breaks JR, which follows from this; size 7",
            ballots=_UNSERVED,
        ),
        Denial(
            axiom="pjr", source="It breaks JR, which follows from this; size 7", ballots=_UNSERVED
        ),
    ),
    takes="approvals",
    status="tested",
)


@dataclass(frozen=True, eq=False)
class _Thiele:
    approvals: Approvals
    held: Ints
    """Members that each set holds, shape (k,)."""
    open: Ints
    members: frozenset[int]

    def leading(self) -> tuple[int, ...]:
        gains = self.approvals.add_up(self.approvals.counts / (1.0 + self.held))
        return leaders(-gains, 1e-9 * gains, self._loss, self.open)

    def _loss(self, alternative: int) -> Fraction:
        rows = self.approvals.of_alternative(alternative)
        voters = np.zeros(int(self.held.max(initial=0)) + 1, dtype=np.int64)
        np.add.at(voters, self.held[rows], self.approvals.counts[rows])
        return -sum((Fraction(int(n), h + 1) for h, n in enumerate(voters)), Fraction(0))

    def after(self, alternative: int) -> _Thiele:
        held = self.held.copy()
        held[self.approvals.of_alternative(alternative)] += 1
        left = self.open[self.open != alternative]
        return _Thiele(self.approvals, held, left, self.members | {alternative})

    def key(self) -> Hashable:
        return self.members


@plugin(CARD)
def seq_pav(election: Election, size: int) -> Chosen:
    """Return the slate that grows by the largest gain in PAV score (Thiele, 1895).

    A voter with h members gains 1 / (h + 1) by another. Fast, and within 1 - 1/e of the best PAV
    score, but from six places on it may leave a group without its share that `pav`,
    `seq-phragmen` and `equal-shares` would serve. O(approvals x size).
    """
    approvals = Approvals.of(election, "seq-pav")
    check_size(size, len(approvals.alternatives), "seq-pav")
    path = follow(start(approvals), size)
    score = pav_score(approvals, path.members)
    facts = {**approvals.facts(), "score": str(score)}
    return chosen(path, approvals.alternatives, facts)


def start(approvals: Approvals) -> _Thiele:
    """Return the state with nothing chosen."""
    held = np.zeros(len(approvals.counts), dtype=np.int64)
    return _Thiele(approvals, held, np.arange(len(approvals.alternatives)), frozenset())


def pav_score(approvals: Approvals, members: tuple[int, ...]) -> Fraction:
    """Return the exact sum over voters of 1 + 1/2 + ... + 1/h, h the members they approve of."""
    held = approvals.satisfaction(members)
    voters = np.zeros(len(members) + 1, dtype=np.int64)
    np.add.at(voters, held, approvals.counts)
    # Those with at least h members gain 1/h by the h-th.
    at_least = voters[::-1].cumsum()[::-1]
    return sum((Fraction(int(at_least[h]), h) for h in range(1, len(members) + 1)), Fraction(0))
