"""What a chain of grants says: the facts a charter can write norms about.

Authority handed on is what every link hands on (the meet along the chain), so one link that does
not cover an act, was revoked or has run out is enough. How grants are issued and spent is no matter
of this room; it only reads the chain a situation names.
"""

from __future__ import annotations

from collections.abc import Sequence
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
