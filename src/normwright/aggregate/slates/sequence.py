"""How rules that choose one after the other are followed, and whether their ties mattered."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Protocol

from normwright.aggregate.slates import Chosen

STEPS = 256
"""Choices that are tried, beside those taken, to find out whether ties could give another slate."""


class State(Protocol):
    """A rule on its way: what it has chosen so far."""

    def leading(self) -> tuple[int, ...]:
        """Return the alternatives that the rule would choose next, all that are exactly level."""

    def after(self, alternative: int) -> State:
        """Return the state once an alternative was chosen; this one stays as it is."""

    def key(self) -> Hashable:
        """Return what all that comes later depends on."""


@dataclass(frozen=True)
class Tie:
    """A choice among alternatives that were exactly level."""

    place: int
    """How many were chosen before."""
    level: tuple[int, ...]
    took: int


@dataclass(frozen=True)
class Path:
    """What was chosen, one after the other, with the ties on the way."""

    members: tuple[int, ...]
    last: State
    ties: tuple[Tie, ...]
    tied: bool
    """Whether another way out of the ties gives another slate, or not all ways were followed."""
    followed: bool
    """Whether all ways out of the ties were followed, or another slate was found."""

    def facts(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Return how ties went, in names."""
        ties = [
            {"place": t.place + 1, "level": [names[j] for j in t.level], "took": names[t.took]}
            for t in self.ties
        ]
        return {"ties": ties, "ties_order": "as in the ballots", "ties_followed": self.followed}


def follow(state: State, size: int) -> Path:
    """Return the path to so many; among alternatives that are level, the first in the ballots.

    Ties need not matter: where every way out of them ends in the same slate, it is not tied.
    """
    start, members, ties = state, [], []
    for place in range(size):
        level = state.leading()
        if len(level) > 1:
            ties.append(Tie(place, level, level[0]))
        members.append(level[0])
        state = state.after(level[0])
    if not ties:
        return Path(tuple(members), state, tuple(ties), tied=False, followed=True)
    tied, followed = _another(start, frozenset(members), size)
    return Path(tuple(members), state, tuple(ties), tied=tied, followed=followed)


def chosen(path: Path, names: tuple[str, ...], facts: dict[str, Any]) -> Chosen:
    """Return what a rule chose one after the other."""
    return Chosen(
        path.members, sequential=True, tied=path.tied, facts={**facts, **path.facts(names)}
    )


def _another(start: State, slate: frozenset[int], size: int) -> tuple[bool, bool]:
    """Whether a way ends in another slate (or that is not known), and whether that was settled."""
    waiting: list[tuple[State, int]] = [(start, 0)]
    known = {start.key()}
    steps = 0
    while waiting:
        state, place = waiting.pop()
        if place == size:
            continue
        # An alternative outside the slate that could come next means another slate.
        level = state.leading()
        if any(j not in slate for j in level):
            return True, True
        for j in level:
            if len(level) > 1:
                steps += 1
            if steps > STEPS:
                return True, False
            follower = state.after(j)
            if (key := follower.key()) not in known:
                known.add(key)
                waiting.append((follower, place + 1))
    return False, True
