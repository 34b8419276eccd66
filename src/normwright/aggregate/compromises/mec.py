"""Maximise expected choice-worthiness, on a scale that all theories share."""

from __future__ import annotations

from normwright.aggregate.compromises import Theories, expected, order_by
from normwright.aggregate.election import Inapplicable
from normwright.aggregate.methods import Order
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="mec",
    kind="compromises",
    summary="Ranks by expected choice-worthiness; refuses without a scale that theories share.",
    reference="MacAskill and Ord, Why maximize expected choice-worthiness?, Nous 54, 2020",
    claims=(
        "anonymity",
        "neutrality",
        "pareto",
        "clones",
        "iia",
        "updating-consistency",
    ),
    denies=(
        Denial(
            axiom="no-fanaticism",
            source="Ross, Rejecting ethical deflationism, Ethics 116, 2006 (a theory with enormous "
            "stakes decides however little it is believed)",
            ballots=("0.999: A 1 > B 0", "0.001: B 1000000 > A 0"),
        ),
        Denial(
            axiom="scale-invariance",
            source="Hudson, Subjectivization in ethics, American Philosophical Quarterly 26, 1989 "
            "(hedons and yodons: no common unit)",
            ballots=("0.6: A 1 > B 0", "0.4: B 1 > A 0"),
        ),
        Denial(
            axiom="majority",
            source="MacAskill and Ord, Why maximize expected choice-worthiness?, Nous 54, 2020 "
            "(stakes may outweigh credence)",
            ballots=("0.6: A 1 > B 0", "0.4: B 10 > A 0"),
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
    takes="a scale shared by all theories",
    status="tested",
)


@plugin(CARD)
def mec(theories: Theories) -> Order:
    """Return the order by expected choice-worthiness, sum of credence times worth.

    It is right only if a unit of one theory is worth a unit of another. It is fanatical: whichever
    theory speaks of the greatest stakes decides, however little it is believed.

    Raises:
        Inapplicable: where nobody has said that worths are comparable between theories, or where a
            believed theory only orders options.
    """
    theories.cardinal("mec")
    held = theories.held()
    if not held.comparable and len(held.names) > 1:
        raise Inapplicable.because(
            "mec", "worths on one scale that all theories share (comparable: true)",
            f"{len(held.names)} theories, each on a scale of its own",
            "Choose a rule that brings theories to one scale, such as mec-variance; or say "
            "comparable: true if a unit is worth the same in all of them.",
        )  # fmt: skip
    return order_by(expected(held.credences, held.worth, len(held.options)))
