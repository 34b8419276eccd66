"""What each act breaks, and the verdict that follows from comparing acts.

Profiles are compared rank by rank from the strongest, and inside a rank gravest severity first
(leximax): the least grave act is chosen, and many trifles never outweigh one grave breach.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from normwright.norms.acts import NULL_ACT
from normwright.norms.axioms import Question
from normwright.norms.conditions import Test
from normwright.records import DecisionVerdict, Norm


@dataclass(frozen=True, eq=False, slots=True)
class Entry:
    """A norm made ready: its strength, its test and what it waits for."""

    index: int
    norm: Norm
    ref: str
    strength: int
    test: Test
    immediate: bool
    """False for an obligation with a deadline: acting otherwise meanwhile does not breach it."""
    maintained: Test | None = None
    """For an obligation: what has to hold for it to go on."""
    by_act: bool = False
    """Whether the test asks about the act itself, so that it can differ from act to act."""
    lawful: Question | None = None
    """The condition in the light of the axioms, where one bears on it."""

    @property
    def axiomatic(self) -> bool:
        """Whether an axiom bears on the condition."""
        return self.lawful is not None


@dataclass(frozen=True, slots=True)
class Profile:
    """What one act breaks, what it may break, and what of it may yet fall away."""

    broken: tuple[Entry, ...]
    pending: tuple[Entry, ...]
    loose: frozenset[int]
    """Broken norms that a permissive norm of unknown condition would beat."""
    assumed: frozenset[int]
    """Broken norms taken to apply although that is not known: a counterparty nobody named, an
    obligation that may have lapsed. They forbid as others do, but no other norm may be broken in
    their favour."""
    waived: bool
    """True if a norm of unknown condition was let pass because it says `on_unknown: allow`."""
    refused: bool
    """True if a pending norm says `on_unknown: deny`."""

    @property
    def worst(self) -> tuple[tuple[int, ...], ...]:
        return gravity((*self.broken, *self.pending))

    @property
    def best(self) -> tuple[tuple[int, ...], ...]:
        return gravity(e for e in self.broken if e.index not in self.loose | self.assumed)


def gravity(entries: Iterable[Entry]) -> tuple[tuple[int, ...], ...]:
    """Return the severities a rank, gravest first: compared as tuples, this order is leximax."""
    ranks: list[list[int]] = [[] for _ in range(8)]
    for entry in entries:
        ranks[entry.strength].append(entry.norm.severity)
    return tuple(tuple(sorted(severities, reverse=True)) for severities in ranks)


def least_grave(profiles: Mapping[str, Profile]) -> tuple[str, ...]:
    """Return the acts with the least grave profile, counting what is pending as broken."""
    worst = {act: profile.worst for act, profile in profiles.items()}
    least = min(worst.values(), default=None)
    return tuple(act for act, gravity in worst.items() if gravity == least)


def verdict_of(request: str, profiles: Mapping[str, Profile]) -> DecisionVerdict:
    """Return the verdict on `request`, given what it and every alternative break."""
    own = profiles[request]
    others = {act: p for act, p in profiles.items() if act != request}
    if not own.broken:
        return _as_told(own) if own.pending else "allow"
    if any(not p.broken for p in others.values()):
        if len(own.loose) < len(own.broken):
            return "deny"
        return _as_told(own)
    if not any(p.pending or p.loose or p.assumed for p in profiles.values()):
        return _dilemma(request, profiles)
    # Something is unknown and every act breaks a norm: only a comparison that comes out the same
    # in the worst and the best case is settled.
    if all(own.worst < p.best for p in others.values()):
        return "necessity"
    if any(p.worst < own.best for p in others.values()):
        return "deny-dilemma"
    return _as_told(own)


def _as_told(own: Profile) -> DecisionVerdict:
    return "deny" if own.refused else "ask"


def _dilemma(request: str, profiles: Mapping[str, Profile]) -> DecisionVerdict:
    least = least_grave(profiles)
    if request not in least:
        return "deny-dilemma"
    if len(least) == 1:
        return "necessity"
    return "dilemma-inaction" if NULL_ACT in least else "dilemma-choice"


def settled(
    verdict: DecisionVerdict, own: Profile, profiles: Mapping[str, Profile], request: str
) -> bool:
    """Whether no unknown fact can change the verdict, seen without trying any."""
    if verdict == "allow":
        return not own.waived
    firm = len(own.loose | own.assumed) < len(own.broken)
    clean = any(
        not p.broken and not p.pending and not p.waived
        for act, p in profiles.items()
        if act != request
    )
    return verdict == "deny" and firm and clean
