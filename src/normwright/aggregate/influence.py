"""How much of a published result hangs on single voters: exactly, not by a formula for the mean."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from normwright import plugins
from normwright.aggregate.election import Election, Inapplicable, Ints
from normwright.aggregate.slates import SlateRule
from normwright.records import (
    Estimate,
    Fault,
    InputError,
    RankInfluence,
    ShareInfluence,
    SlateInfluence,
)
from normwright.stats import clopper_pearson

_MOST = 2**31 - 1
"""Voters of whom the products of two counts fit 64 bits."""


def share_influence(statement: str, *, agree: int, seen: int, threshold: float) -> ShareInfluence:
    """Return what single voters can do to a share of support, and how many it takes to flip it.

    The share is agree / seen; it passes where it is at or above the threshold. "Turned" means that
    a voter who agreed no longer does, or the reverse; "removed" that a vote is taken out. Both are
    chosen to do most, so that no set of fewer voters, whoever they are, can flip the result.

    Raises:
        InputError: where counts are none, nobody was asked, or the threshold is no share.
    """
    faults = []
    if not 0 <= agree <= seen or not seen:
        faults.append(
            Fault(where=f"statement {statement!r}", expected="0 <= agree <= seen, seen above 0",
                  seen=f"agree {agree}, seen {seen}")
        )  # fmt: skip
    if not 0 <= threshold <= 1:
        faults.append(
            Fault(where="threshold", expected="a number between 0 and 1", seen=str(threshold))
        )
    if faults:
        raise InputError(faults)
    # The decimal that was written, not the nearest binary number: 0.6 is three fifths.
    line = Fraction(str(threshold))
    share = Fraction(agree, seen)
    left = [agree - own for own in (0, 1) if 0 <= agree - own < seen and seen > 1]
    without = [Fraction(agrees, seen - 1) for agrees in left]
    return ShareInfluence(
        statement=statement,
        agree=agree,
        seen=seen,
        removed=float(max((abs(share - one) for one in without), default=Fraction(0))),
        turned=1 / seen,
        threshold=threshold,
        flips_turned=_flips_turned(agree, seen, line),
        flips_removed=_flips_removed(agree, seen, line),
    )


def rank_influence(election: Election, statement: str) -> RankInfluence:
    """Return where a statement stands by support, and where without any one voter.

    Support is the share of those who saw a statement who approve of it; shares are compared as
    fractions. All voters are tried; only statements whose shares one voter can bring across are
    compared anew. A statement that nobody saw, or nobody would have seen, is behind all others.

    Args:
        election: the votes, one a voter, not weighted.
        statement: whose place is looked at.

    Raises:
        InputError: where the statement is unknown.
        Inapplicable: where ballots do not tell who saw what, or what is approved; where voters are
            weighted, since one voter is then no unit of what is counted.
    """
    if election.voters > _MOST:
        raise Inapplicable.because(
            "influence", f"votes of single people, at most {_MOST}",
            f"{election.voters}, as if weights were counted",
        )  # fmt: skip
    grades, approved = election.grades_for("influence"), election.approvals("influence")
    if statement not in election.alternatives:
        raise InputError([
            Fault(where="statement", expected="an alternative of the ballots", seen=repr(statement))
        ])  # fmt: skip
    me, seen = election.alternatives.index(statement), grades >= 0
    counts = election.counts
    agree, asked = counts @ approved, counts @ seen
    place = 1 + int(_above(agree, asked, agree[me], asked[me]).sum())
    near = _near(agree, asked, me)
    ahead = place - 1 - int(_above(agree[near], asked[near], agree[me], asked[me]).sum())
    without_agree = agree[near] - approved[:, near]
    without_asked = asked[near] - seen[:, near]
    mine = (agree[me] - approved[:, me])[:, None], (asked[me] - seen[:, me])[:, None]
    places = 1 + ahead + _above(without_agree, without_asked, *mine).sum(axis=1)
    given = places[counts > 0]
    return RankInfluence(
        statement=statement,
        place=place,
        best=int(given.min(initial=place)),
        worst=int(given.max(initial=place)),
        moved_by=int(counts[(places != place) & (counts > 0)].sum()),
        voters=election.voters,
    )


def slate_influence(
    election: Election, *, size: int, method: str, seed: int, most: int = 200
) -> SlateInfluence:
    """Return what taking out any one voter does to a slate.

    The slate is chosen anew without one voter of each distinct ballot, so voters alike are tried
    once. With more distinct ballots than `most`, voters are drawn at random and the answer is an
    estimate with its interval. Ties are broken as ever: where a slate is tied before, single voters
    of course decide.

    Args:
        election: the ballots, one a voter, not weighted.
        size: how many are chosen together.
        method: slug of the slate rule.
        seed: of the sample, where one is drawn.
        most: how often the slate is chosen anew at most.

    Raises:
        Inapplicable: as the rule does, and where nobody would be left.
    """
    rule: SlateRule = plugins.get("slates", method)
    whole = frozenset(rule(election, size).members)
    if election.voters < 2:
        raise Inapplicable.because("influence", "at least two voters", f"{election.voters}")
    rows, weights, drawn = _tried(election, seed, most)
    lost: Counter[int] = Counter()
    changed, largest = 0, 0
    for row, voters in zip(rows.tolist(), weights.tolist(), strict=True):
        counts = election.counts.copy()
        counts[row] -= 1
        fewer = replace(election, counts=counts, pairwise=None, electorate=None)
        gone = whole - frozenset(rule(fewer, size).members)
        if gone:
            changed += voters
            largest = max(largest, len(gone))
            lost.update(dict.fromkeys(gone, voters))
    n = int(weights.sum())
    stable = Estimate(
        value=1 - changed / n,
        interval=clopper_pearson(n - changed, n) if drawn else None,
        n=n,
        seed=seed if drawn else None,
    )
    replaced = {election.alternatives[j]: lost[j] for j in sorted(lost)}
    return SlateInfluence(method=method, size=size, stable=stable, most=largest, replaced=replaced)


def _above(agree: Ints, asked: Ints, own: Ints, own_asked: Ints) -> NDArray[np.bool_]:
    """Which shares are larger than one's own, in whole numbers; no share is below all shares."""
    larger = agree * np.maximum(1, own_asked) > own * np.maximum(1, asked)
    found: NDArray[np.bool_] = (asked > 0) & ((own_asked == 0) | larger)
    return found


