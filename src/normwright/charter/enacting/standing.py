"""Which norms another beats wherever they would apply, and which only here and there.

A system prompt that told the assistant what a stronger norm forbids anyway would tell it wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from normwright.norms import Acts, can_both_hold, implies
from normwright.norms.ranking import PERMISSIVE, RESTRICTIVE, contest, repeals
from normwright.records import Charter, Defeat, Norm, Vocabulary


@dataclass(frozen=True)
class Standing:
    """How the norms of one place stand to one another."""

    beaten: dict[str, Defeat] = field(default_factory=dict)
    """Reference of each norm that is beaten wherever it would apply -> how."""
    unless: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Reference of a restrictive norm -> the permissive ones that beat it in some situations."""


def standing(charter: Charter, norms: Sequence[Norm]) -> Standing:
    """Return which norms are beaten by others, everywhere or in some situations.

    A norm counts as beaten everywhere only where it is proved: another beats it, covers its act,
    actors, counterparties, channels and days, and its condition follows. Validity is compared by
    its dates alone.

    Args:
        charter: for its vocabulary.
        norms: the norms that hold.
    """
    vocabulary = charter.vocabulary
    acts = Acts(vocabulary)
    beaten: dict[str, Defeat] = {}
    unless: dict[str, tuple[str, ...]] = {}
    for old, new in _repealed(norms):
        beaten.setdefault(old.ref, Defeat(id=old.ref, by=new.ref, rule="express"))
    for permissive, restrictive in _meeting(norms, acts):
        found = contest(permissive, restrictive, acts, vocabulary.facts)
        if found.permitted:
            whole, winner, loser = _within(restrictive, permissive, acts, vocabulary), (
                permissive), restrictive  # fmt: skip
        else:
            whole, winner, loser = _within(permissive, restrictive, acts, vocabulary), (
                restrictive), permissive  # fmt: skip
        if whole:
            beaten.setdefault(loser.ref, Defeat(id=loser.ref, by=winner.ref, rule=found.rule))
        elif found.permitted and _overlapping(permissive, restrictive, vocabulary):
            known = unless.get(restrictive.ref, ())
            unless[restrictive.ref] = (*known, permissive.ref)
    return Standing(beaten, {ref: tuple(sorted(by)) for ref, by in unless.items()})


def _repealed(norms: Sequence[Norm]) -> Iterator[tuple[Norm, Norm]]:
    """Norms that another replaces outright, for as long as they could hold."""
    for new in (n for n in norms if n.supersedes):
        for old in norms:
            if repeals(new, old) and _days_within(old, new):
                yield old, new


def _meeting(norms: Sequence[Norm], acts: Acts) -> Iterator[tuple[Norm, Norm]]:
    """Pairs of a permissive and a restrictive norm that can speak about one act."""
    permissive = [n for n in norms if n.kind in PERMISSIVE or n.kind == "exemption"]
    restrictive = [n for n in norms if n.kind in RESTRICTIVE]
    for p in permissive:
        for r in restrictive:
            lifts = p.kind == "exemption"
            if lifts != (r.kind == "obligation"):
                continue
            if acts.covers(r.act, p.act) or acts.covers(p.act, r.act):
                yield p, r


def _within(loser: Norm, winner: Norm, acts: Acts, vocabulary: Vocabulary) -> bool:
    """Whether the winner applies wherever the loser does."""
    return (
        acts.covers(winner.act, loser.act)
        and actors_of(loser) <= actors_of(winner)
        and set(loser.scope.channels) <= set(winner.scope.channels)
        and set(loser.counterparty) <= set(winner.counterparty)
        and _days_within(loser, winner)
        and implies(loser.condition, winner.condition, vocabulary.facts) is True
    )


def actors_of(norm: Norm) -> set[str]:
    """Return whom a norm binds; the deployer is the one actor that is a person."""
    match norm.bearer.actor_sensitivity:
        case "human_only":
            return {a for a in norm.bearer.actor if a == "deployer"}
        case "agent_only":
            return {a for a in norm.bearer.actor if a != "deployer"}
        case _:
            return set(norm.bearer.actor)


def _days_within(inner: Norm, outer: Norm) -> bool:
    starts = outer.valid_from is None or (
        inner.valid_from is not None and outer.valid_from <= inner.valid_from
    )
    ends = outer.valid_to is None or (
        inner.valid_to is not None and inner.valid_to <= outer.valid_to
    )
    return starts and ends


def _overlapping(p: Norm, r: Norm, vocabulary: Vocabulary) -> bool:
    return can_both_hold(p.condition, r.condition, vocabulary.facts) is not False
