"""The proportional veto core as a slate: what coalitions have the least claim to veto."""

from __future__ import annotations

from normwright.aggregate.approvals import check_size
from normwright.aggregate.election import Election
from normwright.aggregate.slates import Chosen
from normwright.aggregate.veto import Vetoes
from normwright.plugins import Card, plugin

CARD = Card(
    name="veto-core",
    kind="slates",
    summary="Takes the alternatives with the smallest critical epsilon of the veto core.",
    reference="Moulin, The Proportional Veto Principle, Review of Economic Studies 48, 1981",
    claims=("anonymity", "neutrality", "homogeneity", "house-monotonicity", "veto-core"),
    takes="orders",
    status="tested",
)


@plugin(CARD)
def veto_core(election: Election, size: int) -> Chosen:
    """Return the alternatives that coalitions have no claim to veto, or the least.

    The core is a set, never empty; `core` and `epsilons` in the facts hold all of it. A slate of a
    size is those with the smallest critical epsilon (exact, by a maximum flow each), and tied where
    the size cuts through alternatives that are level; then the first in the ballots are taken.
    It protects minorities from what they like least; it does not share the places of the slate
    among groups, as `equal-shares` does.
    """
    vetoes = Vetoes.of(election, "veto-core")
    m = len(election.alternatives)
    check_size(size, m, "veto-core")
    epsilons = [vetoes.epsilon(j) for j in range(m)]
    order = sorted(range(m), key=lambda j: (epsilons[j], j))
    cut = epsilons[order[size - 1]]
    tied = size < m and epsilons[order[size]] == cut
    names = election.alternatives
    facts = {
        "voters": vetoes.voters,
        "core": [names[j] for j in range(m) if not epsilons[j]],
        "epsilons": {names[j]: float(epsilons[j]) for j in range(m)},
        "consumed_last": [names[j] for j in vetoes.consumed_last()],
        "level_at_cut": [names[j] for j in range(m) if epsilons[j] == cut] if tied else [],
        "ties_order": "as in the ballots",
    }
    return Chosen(tuple(order[:size]), sequential=False, tied=tied, facts=facts)
