"""Choose a slate by any rule, by name, and say with it what it means for minorities."""

from __future__ import annotations

from normwright import plugins
from normwright.aggregate.approvals import exposure_of
from normwright.aggregate.election import Election
from normwright.aggregate.minorities import audit_slate
from normwright.aggregate.slates import Chosen, SlateRule
from normwright.records import Slate


def slate(election: Election, *, size: int, method: str) -> Slate:
    """Return the slate of one rule with its audit: justified representation and vetoes.

    Args:
        election: the ballots.
        size: how many are chosen together.
        method: slug of the rule.

    Raises:
        PluginError: if there is no such rule, naming those there are.
        Inapplicable: if the ballots do not hold what the rule needs, or there are fewer
            alternatives than `size`.
    """
    chosen = chosen_by(election, size=size, method=method)
    names = tuple(election.alternatives[j] for j in chosen.members)
    return Slate(
        method=method,
        size=size,
        members=names,
        sequential=chosen.sequential,
        tied=chosen.tied,
        voters=election.voters,
        exposure=exposure_of(election),
        audit=audit_slate(election, names, size=size),
        facts=dict(chosen.facts),
    )


def chosen_by(election: Election, *, size: int, method: str) -> Chosen:
    """Return the numbers of the alternatives that a rule chooses, with all that it tells.

    Raises:
        PluginError: if there is no such rule, naming those there are.
        Inapplicable: as `slate` does.
    """
    rule: SlateRule = plugins.get("slates", method)
    return rule(election, size)
