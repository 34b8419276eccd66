"""The truth of each norm's condition in one situation, worked out once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from normwright.norms.conditions import Truth
from normwright.norms.contexts import Context
from normwright.norms.grants import COVERS
from normwright.norms.profiles import Entry
from normwright.records import FactValue


class Truths:
    """Truth of conditions under one set of facts.

    Args:
        facts: what is known.
        covers: whether the chain of grants covers an act; None: the same fact for every act.
    """

    __slots__ = ("_covers", "_known", "facts")

    def __init__(
        self,
        facts: Mapping[str, FactValue],
        covers: Callable[[str], bool] | None = None,
    ) -> None:
        self.facts = facts
        self._covers = covers
        self._known: dict[int | tuple[int, bool], Truth] = {}

    def of(self, entry: Entry, act: str | None = None) -> Truth:
        """Return whether a norm's condition holds for an act; by itself, for the norm's own."""
        key: int | tuple[int, bool] = entry.index
        facts = self.facts
        if entry.by_act and self._covers is not None:
            covered = self._covers(entry.norm.act if act is None else act)
            key = (entry.index, covered)
            facts = {**facts, COVERS: covered}
        if key in self._known:
            return self._known[key]
        value = entry.test(facts)
        if value is None and entry.lawful is not None:
            value = entry.lawful.settled(facts)
        self._known[key] = value
        return value

    def goes_on(self, entry: Entry) -> Truth:
        """Return whether an obligation has not lapsed."""
        return True if entry.maintained is None else entry.maintained(self.facts)

    def revised(self, facts: Mapping[str, FactValue]) -> Truths:
        """Return the same under more facts; what was determined stays determined."""
        more = Truths(facts, self._covers)
        more._known = {key: value for key, value in self._known.items() if value is not None}
        return more


@dataclass(frozen=True, slots=True)
class Owed:
    """An obligation that holds, or of which that is not known."""

    duty: Entry
    truth: Truth
    lifting: tuple[Entry, ...]
    """Exemptions from it that hold."""
    perhaps: tuple[Entry, ...]
    """Exemptions from it that hold or may."""


@dataclass(frozen=True)
class View:
    """The norms of a frame, and which of them hold."""

    context: Context
    truths: Truths

    @cached_property
    def duties(self) -> tuple[Owed, ...]:
        """Obligations that hold or may, the exemptions that lift them, and all that may."""
        found = []
        for duty, exemptions in self.context.duties_under(self.truths.facts):
            truth = self.truth(duty)
            if truth is False or self.truths.goes_on(duty) is False:
                continue
            lifting = tuple(x for x in exemptions if self.truth(x) is True)
            perhaps = tuple(x for x in exemptions if self.truth(x) is not False)
            found.append(Owed(duty, truth, lifting, perhaps))
        return tuple(found)

    @cached_property
    def obliging(self) -> tuple[Owed, ...]:
        """Those of them that are broken by doing anything else."""
        return tuple(owed for owed in self.duties if owed.duty.immediate)

    def truth(self, entry: Entry, act: str | None = None) -> Truth:
        """Whether a norm applies: where that is not known, no condition makes it certain."""
        value = self.truths.of(entry, act)
        return None if value is True and entry.index in self.context.doubtful else value

    def assumed(self, entry: Entry) -> bool:
        """Whether a restrictive norm counts although it may turn out not to apply."""
        return entry.index in self.context.assumed or self.truths.goes_on(entry) is None
