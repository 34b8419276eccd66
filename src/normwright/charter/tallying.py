"""Votes about one norm, pooled with their sign, in all and group by group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from normwright.records import Digest, Estimate, Outcome, RobustSupport, Statement, Support

Side: TypeAlias = Literal["for", "against", "passed"]
Asked: TypeAlias = Sequence[tuple[Statement, Support]]
"""Statements about one norm with what its electorate said."""


LEAST = 10
"""Groups in which fewer people voted are not told apart where people read."""


def recognisable(groups: Mapping[str, Estimate]) -> set[str]:
    """Return the groups that are too small to be shown, and one more where only one is.

    The next smallest goes with it, because otherwise it could be worked out from the total.
    """
    hidden = {group for group, share in groups.items() if share.n < LEAST}
    rest = sorted((share.n, group) for group, share in groups.items() if group not in hidden)
    if len(hidden) == 1 and rest:
        hidden.add(rest[0][1])
    return hidden


@dataclass(frozen=True)
class Tallied:
    """What one electorate said about a norm, or about one statement by itself."""

    statements: tuple[str, ...] = ()
    """Statements that asked about it; empty if nobody was asked."""
    support: dict[str, Estimate] = field(default_factory=dict)
    """`all`, then one entry an opinion group; empty if nobody was asked."""
    shares: dict[str, float] = field(default_factory=dict)
    """Share of the participants in each opinion group."""
    tally: Digest | None = None
    """Digest of the outcome the support comes from."""
    robust: RobustSupport | None = None
    """What stays of the support in resamples; None: it was not computed, so nothing is known."""

    @property
    def people(self) -> int:
        """How many people voted on it: the most on any one statement where no more is known."""
        if self.robust is not None:
            return self.robust.people
        return self.support["all"].n if "all" in self.support else 0


def tallied(
    about: Sequence[Statement],
    outcome: Outcome | None,
    *,
    norm: str | None,
    opposed: bool = False,
) -> Tallied:
    """Return what an electorate said on some statements, pooled with their sign.

    Args:
        about: the statements.
        outcome: what their electorate said; None: it was not asked.
        norm: the norm they speak about; None: one statement by itself.
        opposed: whether to return what was said for doing without the norm.
    """
    if opposed:
        about = [s.model_copy(update={"endorses": not s.endorses}) for s in about]
    asked = [] if outcome is None else asked_of(outcome, about)
    if outcome is None or not asked:
        return Tallied()
    groups = outcome.grouping.groups
    names = tuple(s.id for s, _ in asked)
    return Tallied(
        statements=names,
        support={"all": overall(asked), **{g.id: within(asked, g.id) for g in groups}},
        shares={g.id: g.size / outcome.participants for g in groups if outcome.participants},
        tally=outcome.digest,
        robust=next(
            (
                r
                for r in outcome.robust
                if (r.norm, r.opposed) == (norm, opposed) and set(r.statements) == set(names)
            ),
            None,
        ),
    )


def asked_of(outcome: Outcome, about: Iterable[Statement]) -> Asked:
    """Return the statements that an outcome counts, with their support, in the given order."""
    counted = {s.statement: s for s in outcome.support}
    return [(s, counted[s.id]) for s in about if s.id in counted]


def overall(asked: Asked, side: Side = "for") -> Estimate:
    """Return the share of all votes on one side.

    A pass is on neither side and stays in the count. The interval (Wilson) takes as its n the most
    people who voted on any one of the statements, not the number of votes: the same people answered
    several, so counting votes would claim more than was learned.
    """
    return _pooled(_votes(s, found, side) for s, found in asked)


def within(asked: Asked, group: str, side: Side = "for") -> Estimate:
    """Return the share of one opinion group's votes on one side, unknown where it was not counted.

    Raises:
        ValueError: for passes, which outcomes do not count by group.
    """
    return _pooled(_votes_within(s, found, group, side) for s, found in asked)


def outside(asked: Asked, group: str, side: Side = "for") -> Estimate:
    """Return the share of the votes on one side of everybody outside an opinion group."""
    counts = []
    for statement, found in asked:
        k, n = _votes(statement, found, side)
        mine, of_mine = _votes_within(statement, found, group, side)
        if of_mine:
            counts.append((k - mine, n - of_mine))
    return _pooled(counts)


def _votes(statement: Statement, found: Support, side: Side) -> tuple[float, int]:
    cast = found.agree + found.disagree + found.passed
    if side == "passed":
        return found.passed, cast
    return found.agree if statement.endorses == (side == "for") else found.disagree, cast


def _votes_within(
    statement: Statement, found: Support, group: str, side: Side
) -> tuple[float, int]:
    if side == "passed":
        raise ValueError("outcomes do not count who passed in each group")
    agreeing = statement.endorses == (side == "for")
    share = (found.groups if agreeing else found.groups_disagree).get(group)
    if share is None or share.value is None:
        return 0.0, 0
    # A count of people, whole again, so that exactly one half is exactly one half.
    return round(share.value * share.n), share.n


def _pooled(counts: Iterable[tuple[float, int]]) -> Estimate:
    from normwright.stats import wilson  # numpy comes with it, which a check of norms never needs

    found = list(counts)
    votes = sum(n for _, n in found)
    people = max((n for _, n in found), default=0)
    if votes == 0:
        return Estimate(value=None, interval=None, n=0)
    share = min(1.0, sum(k for k, _ in found) / votes)
    return Estimate(value=share, interval=wilson(share * people, people), n=people)