def _near(agree: Ints, asked: Ints, me: int) -> Ints:
    """Other statements whose shares one voter less can bring to one's own, or across."""
    reach = 1 / np.maximum(1, asked - 1) + 1e-9
    share = agree / np.maximum(1, asked)
    found = np.abs(share - share[me]) <= reach + reach[me]
    # Whoever was asked once may be asked by nobody then.
    found |= (asked <= 1) | (asked[me] <= 1)
    found[me] = False
    return np.flatnonzero(found)


def _flips_turned(agree: int, seen: int, line: Fraction) -> int | None:
    """The least number of voters who, turned, move the share across the line."""
    needed = ceil(line * seen)
    if agree < needed:
        return needed - agree
    return agree - needed + 1 if line else None


def _flips_removed(agree: int, seen: int, line: Fraction) -> int | None:
    """The least number of voters who, taken out, move the share across the line, somebody left."""
    if agree < line * seen:
        gone = seen - floor(agree / line)
        return gone if agree else None
    if line == 1:
        return None
    gone = floor((agree - line * seen) / (1 - line)) + 1
    return gone if gone <= agree and gone < seen else None


def _tried(election: Election, seed: int, most: int) -> tuple[Ints, Ints, bool]:
    """Rows to take a voter out of, how many voters each stands for, and whether it is a sample."""
    parts = [election.orders] if election.grades is None else [election.orders, election.grades]
    whole = np.ascontiguousarray(np.concatenate(parts, axis=1))
    alike = whole.view(f"V{whole.shape[1] * whole.itemsize}").ravel()
    _, first, number = np.unique(alike, return_index=True, return_inverse=True)
    voters = np.zeros(len(first), dtype=np.int64)
    np.add.at(voters, number, election.counts)
    # A row that nobody gave any more may come first among those alike.
    first[number[election.counts > 0][::-1]] = np.flatnonzero(election.counts > 0)[::-1]
    given = np.flatnonzero(voters)
    if len(given) <= most:
        return first[given].astype(np.int64), voters[given], False
    rng = np.random.default_rng(seed)
    hits = rng.multivariate_hypergeometric(voters, most, method="marginals")
    given = np.flatnonzero(hits)
    return first[given].astype(np.int64), hits[given].astype(np.int64), True
