"""Highest median: the grade that more than half of the credence agrees an option deserves."""

from __future__ import annotations

from fractions import Fraction

from normwright.aggregate.compromises import Exact, Theories, order_by
from normwright.aggregate.compromises.grades import graded
from normwright.aggregate.methods import Order
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="highest-median",
    kind="compromises",
    summary="Ranks by the credence-weighted median of the grades that theories give.",
    reference="Szabo, Such, Criado and Modgil, Moral uncertainty and the problem of fanaticism, "
    "AAAI 2024; Balinski and Laraki, Majority Judgment, MIT Press 2011",
    claims=(
        "anonymity",
        "neutrality",
        "scale-invariance",
        "no-fanaticism",
        "pareto",
        "majority",
        "clones",
    ),
    denies=(
        Denial(
            axiom="iia",
            source="Found by searching small theories; the tests repeat it",
            ballots=(
                "0.4: C 3 > B 1 > A 0",
                "0.3: A 3 > C 1 > B 0",
                "0.3: A 3 = B 3 > C 1",
            ),
        ),
        Denial(
            axiom="condorcet",
            source="Found by searching small theories; the tests repeat it",
            ballots=(
                "0.6: B 1 = C 1 > A 0",
                "0.4: C 1 > A 0 = B 0",
            ),
        ),
        Denial(
            axiom="updating-consistency",
            source="Found by searching small theories; the tests repeat it",
            ballots=(
                "0.5: A 2 > B 1 = C 1",
                "0.4: C 3 > A 0 = B 0",
                "0.1: B 4 > C 2 > A 0",
            ),
        ),
    ),
    takes="worths",
    status="tested",
)


@plugin(CARD)
def highest_median(theories: Theories) -> Order:
    """Return the order by the lower weighted median of each option's grades.

    The score of an option is the highest grade of which theories of more than half of the credence
    say that it deserves at least that much. Grades are worths on the scale that theories share; if
    they share none, each theory grades from 0 for its worst option to 1 for its best, and the facts
    say so. How far outside the middle a theory lies makes no difference, which is why no enormous
    stake can decide. Options with the same median stay level. A theory by which all options are
    level grades nothing, and its credence does not count here.

    Raises:
        Inapplicable: where a believed theory only orders options: a place in an order is no grade.
    """
    held, grades, facts = graded(theories, what="highest-median")
    if not held.names:
        return order_by([Fraction(0)] * len(held.options), **facts)
    medians = [
        lower_median([row[a] for row in grades], held.credences) for a in range(len(held.options))
    ]
    return order_by(medians, **facts)


def lower_median(values: list[Fraction], weights: Exact) -> Fraction:
    """Return the lower weighted median: half of the weight or more lies at or below it."""
    half, below = sum(weights, Fraction(0)) / 2, Fraction(0)
    for value, weight in sorted(zip(values, weights, strict=True)):
        below += weight
        if below >= half:
            return value
    raise ValueError("a median needs weights")


def turning_credences(theories: Theories, k: int) -> set[Fraction]:
    """Return the credences of one theory at which some median may jump, others in proportion.

    An option's median is at or below a grade where theories of half the credence are; that changes
    only where their share is exactly one half. Empty where grades are not known.
    """
    if any(theories.ordinal) or not theories.names:
        return set()
    grades = theories.worth if theories.comparable else theories.spanned
    rest = 1 - theories.credences[k]
    telling = [min(row) < max(row) for row in theories.worth]
    found = set()
    for a in range(len(theories.options)):
        for grade in {row[a] for row in grades}:
            # Signed credences: those at or below the grade against those above it.
            signed = [
                (c if row[a] <= grade else -c) if tells else Fraction(0)
                for c, row, tells in zip(theories.credences, grades, telling, strict=True)
            ]
            others = (sum(signed, Fraction(0)) - signed[k]) / rest if rest else Fraction(0)
            own = (1 if grades[k][a] <= grade else -1) * telling[k]
            # t own + (1 - t) others = 0
            if own != others:
                found.add(others / (others - own))
    return {t for t in found if 0 < t < 1}
