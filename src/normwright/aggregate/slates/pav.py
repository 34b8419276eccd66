"""Proportional approval voting, exact: the slate with the best PAV score, with its certificate."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from normwright.aggregate.approvals import Approvals, check_size
from normwright.aggregate.election import Election, Inapplicable
from normwright.aggregate.slates import Chosen
from normwright.aggregate.slates.seq_pav import pav_score, start
from normwright.aggregate.slates.sequence import follow
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="pav",
    kind="slates",
    summary="Maximises the PAV score exactly by integer programming, with a certificate.",
    reference="Thiele, 1895; Brill and Peters, Robust and Verifiable Proportionality, EC 2023",
    claims=("anonymity", "neutrality", "homogeneity", "jr", "pjr", "ejr", "ejr-plus"),
    denies=(
        Denial(
            axiom="house-monotonicity",
            source="That it fails: Lackner and Skowron, Springer 2023. This case is made for it: X "
            "is most approved, and A with B serves all; size 1",
            ballots=("3: A = X", "3: B = X", "2: A", "2: B"),
        ),
    ),
    takes="approvals",
    status="tested",
)

WORK = 4_000_000
"""Nodes of the search tree times entries of the program that a solve may cost. No seconds: it ends
at the same place on every machine."""
ENTRIES = 400_000
"""Entries of a program of which one node still takes seconds."""
RIVALS = 8
"""Solves that look for slates as good as the first."""
NEAR = 1e-6
"""Relative difference of scores below which the solver's word is not taken."""


_INFEASIBLE = 2
"""Status of scipy's solver where nothing meets all conditions."""


@dataclass(frozen=True)
class _Solved:
    members: tuple[int, ...]
    score: Fraction
    bound: float
    proved: bool


@plugin(CARD)
def pav(election: Election, size: int) -> Chosen:
    """Return the slate with the highest PAV score: 1 + 1/2 + ... + 1/h for a voter with h members.

    Exact by HiGHS on a program of one unit a voter and member. `score` is a fraction computed anew,
    `bound` what no slate can exceed. After the first, the best other slates are sought until one
    is clearly worse; those within a millionth are compared as fractions. `proved` tells whether
    the search was completed, `unique` whether no other slate has the same score; where either was
    not settled the slate counts as tied. Time grows exponentially at worst, and the search ends
    after so much work: a slate that is not proved best is improved until exchanging any one member
    makes it no better, which is enough for EJR+.

    Raises:
        Inapplicable: also for programs too large to begin with.
    """
    approvals = Approvals.of(election, "pav")
    check_size(size, len(approvals.alternatives), "pav")
    entries = len(approvals.supporters) + int(np.minimum(approvals.sizes, size).sum())
    if entries > ENTRIES:
        raise Inapplicable.because(
            "pav", f"ballots whose program has at most {ENTRIES} entries", f"{entries}",
            "Choose seq-phragmen or equal-shares, which are fast and proportional too.",
        )  # fmt: skip
    first = _solve(approvals, size, ())
    assert first is not None  # there is a slate of that size
    if not first.proved:
        first = _improved(approvals, size, first)
    found, settled = _rivals(approvals, size, first)
    score = max(s.score for s in found)
    best = sorted(s.members for s in found if s.score == score)
    proved = first.proved and settled
    unique = proved and len(best) == 1
    facts: dict[str, Any] = {
        **approvals.facts(),
        "score": str(score),
        "score_value": float(score),
        "bound": first.bound,
        "proved": first.proved,
        "unique": unique,
        "settled_rivals": settled,
        "as_good": [approvals.named(members) for members in best[1:]],
    }
    return Chosen(best[0], tied=not unique, facts=facts)


def _improved(approvals: Approvals, size: int, found: _Solved) -> _Solved:
    """The slate that was found, or else that of sequential PAV, with the best exchanges made."""
    members = found.members or follow(start(approvals), size).members
    score = pav_score(approvals, members)
    while True:
        better = _exchanged(approvals, members)
        gained = pav_score(approvals, better)
        if gained <= score:
            return _Solved(tuple(sorted(members)), score, found.bound, proved=False)
        members, score = better, gained


def _exchanged(approvals: Approvals, members: tuple[int, ...]) -> tuple[int, ...]:
    """The slate with that one member exchanged that gains most."""
    held = approvals.satisfaction(members)
    best, slate = -np.inf, members
    for out in members:
        left = held.copy()
        left[approvals.of_alternative(out)] -= 1
        gains = approvals.add_up(approvals.counts / (1.0 + left))
        gains -= gains[out]
        gains[list(members)] = -np.inf
        new = int(gains.argmax())
        if gains[new] > best:
            best, slate = gains[new], (*(j for j in members if j != out), new)
    return slate


def _rivals(approvals: Approvals, size: int, first: _Solved) -> tuple[list[_Solved], bool]:
    """Slates about as good as the first, itself included, and whether those are all."""
    found = [first]
    while first.proved and len(found) <= RIVALS:
        rival = _solve(approvals, size, tuple(s.members for s in found))
        if rival is None or rival.bound < float(first.score) * (1 - NEAR):
            # None: there is no other slate of this size.
            return found, True
        if not rival.members:
            break
        found.append(rival)
        if not rival.proved:
            break
    return found, False


def _solve(approvals: Approvals, size: int, barred: tuple[tuple[int, ...], ...]) -> _Solved | None:
    """The best slate beside those barred, empty if none was found; None where there is none."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    m, sets = len(approvals.alternatives), len(approvals.counts)
    units = np.minimum(approvals.sizes, size)
    owner = np.repeat(np.arange(sets), units)
    ends = np.cumsum(units)
    place = np.arange(len(owner)) - np.repeat(ends - units, units) + 1
    width = m + len(owner)
    # A voter's units are no more than the members approved of.
    rows = np.concatenate([owner, approvals.supporters])
    columns = np.concatenate([m + np.arange(len(owner)), approvals.columns])
    entries = np.concatenate([np.ones(len(owner)), -np.ones(len(approvals.columns))])
    matrix = csr_array((entries, (rows, columns)), shape=(sets, width))
    whole = csr_array((np.ones(m), (np.zeros(m, dtype=int), np.arange(m))), shape=(1, width))
    constraints = [LinearConstraint(whole, size, size)]
    if sets:
        constraints.append(LinearConstraint(matrix, -np.inf, 0))
    for slate in barred:
        row = csr_array((np.ones(size), (np.zeros(size, dtype=int), slate)), shape=(1, width))
        constraints.append(LinearConstraint(row, -np.inf, size - 1))
    worth = approvals.counts[owner] / place
    scale = 1.0 / max(1.0, float(approvals.counts.sum()))
    integral = np.concatenate([np.ones(m), np.zeros(len(owner))])
    solved = milp(
        np.concatenate([np.zeros(m), -worth * scale]),
        constraints=constraints,
        bounds=Bounds(0, 1),
        integrality=integral,
        options={"node_limit": max(1, WORK // max(1, len(entries))), "mip_rel_gap": 0.0},
    )
    if solved.status == _INFEASIBLE:
        return None
    dual = solved.mip_dual_bound
    # Nobody can have more than all members.
    bound = float(approvals.counts @ units) if dual is None else -float(dual) / scale
    if solved.x is None:
        return _Solved((), Fraction(-1), bound, proved=False)
    members = tuple(np.flatnonzero(solved.x[:m] > 0.5).tolist())
    return _Solved(members, pav_score(approvals, members), bound, solved.status == 0)
