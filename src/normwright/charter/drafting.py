"""From outcomes to drafts: how many people stand behind each norm, in all and group by group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from normwright.charter.reading import CharterSource
from normwright.norms.vocabulary import near
from normwright.records import (
    Digest,
    Estimate,
    Fault,
    InputError,
    Norm,
    Outcome,
    Statement,
    Support,
)


@dataclass(frozen=True)
class Draft:
    """A norm with the support that statements about it found."""

    norm: Norm
    statements: tuple[str, ...] = ()
    """Statements that asked the norm's own electorate about it."""
    support: dict[str, Estimate] = field(default_factory=dict)
    """`all`, then one entry an opinion group; empty if nobody was asked."""
    shares: dict[str, float] = field(default_factory=dict)
    """Share of the participants in each opinion group."""
    tally: Digest | None = None
    """Digest of the outcome the support comes from."""

    @property
    def people(self) -> int:
        """How many people the support rests on."""
        return self.support["all"].n if "all" in self.support else 0


def draft(
    source: CharterSource, outcomes: Sequence[Outcome], statements: Sequence[Statement]
) -> tuple[Draft, ...]:
    """Return every norm of a source with the support that people gave it.

    Statements about one norm are pooled: agreement with one that endorses the norm supports it, and
    so does disagreement with one that opposes it. A pass supports neither side and stays in the
    count; a vote that was not cast does not count at all. The interval (Wilson) takes as its n the
    most people who voted on any one of the statements, not the number of votes: the same people
    answered several, so counting votes would claim more than was learned.

    A group's share takes a statement that opposes the norm into account only where the outcome
    counts who disagrees in each group.

    Args:
        source: norms and vocabulary.
        outcomes: one a layer and authority.
        statements: what was voted on; those without a norm are not used here.

    Raises:
        InputError: if a statement speaks about a norm there is not, or asks another electorate
            than the norm's own.
    """
    faults = list(_misdirected(source.norms, statements))
    if faults:
        raise InputError(faults)
    electorates = {(o.layer, o.authority): o for o in outcomes}
    return tuple(
        _drafted(
            norm,
            [s for s in statements if s.norm == norm.id],
            electorates.get((norm.layer, norm.authority)),
        )
        for norm in source.norms
    )


def _misdirected(norms: Sequence[Norm], statements: Sequence[Statement]) -> Iterable[Fault]:
    by_id = {norm.id: norm for norm in norms}
    for s in statements:
        if s.norm is None:
            continue
        norm = by_id.get(s.norm)
        if norm is None:
            yield Fault(where=f"statement {s.id}: norm", expected="a norm of the source",
                        seen=s.norm, do=near(s.norm, by_id))  # fmt: skip
        elif (s.layer, s.authority) != (norm.layer, norm.authority):
            yield Fault(
                where=f"statement {s.id}: authority",
                expected=f"{norm.layer}/{norm.authority}, who decide {norm.id}",
                seen=f"{s.layer}/{s.authority}",
                do="A norm is decided by its own electorate.",
            )


def _drafted(norm: Norm, about: Sequence[Statement], outcome: Outcome | None) -> Draft:
    if outcome is None or not about:
        return Draft(norm)
    counted = {s.statement: s for s in outcome.support}
    asked = [(s, counted[s.id]) for s in about if s.id in counted]
    if not asked:
        return Draft(norm)
    groups = outcome.grouping.groups
    support = {"all": _pooled(_overall(s, found) for s, found in asked)}
    for group in groups:
        support[group.id] = _pooled(_within(s, found, group.id) for s, found in asked)
    return Draft(
        norm=norm,
        statements=tuple(s.id for s, _ in asked),
        support=support,
        shares={g.id: g.size / outcome.participants for g in groups if outcome.participants},
        tally=outcome.digest,
    )


def _overall(statement: Statement, found: Support) -> tuple[float, int]:
    """Votes for the norm and votes cast, passes included."""
    favourable = found.agree if statement.endorses else found.disagree
    return favourable, found.agree + found.disagree + found.passed


def _within(statement: Statement, found: Support, group: str) -> tuple[float, int]:
    shares = found.groups if statement.endorses else found.groups_disagree
    share = shares.get(group)
    if share is None or share.value is None:
        return 0.0, 0
    return share.value * share.n, share.n


def _pooled(counts: Iterable[tuple[float, int]]) -> Estimate:
    from normwright.stats import wilson  # numpy comes with it, which a check of norms never needs

    found = list(counts)
    votes = sum(n for _, n in found)
    people = max((n for _, n in found), default=0)
    if votes == 0:
        return Estimate(value=None, interval=None, n=0)
    share = min(1.0, sum(k for k, _ in found) / votes)
    return Estimate(value=share, interval=wilson(share * people, people), n=people)
