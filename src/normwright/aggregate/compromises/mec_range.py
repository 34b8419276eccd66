"""Expected choice-worthiness with every theory's worst option at 0 and its best at 1."""

from __future__ import annotations

from normwright.aggregate.compromises import Theories, expected, order_by
from normwright.aggregate.methods import Order
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="mec-range",
    kind="compromises",
    summary="Ranks by expected choice-worthiness, each theory from 0 for its worst to 1.",
    reference="Lockhart, Moral Uncertainty and Its Consequences, Oxford 2000 (equity among moral "
    "theories)",
    claims=(
        "anonymity",
        "neutrality",
        "scale-invariance",
        "no-fanaticism",
        "pareto",
        "clones",
        "updating-consistency",
    ),
    denies=(
        Denial(
            axiom="iia",
            source="Sepielli, Moral uncertainty and the principle of equity among moral theories, "
            "Philosophy and Phenomenological Research 86, 2013 (an option stretches a range)",
            ballots=("0.4: A 1 > B 0 = C 0", "0.6: B 1 > A 0 > C -9"),
        ),
        Denial(
            axiom="majority",
            source="Cotton-Barratt, MacAskill and Ord, Statistical normalization methods, Journal "
            "of Philosophy 117, 2020 (intensity counts beside credence)",
            ballots=("0.6: A 10 > B 9 > C 0", "0.4: B 10 > C 1 > A 0"),
        ),
        Denial(
            axiom="condorcet",
            source="Found by searching small theories; the tests repeat it",
            ballots=(
                "0.6: B 2 > C 1 > A 0",
                "0.4: A 2 = C 2 > B 0",
            ),
        ),
    ),
    takes="worths",
    status="tested",
)


@plugin(CARD)
def mec_range(theories: Theories) -> Order:
    """Return the order by expected worth after each theory's range was made 1.

    An option that one theory holds dreadful stretches its range and makes it care little for the
    rest, even if nobody would choose it. A theory by which all options are level adds nothing.

    Raises:
        Inapplicable: where a believed theory only orders options.
    """
    theories.cardinal("mec-range")
    held, level = theories.discerning()
    sums = expected(held.credences, held.spanned, len(held.options))
    return order_by(sums, indifferent=level)
