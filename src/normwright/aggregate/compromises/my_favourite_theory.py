"""My favourite theory: act by the one theory that is believed most."""

from __future__ import annotations

from fractions import Fraction

from normwright.aggregate.compromises import Theories, order_by
from normwright.aggregate.methods import Order
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="my-favourite-theory",
    kind="compromises",
    summary="Orders options as the theory that is believed most does.",
    reference="Gustafsson and Torpman, In defence of My Favourite Theory, Pacific Philosophical "
    "Quarterly 95, 2014",
    claims=(
        "anonymity",
        "neutrality",
        "scale-invariance",
        "no-fanaticism",
        "pareto",
        "clones",
        "iia",
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
            axiom="majority",
            source="MacAskill and Ord, Why maximize expected choice-worthiness?, Nous 54, 2020 "
            "(theories told apart more finely)",
            ballots=("0.4: A > B", "0.3: B > A", "0.3: B > A"),
        ),
    ),
    takes="orders",
    status="tested",
)


@plugin(CARD)
def my_favourite_theory(theories: Theories) -> Order:
    """Return the order of the theory with the most credence, and nobody else's.

    It depends on how finely theories are told apart: two variants that share their credence lose to
    a third that neither agrees with. Where several theories are believed equally and most, an
    option stands as high as the most favourable of them puts it, so that the favourites of all of
    them are chosen. The score is minus the number of tiers above.
    """
    held = theories.held()
    most = max(held.credences)
    favourites = [k for k, credence in enumerate(held.credences) if credence == most]
    levels = [min(held.levels[k][a] for k in favourites) for a in range(len(held.options))]
    place = {level: number for number, level in enumerate(sorted(set(levels)))}
    return order_by(
        [Fraction(-place[level]) for level in levels],
        favourites=[held.names[k] for k in favourites],
        credence=float(most),
    )
