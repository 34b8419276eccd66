"""Majority judgement: the highest median grade, ties settled by the medians of what is left."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cmp_to_key
from itertools import accumulate

import numpy as np

from normwright.aggregate.election import Election, Inapplicable
from normwright.aggregate.methods import Order
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="majority-judgement",
    kind="methods",
    summary="Ranks by median grade, ties settled by taking medians away, to the last grade.",
    reference="Balinski and Laraki, A theory of measuring, electing and ranking, PNAS 104, 2007",
    claims=(
        "anonymity",
        "neutrality",
        "homogeneity",
        "monotonicity",
        "coalition-monotonicity",
        "pareto",
        "iia",
        "clones",
    ),
    denies=(
        Denial(
            axiom="condorcet",
            source="Balinski and Laraki, Majority Judgment, MIT Press, 2011; these ballots by "
            "search",
            ballots=("1: A=0 B=1", "1: A=1 B=2", "1: A=3 B=0"),
        ),
        Denial(
            axiom="condorcet-loser",
            source="Fishburn, SIAM J. Applied Mathematics 33, 1977; these ballots by search",
            ballots=("1: A=0 B=1", "1: A=1 B=2", "1: A=3 B=0"),
        ),
        Denial(
            axiom="majority", source="By search", ballots=("1: A=0 B=1", "1: A=1 B=2", "1: A=3 B=0")
        ),
        Denial(
            axiom="participation",
            source="Felsenthal and Machover, Homo Oeconomicus 25, 2008; these ballots by search",
            ballots=("1: A=0 B=1", "1: A=2 B=1", "1: A=2 B=3"),
        ),
        Denial(
            axiom="reinforcement",
            source="Young, SIAM J. on Applied Mathematics 28, 1975; these ballots by search",
            ballots=("1: A=0 B=1", "1: A=2 B=1", "1: A=2 B=2"),
        ),
        Denial(axiom="reversal-symmetry", source="By search", ballots=("1: A=0 B=1", "1: A=2 B=1")),
        Denial(
            axiom="smith",
            source="Fishburn, SIAM J. Applied Mathematics 33, 1977; these ballots by search",
            ballots=("1: A=0 B=1", "1: A=1 B=2", "1: A=3 B=0"),
        ),
        Denial(
            axiom="strategy-proofness",
            source="Gibbard, Econometrica 41, 1973; these ballots by search",
            ballots=("1: A=1 B=2", "1: A=3 B=1"),
        ),
    ),
    takes="grades",
    status="tested",
)

Run = tuple[int, int, int]


@plugin(CARD)
def majority_judgement(election: Election) -> Order:
    """Return the order by majority value; the score is the lower median grade, 0 the lowest.

    Two with one median grade are compared after one such grade is taken from each, again and again
    (Balinski and Laraki's majority value, not the gauge that approximates it): here in closed form,
    because what is taken are the grades ever further from the middle, the lower of each two first.

    Nobody's missing grade is made up: each alternative is judged by those who graded it. Where
    these differ in number, shares are compared: as if each judge stood for so many that the numbers
    are equal, which changes nothing where they are. `facts` say how many judged each.

    A majority that prefers one to another does not decide, and a voter may do better by staying
    away (Felsenthal and Machover, Homo Oeconomicus 25, 2008).

    Raises:
        Inapplicable: where people gave no grades, or nobody graded an alternative.
    """
    counts = grade_counts(election, "majority-judgement")
    values = [majority_value(row) for row in counts.tolist()]
    judges = [sum(row) for row in counts.tolist()]
    tiers: list[list[int]] = []

    def below(a: int, b: int) -> int:
        return _compare(values[b], judges[b], values[a], judges[a])

    for c in sorted(range(len(values)), key=cmp_to_key(below)):
        if tiers and not below(c, tiers[-1][0]):
            tiers[-1].append(c)
        else:
            tiers.append([c])
    named = dict(zip(election.alternatives, counts.tolist(), strict=True))
    facts = {
        "judges": dict(zip(election.alternatives, judges, strict=True)),
        "grades": named,
        "compared": "counts" if len(set(judges)) < 2 else "shares of those who graded each",
    }
    medians = np.array([run[0][1] for run in values], dtype=np.float64)
    return Order(tiers=tuple(tuple(t) for t in tiers), scores=medians, facts=facts)


def grade_counts(election: Election, what: str) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Return how often each alternative got each grade, shape (m, grades).

    Raises:
        Inapplicable: where people gave no grades, or nobody graded an alternative.
    """
    grades = election.grades_for(what)
    top = int(grades.max(initial=0))
    levels = range(max(top, election.approved_from or 0) + 1)
    counted = np.stack([election.counts @ (grades == g).astype(np.int64) for g in levels], axis=1)
    unjudged = [a for a, n in zip(election.alternatives, counted.sum(axis=1), strict=True) if not n]
    if unjudged:
        raise Inapplicable.because(
            what, "at least one grade for every alternative",
            f"none for {', '.join(unjudged[:10])}"
            + (f" and {len(unjudged) - 10} more" if len(unjudged) > 10 else ""),
            "Leave out what nobody graded.",
        )  # fmt: skip
    return counted


def majority_value(counts: Sequence[int]) -> tuple[Run, ...]:
    """Return the grades from the middle outwards, as runs of (half judges, lower, upper grade).

    Each judge is two halves, so that the middle lies between halves whether judges are odd or even.
    A run says up to how many halves from the middle the two grades hold.

    Args:
        counts: how many gave each grade, the lowest first; at least one.
    """
    middle = sum(counts)
    ends = list(accumulate(2 * c for c in counts))
    # The grade just below `middle - t` and the one just above `middle + t`, for growing t.
    turns = sorted({abs(middle - end) for end in (0, *ends) if end != middle})
    runs, start = [], 0
    for turn in turns:
        low = next(g for g, end in enumerate(ends) if end >= middle - start)
        high = next(g for g, end in enumerate(ends) if end > middle + start)
        runs.append((turn, low, high))
        start = turn
    return tuple(runs)


def _compare(a: Sequence[Run], judges_a: int, b: Sequence[Run], judges_b: int) -> int:
    """Above zero where a is above b. Ends are compared as shares, in whole numbers."""
    i = j = 0
    while i < len(a) and j < len(b):
        (end_a, *grades_a), (end_b, *grades_b) = a[i], b[j]
        if grades_a != grades_b:
            return 1 if grades_a > grades_b else -1
        reach_a, reach_b = end_a * judges_b, end_b * judges_a
        i, j = i + (reach_a <= reach_b), j + (reach_b <= reach_a)
    return 0
