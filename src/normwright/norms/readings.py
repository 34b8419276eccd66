"""What is known in a situation: facts as they were read, and facts that follow from the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from normwright.norms.acts import Acts
from normwright.norms.grants import grant_facts
from normwright.records import (
    UNKNOWN,
    Basis,
    FactReading,
    FactType,
    FactValue,
    Fault,
    Situation,
)

PLACE = "jurisdiction"
"""The fact that says which one polity a situation lies under, where a vocabulary declares it."""

Known: TypeAlias = dict[str, FactValue]


@dataclass(frozen=True)
class Polities:
    """Which polities' norms apply."""

    sure: frozenset[str] | None
    """Those known to; None: all."""
    open: bool = False
    """Whether others may."""

    def apply(self, authority: str) -> bool | None:
        """Whether a polity's norms apply; None if that is not known."""
        if self.sure is None or authority in self.sure:
            return True
        return None if self.open else False


def known_facts(
    situation: Situation, facts: Mapping[str, FactType], acts: Acts
) -> tuple[Known, list[Fault]]:
    """Return the value of every declared fact that the situation knows, and what is contradictory.

    A reading that is not sure enough is unknown. Labels of data are the facts `flow.*`, a chain of
    grants gives `grant.*`, and a single polity is the fact `jurisdiction`; all of them only where
    the vocabulary declares the fact. One that is also given by name must agree.
    """
    known: Known = {
        name: _read(given, facts[name]) for name, given in situation.facts.items() if name in facts
    }
    faults = []
    for name, value in _derived(situation, known, facts, acts).items():
        if name not in facts or value is None:
            continue
        given = known.get(name)
        if given is not None and given != value:
            faults.append(Fault(where=f"facts.{name}", expected=f"{value}, as the rest of the "
                                "situation says", seen=str(given)))  # fmt: skip
        if name not in situation.facts:
            known[name] = value
    return known, faults


def polities(situation: Situation, basis: tuple[Basis, ...]) -> Polities:
    """Return whose norms apply, given whose places count."""
    told = situation.jurisdiction
    match told:
        case None:
            return Polities(None)
        case str():
            return Polities(frozenset(), open=True)
        case tuple():
            counted = list(told)
        case _:
            # Of nobody's place being told it does not follow that no polity has a say.
            counted = [told.get(who, UNKNOWN) for who in basis or told] or [UNKNOWN]
    return Polities(frozenset(counted) - {UNKNOWN}, open=UNKNOWN in counted)


def single_polity(under: Polities, fact: FactType | None) -> str | None:
    """Return the value of the fact `jurisdiction` if exactly one polity is named and it has it."""
    if fact is None or fact.type != "enum" or under.open or under.sure is None:
        return None
    one = next(iter(under.sure), None)
    return one if len(under.sure) == 1 and one in fact.values else None


def _read(given: FactValue | FactReading, fact: FactType) -> FactValue:
    if not isinstance(given, FactReading):
        return given
    least, sure = fact.min_confidence, given.confidence
    if given.origin == "classifier" and (least is None or sure is None):
        return None
    return None if least is not None and sure is not None and sure < least else given.value


def _derived(
    situation: Situation, known: Known, facts: Mapping[str, FactType], acts: Acts
) -> Known:
    derived: Known = {f"flow.{label}": value for label, value in situation.flow.items()}
    # Without a chain, a fact about one that is given by name speaks for itself, and the others
    # that belong to the same chain are not known.
    told = any(name.startswith("grant.") for name in known)
    if situation.grants or not told:
        derived |= grant_facts(situation.grants, situation.act, situation.time, acts)
    return derived
