"""What a chain of grants says: the facts a charter can write norms about.

Authority handed on is what every link hands on (the meet along the chain), so one link that does
not cover an act, was revoked or has run out is enough. How grants are issued and spent is no matter
of this room; it only reads the chain a situation names, and says what a grant may hand on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from normwright.norms.acts import Acts
from normwright.records import FactValue, Grant

COVERS = "grant.covers"
"""Whether every grant of the chain covers the act. It can differ from act to act."""

_EAST, _WEST = timedelta(hours=14), timedelta(hours=12)
"""How long before it begins in UTC a day begins anywhere, and how long after it ends everywhere."""


def grant_facts(
    grants: Sequence[Grant], act: str, when: date | None, acts: Acts
) -> dict[str, FactValue]:
    """Return the facts of a chain of grants; of no chain, those of an act without authority.

    `grant.given`; `grant.covers` (every grant covers the act); `grant.depth` (how many);
    `grant.human_root` (the first grantor is a person); `grant.expired` (unknown where a grant runs
    out and the time is not known, or is a day within which it does); `grant.revoked`;
    `grant.connected` (every grantee is the next grantor and was allowed to hand it on, and nobody
    is in the chain twice).
    """
    given = bool(grants)
    return {
        "grant.given": given,
        COVERS: covers(grants, act, acts),
        "grant.depth": len(grants),
        "grant.human_root": given and grants[0].grantor_is in ("human", "deployer"),
        "grant.expired": _expired(grants, when),
        "grant.revoked": any(grant.revoked for grant in grants),
        "grant.connected": given and _connected(grants),
    }


def _connected(grants: Sequence[Grant]) -> bool:
    """Whether every grantee could hand on what the next one got, and nobody holds it twice.

    Whoever gives authority to themselves, or gets it back from those they gave it to, would hold it
    on their own word.
    """
    holders = [grants[0].grantor, *(grant.grantee for grant in grants)]
    return len(set(holders)) == len(holders) and all(
        one.redelegable and one.grantee == then.grantor for one, then in pairwise(grants)
    )


def covers(grants: Sequence[Grant], act: str, acts: Acts) -> bool:
    """Whether there are grants and each names the act or something it is a kind of."""
    above = acts.above(act)
    return bool(grants) and all(not above.isdisjoint(grant.acts) for grant in grants)


def wider(child: Grant, parent: Grant, acts: Acts) -> tuple[str, ...]:
    """Return in which respects a grant is wider than the one it is handed on from; empty: in none.

    `acts`, `resources`, `expires`, `depth`, `redelegable`, and `budget.UNIT` for every unit. The
    conditions of a chain all have to hold, so one that is added never widens what is handed on.
    """
    found = []
    if not all(any(acts.covers(above, act) for above in parent.acts) for act in child.acts):
        found.append("acts")
    if not _resources_within(child.resources, parent.resources):
        found.append("resources")
    if parent.expires is not None and (
        child.expires is None or _utc(child.expires) > _utc(parent.expires)
    ):
        found.append("expires")
    if parent.depth is not None and (child.depth is None or child.depth > parent.depth - 1):
        found.append("depth")
    if not parent.redelegable:
        found.append("redelegable")
    found += [
        f"budget.{unit}" for unit, most in child.budget.items() if _more(most, parent.budget, unit)
    ]
    return tuple(found)


def names_resource(patterns: Sequence[str] | None, resource: str) -> bool:
    """Whether a grant's resources name one: as it is, or by a beginning that ends in `*`."""
    return patterns is None or any(
        resource.startswith(p[:-1]) if p.endswith("*") else p == resource for p in patterns
    )


def _resources_within(child: Sequence[str] | None, parent: Sequence[str] | None) -> bool:
    if parent is None:
        return True
    # A beginning lies within another that it begins with; its star is no character of a name.
    return child is not None and all(
        names_resource([p for p in parent if p.endswith("*")], name[:-1])
        if name.endswith("*")
        else names_resource(parent, name)
        for name in child
    )


def _more(most: int | None, budget: Mapping[str, int | None], unit: str) -> bool:
    if unit not in budget:
        return most is None or most > 0
    limit = budget[unit]
    return limit is not None and (most is None or most > limit)


def _expired(grants: Sequence[Grant], when: date | None) -> bool | None:
    ends = [_utc(grant.expires) for grant in grants if grant.expires is not None]
    if not ends:
        return False
    if when is None:
        return None
    first = min(ends)
    if isinstance(when, datetime):
        return first <= _utc(when)
    # A difference is within bounds where a sum would leave the calendar.
    left = first - datetime.combine(when, time(), UTC)
    if left <= -_EAST:
        return True
    return None if left < timedelta(days=1) + _WEST else False


def _utc(when: datetime) -> datetime:
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when
