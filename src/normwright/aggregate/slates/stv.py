"""The single transferable vote: a quota elects, and what is above it moves on."""

from __future__ import annotations

from normwright.aggregate.approvals import check_size
from normwright.aggregate.election import Election, Inapplicable
from normwright.aggregate.slates import Chosen
from normwright.aggregate.transfer import Box, transfer
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="stv",
    kind="slates",
    summary="Elects by Droop quotas; surpluses move on at reduced worth, the last is eliminated.",
    reference="Tideman, The Single Transferable Vote, J. Economic Perspectives 9, 1995",
    claims=("anonymity", "neutrality", "solid-coalitions"),
    denies=(
        Denial(
            axiom="house-monotonicity",
            source="By search; size 2",
            ballots=(
                "1: A > B > D > C",
                "2: D > B > A > C",
                "2: D > C > A > B",
                "1: D > C > B > A",
            ),
        ),
    ),
    takes="orders",
    status="tested",
)


@plugin(CARD)
def stv(election: Election, size: int) -> Chosen:
    """Return the slate by the single transferable vote, in exact fractions.

    Droop quota; all ballots of whoever reaches it move on at one reduced worth (weighted inclusive
    Gregory), surpluses of a round together. All ways to settle ties are followed: the slate is tied
    where they end in different ones (`slates` in the facts has them), and the first by the order of
    the ballots is taken. Voters who put the same alternatives above all others, in whatever order,
    get a place for each quota that they are (Droop's proportionality for solid coalitions).

    Raises:
        Inapplicable: also where ties lead to more ways than can be followed.
    """
    check_size(size, len(election.alternatives), "stv")
    if election.bundles is not None or not election.voters:
        raise Inapplicable.because(
            "stv", "at least one voter, one order each", "none, or several orders each"
        )
    found = transfer(Box.of(election, "stv"), seats=size, what="stv")
    names = election.alternatives
    facts = {
        "voters": election.voters,
        "quota": found.quota,
        "rounds": [r.told(names) for r in found.rounds],
        "slates": [[names[j] for j in one] for one in found.slates],
        "ties_order": "as in the ballots",
    }
    tied = len(found.slates) > 1
    members = tuple(j for r in found.rounds for j in r.elected)
    return Chosen(members, sequential=True, tied=tied, facts=facts)
