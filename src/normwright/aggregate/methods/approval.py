"""Approval voting: who is approved by most."""

from __future__ import annotations

import numpy as np

from normwright.aggregate.election import Election
from normwright.aggregate.methods import Order, by_score
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="approval",
    kind="methods",
    summary="Ranks by how many approve of an alternative.",
    reference="Brams and Fishburn, Approval voting, American Political Science Review 72, 1978",
    claims=(
        "anonymity",
        "neutrality",
        "homogeneity",
        "monotonicity",
        "coalition-monotonicity",
        "participation",
        "reinforcement",
        "clones",
        "iia",
    ),
    denies=(
        Denial(
            axiom="condorcet",
            source="By search, of voters who tell apart what they approve of, or what they do not",
            ballots=("2: A=2 B=1", "1: A=0 B=1"),
        ),
        Denial(
            axiom="condorcet-loser",
            source="By search, of voters who tell apart what they approve of, or what they do not",
            ballots=("2: A=2 B=1", "1: A=0 B=1"),
        ),
        Denial(
            axiom="later-no-harm",
            source="Woodall, Discrete Applied Mathematics 77, 1997; these ballots by search",
            ballots=("1: A > B", "1: B"),
        ),
        Denial(
            axiom="majority",
            source="By search, of voters who tell apart what they approve of, or what they do not",
            ballots=("2: A=2 B=1", "1: A=0 B=1"),
        ),
        Denial(
            axiom="pareto",
            source="By search, of voters who tell apart what they approve of, or what they do not",
            ballots=("1: A=1 B=2",),
        ),
        Denial(
            axiom="reversal-symmetry",
            source="By search, where some leave an alternative ungraded",
            ballots=("2: A=1", "1: A=0 B=0"),
        ),
        Denial(
            axiom="smith",
            source="By search, of voters who tell apart what they approve of, or what they do not",
            ballots=("2: A=2 B=1", "1: A=0 B=1"),
        ),
        Denial(
            axiom="strategy-proofness",
            source="Gibbard, Econometrica 41, 1973; these ballots by search",
            ballots=("1: A=1 B=2",),
        ),
    ),
    takes="approvals",
    status="tested",
)


@plugin(CARD)
def approval(election: Election) -> Order:
    """Return the order by number of approvals; the score is the share of ballots.

    Approvals come from grades where people graded, and from what a ballot ranks where it ranks only
    some. An alternative that a ballot does not grade has no approval from it; where that happens
    `facts` say how many graded each, because few approvals may mean that few were asked.

    Raises:
        Inapplicable: where ballots do not say where approval ends.
    """
    approved = election.approvals("approval")
    counts = election.counts
    given = counts @ approved.astype(np.int64)
    ballots = int(counts.sum())
    facts: dict[str, object] = {"ballots": ballots}
    if election.grades is not None and (election.grades < 0).any():
        graded = counts @ (election.grades >= 0).astype(np.int64)
        facts["graded_by"] = dict(zip(election.alternatives, graded.tolist(), strict=True))
        facts["not_graded"] = "counts as not approved"
    return Order(tiers=by_score(given), scores=given / max(1, ballots), facts=facts)
