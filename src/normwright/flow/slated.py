"""A slate from a file of ballots: chosen by a rule, audited for minorities and single voters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from normwright.records import RankInfluence, ShareInfluence, Slate, SlateInfluence

if TYPE_CHECKING:
    from normwright.flow.ballots import Cast

HALF = 0.5
"""The share of support that a member is held against, for what it takes to turn it."""


@dataclass(frozen=True)
class Influence:
    """What single voters can do to a slate and to each of its members."""

    slate: SlateInfluence
    shares: tuple[ShareInfluence, ...] = ()
    """Of each member that anybody was asked about, against one half."""
    places: tuple[RankInfluence, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {
            "slate": self.slate.model_dump(mode="json"),
            "shares": [one.model_dump(mode="json") for one in self.shares],
            "places": [one.model_dump(mode="json") for one in self.places],
        }


@dataclass(frozen=True)
class Slated:
    """A slate and the ballots it was chosen from."""

    cast: Cast
    slate: Slate
    support: dict[str, tuple[int, int]] | None = None
    """Member -> voters who approve of it, and voters who were asked; None where ballots do not say
    what is approved."""
    served: tuple[int, ...] | None = None
    """Voters who approve of none, one, two ... of the members; None likewise."""
    influence: Influence | None = None
    """None where it was not asked for."""


def slate_of(
    cast: Cast, *, size: int, method: str, influence: bool = False, seed: int = 0
) -> Slated:
    """Return the slate that a rule chooses, with its audit.

    Args:
        cast: the ballots.
        size: how many are chosen together.
        method: slug of the slate rule.
        influence: whether to try what single voters can do to it.
        seed: of the sample of voters that are tried, where there are many.

    Raises:
        PluginError: if there is no such rule.
        Inapplicable: if the ballots do not hold what it needs, or there are too few alternatives.
    """
    from normwright.aggregate import slate

    found = slate(cast.election, size=size, method=method)
    support, served = _served(cast, found)
    tried = _influence(cast, found, support, seed) if influence else None
    return Slated(cast, found, support, served, tried)


def _served(
    cast: Cast, found: Slate
) -> tuple[dict[str, tuple[int, int]] | None, tuple[int, ...] | None]:
    from normwright.aggregate import Inapplicable

    election = cast.election
    members = [election.alternatives.index(name) for name in found.members]
    try:
        approved = election.approvals("slate")[:, members]
    except Inapplicable:
        return None, None
    asked = np.ones_like(approved) if election.grades is None else election.grades[:, members] >= 0
    agree, seen = election.counts @ approved, election.counts @ asked
    support = {name: (int(agree[j]), int(seen[j])) for j, name in enumerate(found.members)}
    has = np.bincount(approved.sum(axis=1), weights=election.counts, minlength=len(members) + 1)
    return support, tuple(int(n) for n in has)


def _influence(
    cast: Cast, found: Slate, support: dict[str, tuple[int, int]] | None, seed: int
) -> Influence:
    from normwright.aggregate import rank_influence, share_influence, slate_influence

    election = cast.election
    whole = slate_influence(election, size=found.size, method=found.method, seed=seed)
    if support is None:
        return Influence(whole)
    shares = tuple(
        share_influence(name, agree=agree, seen=seen, threshold=HALF)
        for name, (agree, seen) in support.items()
        if seen
    )
    places: tuple[RankInfluence, ...] = ()
    if election.grades is not None:
        places = tuple(rank_influence(election, name) for name in found.members)
    return Influence(whole, shares, places)
