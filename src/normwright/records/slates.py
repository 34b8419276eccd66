"""Slates and what they mean for minorities: representation and vetoes, audited."""

from __future__ import annotations

from typing import Any

from normwright.records.base import Frozen


class CohesiveGroup(Frozen):
    """People who agree on something, measured by what a slate gives them. They are not named."""

    lacks: str
    """An alternative outside the slate that all of them approve of."""
    supports: tuple[str, ...] = ()
    """Everything that all of them approve of. Told of groups that were left without their share
    only: of a small group it would give away what single people think."""
    voters: int
    """Their number; weighted, where voters are."""
    share: float
    """Their part of all voters."""
    deserves: int
    """Places of the slate that so many are owed."""
    has: int
    """The most members of the slate that any one of them approves of."""
    fill: float
    """Their number divided by the number that would be owed one place more than `has`; a group is
    left without its share from 1 on."""
    informed: int | None
    """Those of them who were asked about every member of the slate; what the others would say of a
    member is not known. None where ballots do not tell who was asked what."""


class RepresentationAudit(Frozen):
    """Whether a slate gives every large group that agrees on something its share."""

    axiom: str
    """`jr` (somebody in the group has a member) or `ejr-plus` (somebody has as many as is owed)."""
    satisfied: bool
    witness: CohesiveGroup | None
    """The group that is worst off, by `fill`; None where nobody is left without."""
    closest: CohesiveGroup | None
    """The group with the largest `fill`, satisfied or not; None where nobody approves of anything
    outside the slate that would be owed to them."""
    quota: float
    """Voters that are owed one place: all voters divided by the size."""
    settled: bool | None
    """Whether the verdict is the same whatever people would say of what they were not asked about.
    None where ballots do not tell what that is."""
    least: float | None
    """The `fill` of the worst-off group if unasked people approved of every member; sharp."""
    most: float | None
    """The same if they approved of everything but members; sharp."""
    exposure: float | None
    """Share of voters and alternatives of which it is known that the voter was asked. What is said
    here is about approvals that were given; unseen is not approval. None: not known."""


class VetoClaim(Frozen):
    """The coalition with the largest claim to veto one alternative, in proportion to its size."""

    alternative: str
    epsilon: float
    """How far the coalition's share of voters exceeds the share that a veto takes; 0: nobody can
    veto the alternative, it is in the proportional veto core."""
    voters: int
    """Voters in the coalition; 0 where there is none."""
    share: float
    """Their part of all voters."""
    prefers: tuple[str, ...]
    """What every one of them puts above it."""


class SlateAudit(Frozen):
    """What a slate means for minorities, without any grouping of people beforehand."""

    members: tuple[str, ...]
    size: int
    """The places that shares are measured by."""
    jr: RepresentationAudit | None
    ejr_plus: RepresentationAudit | None
    vetoes: tuple[VetoClaim, ...] | None
    """Who could veto each member; None where ballots do not rank every alternative."""
    not_audited: tuple[str, ...] = ()
    """Why something above is None, in words."""


class Slate(Frozen):
    """So many alternatives chosen together by one rule, with its audit."""

    method: str
    size: int
    members: tuple[str, ...]
    """In the order they were chosen where `sequential`, else in the order of the ballots."""
    sequential: bool
    """Whether the order of the members means anything."""
    tied: bool
    """Whether the rule would as well have chosen another slate, or that was not settled."""
    voters: int
    """Their number; the sum of weights in millionths, where voters are weighted."""
    exposure: float | None
    """Share of voters and alternatives of which it is known that the voter was asked."""
    audit: SlateAudit
    facts: dict[str, Any] = {}
    """What the rule says of its choice: scores, a certificate, how ties went."""
