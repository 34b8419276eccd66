"""Maximin: the option whose worst grade by any believed theory is the best."""

from __future__ import annotations

from fractions import Fraction

from normwright.aggregate.compromises import Theories, order_by
from normwright.aggregate.compromises.grades import graded
from normwright.aggregate.methods import Order
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="maximin",
    kind="compromises",
    summary="Ranks by the worst grade that any believed theory gives.",
    reference="Rawls, A Theory of Justice, Harvard 1971 (the difference principle, over theories)",
    claims=(
        "anonymity",
        "neutrality",
        "scale-invariance",
        "pareto",
        "clones",
        "updating-consistency",
    ),
    denies=(
        Denial(
            axiom="no-fanaticism",
            source="Harsanyi, Can the maximin principle serve as a basis for morality?, American "
            "Political Science Review 69, 1975 (the unlikeliest case decides)",
            ballots=("0.999: A 10 > B 9 > C 0", "0.001: B 2 > C 1 > A 0"),
        ),
        Denial(
            axiom="majority",
            source="Harsanyi, Can the maximin principle serve as a basis for morality?, American "
            "Political Science Review 69, 1975",
            ballots=("0.9: A 10 > B 9 > C 0", "0.1: B 2 > C 1 > A 0"),
        ),
        Denial(
            axiom="condorcet",
            source="Found by searching small theories; the tests repeat it",
            ballots=(
                "0.6: B 2 > C 1 > A 0",
                "0.4: A 2 = C 2 > B 0",
            ),
        ),
        Denial(
            axiom="iia",
            source="Found by searching small theories; the tests repeat it",
            ballots=(
                "0.4: A 4 = C 4 > B 3 > D 0",
                "0.3: C 6 > B 5 > D 3 > A 2",
                "0.3: B 5 = D 5 > C 4 > A 0",
            ),
        ),
    ),
    takes="worths",
    status="tested",
)


@plugin(CARD)
def maximin(theories: Theories) -> Order:
    """Return the order by the worst grade of each option by any theory that is believed at all.

    Credences do not count beyond being above 0, so that a theory nearly nobody believes may decide.
    Grades are worths on the scale that theories share; if they share none, each theory grades from
    0 for its worst option to 1 for its best, and the facts say so. The facts name the theories by
    which each option comes off worst.

    Raises:
        Inapplicable: where a believed theory only orders options.
    """
    held, grades, facts = graded(theories, what="maximin")
    if not held.names:
        return order_by([Fraction(0)] * len(held.options), **facts)
    worst = [min(row[a] for row in grades) for a in range(len(held.options))]
    by = {
        option: [n for n, row in zip(held.names, grades, strict=True) if row[a] == worst[a]]
        for a, option in enumerate(held.options)
    }
    return order_by(worst, worst_by=by, **facts)
