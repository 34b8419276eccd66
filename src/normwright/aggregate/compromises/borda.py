"""Borda's rule over theories: only their orders count."""

from __future__ import annotations

from normwright.aggregate.compromises import Theories, expected, order_by
from normwright.aggregate.methods import Order
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="borda",
    kind="compromises",
    summary="Ranks by credence times options held worse less options held better.",
    reference="MacAskill, Normative uncertainty as a voting problem, Mind 125, 2016",
    claims=(
        "anonymity",
        "neutrality",
        "scale-invariance",
        "no-fanaticism",
        "pareto",
        "updating-consistency",
    ),
    denies=(
        Denial(
            axiom="clones",
            source="Found by searching small theories; the tests repeat it",
            ballots=(
                "0.6: C 2 > A 1 > B 0",
                "0.4: A 1 = B 1 > C 0",
            ),
        ),
        Denial(
            axiom="majority",
            source="Fishburn and Gehrlein, Borda's rule, positional voting, and Condorcet's simple "
            "majority principle, Public Choice 28, 1976",
            ballots=("0.6: A > B > C", "0.4: B > C > A"),
        ),
        Denial(
            axiom="condorcet",
            source="Condorcet, Essai sur l'application de l'analyse, 1785 (81 voters)",
            ballots=(
                "30/81: A > B > C",
                "1/81: A > C > B",
                "29/81: B > A > C",
                "10/81: B > C > A",
                "10/81: C > A > B",
                "1/81: C > B > A",
            ),
        ),
        Denial(
            axiom="iia",
            source="Found by searching small theories; the tests repeat it",
            ballots=(
                "0.6: C > A > B",
                "0.4: B > C > A",
            ),
        ),
    ),
    takes="orders",
    status="tested",
)


@plugin(CARD)
def borda(theories: Theories) -> Order:
    """Return the order by credence-weighted Borda score.

    By one theory an option scores the number of options that are worse less the number that are
    better, so that options held level share what lies between. It needs no numbers of worth, and
    makes none comparable; but adding near-copies of an option moves the scores of all.
    """
    held = theories.held()
    return order_by(expected(held.credences, held.ranks, len(held.options)))
