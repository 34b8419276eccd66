"""My favourite option: do what is most likely to be best."""

from __future__ import annotations

from fractions import Fraction

from normwright.aggregate.compromises import Theories, order_by
from normwright.aggregate.methods import Order
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="my-favourite-option",
    kind="compromises",
    summary="Ranks options by the credence in theories that hold them best.",
    reference="Lockhart, Moral Uncertainty and Its Consequences, Oxford 2000; MacAskill and Ord, "
    "Why maximize expected choice-worthiness?, Nous 54, 2020",
    claims=(
        "anonymity",
        "neutrality",
        "scale-invariance",
        "no-fanaticism",
        "pareto",
        "majority",
        "clones",
        "updating-consistency",
    ),
    denies=(
        Denial(
            axiom="condorcet",
            source="MacAskill, Normative uncertainty as a voting problem, Mind 125, 2016 "
            "(the hiring decision)",
            ballots=("0.35: A > B > C", "0.34: B > C > A", "0.31: C > B > A"),
        ),
        Denial(
            axiom="iia",
            source="MacAskill, Normative uncertainty as a voting problem, Mind 125, 2016 "
            "(the hiring decision, C taken away)",
            ballots=("0.35: A > B > C", "0.34: B > C > A", "0.31: C > B > A"),
        ),
    ),
    takes="orders",
    status="tested",
)


@plugin(CARD)
def my_favourite_option(theories: Theories) -> Order:
    """Return the order by the probability of being a best option.

    A theory that holds several options best counts in full for each of them: each is best if it is
    true. What a theory says below its best does not count at all, so that a compromise which nobody
    holds best, and everybody next to it, is passed over.
    """
    held = theories.held()
    best = [
        sum((c for c, place in zip(held.credences, held.levels, strict=True) if place[a] == 0),
            Fraction(0))
        for a in range(len(held.options))
    ]  # fmt: skip
    return order_by(best)
