"""Approval voting for several: those that most approve of, whoever else already got theirs."""

from __future__ import annotations

import numpy as np

from normwright.aggregate.approvals import Approvals, check_size
from normwright.aggregate.election import Election
from normwright.aggregate.slates import Chosen
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="av",
    kind="slates",
    summary="Takes the alternatives that most voters approve of; not proportional.",
    reference="Lackner and Skowron, Multi-Winner Voting with Approval Preferences, Springer 2023",
    claims=("anonymity", "neutrality", "homogeneity", "house-monotonicity"),
    denies=(
        Denial(
            axiom="jr",
            source="Aziz et al., Social Choice and Welfare 48, 2017; size 3",
            ballots=("51: A = B = C", "49: D = E = F"),
        ),
        Denial(
            axiom="ejr",
            source="It breaks JR, which follows from this; size 3",
            ballots=(
                "51: A = B = C",
                "49: D = E = F",
            ),
        ),
        Denial(
            axiom="ejr-plus",
            source="It breaks JR, which follows from this; size 3",
            ballots=(
                "51: A = B = C",
                "49: D = E = F",
            ),
        ),
        Denial(
            axiom="pjr",
            source="It breaks JR, which follows from this; size 3",
            ballots=(
                "51: A = B = C",
                "49: D = E = F",
            ),
        ),
    ),
    takes="approvals",
    status="tested",
)


@plugin(CARD)
def av(election: Election, size: int) -> Chosen:
    """Return the alternatives with the most approvals.

    51 % who agree on everything take all: a slate by this rule speaks for majorities only. It is
    here as the plain answer that others are to be compared with. Tied where the last places fall
    among alternatives that equally many approve of; then the first in the ballots are taken.
    """
    approvals = Approvals.of(election, "av")
    check_size(size, len(approvals.alternatives), "av")
    support = approvals.support
    order = np.lexsort((np.arange(len(support)), -support))
    cut = support[order[size - 1]]
    tied = size < len(order) and support[order[size]] == cut
    level = approvals.named(np.flatnonzero(support == cut).tolist()) if tied else []
    members = tuple(order[:size].tolist())
    facts = {
        **approvals.facts(),
        "support": {approvals.alternatives[j]: int(support[j]) for j in members},
        "level_at_cut": level,
        "ties_order": "as in the ballots",
    }
    return Chosen(members, sequential=True, tied=bool(tied), facts=facts)
