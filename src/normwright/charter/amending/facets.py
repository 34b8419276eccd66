"""Facts cut into the stretches that conditions can tell apart, and regions made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from normwright.charter.amending.deciding import Facts, Stretch, Term, cut
from normwright.charter.solving import domain_of, value_at
from normwright.records import Condition, FactType, FactValue, Vocabulary

Cube: TypeAlias = dict[str, tuple[Stretch, ...]]
"""For each fact that matters, the stretches it lies in."""


class Facets:
    """The facts that some conditions mention, each cut where the conditions cut it.

    Args:
        facts: the variables.
        vocabulary: the facts' types.
        conditions: whose cuts count.
    """

    def __init__(self, facts: Facts, vocabulary: Vocabulary, conditions: Iterable[Condition]):
        self._facts = facts
        self._types = {fact.name: fact for fact in vocabulary.facts}
        starts: dict[str, set[int]] = {}
        for condition in conditions:
            for name, cuts in facts.solver.formula(condition).starts.items():
                starts.setdefault(name, set()).update(cuts)
        self.stretches = {
            name: cut(self._types[name], cuts) for name, cuts in sorted(starts.items())
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The facts, sorted."""
        return tuple(self.stretches)

    def inside(self, name: str, stretches: Iterable[Stretch]) -> Term:
        """That a fact lies in one of some stretches."""
        return self._facts.some(*(self._facts.within(name, *stretch) for stretch in stretches))

    def of(self, cube: Cube) -> list[Term]:
        """That the facts lie in a region."""
        return [self.inside(name, stretches) for name, stretches in cube.items()]

    def read(self, model: Term, name: str) -> Stretch:
        """Return the stretch in which a model's value of a fact lies."""
        found = model.eval(self._facts.variable(name), model_completion=True)
        is_bool = self._types[name].type == "bool"
        value = int(self._facts.z3.is_true(found)) if is_bool else found.as_long()
        return next(
            (low, high)
            for low, high in self.stretches[name]
            if (low is None or low <= value) and (high is None or value <= high)
        )

    def value(self, name: str, stretch: Stretch) -> FactValue:
        """Return the plainest value of a stretch."""
        low, high = stretch
        return value_at(self._types[name], low if low is not None else 0 if high is None else high)

    def condition(self, cube: Cube) -> Condition:
        """Return a region as a condition."""
        parts = [self._said(name, cube[name]) for name in sorted(cube)]
        return (
            parts[0] if len(parts) == 1 else Condition(all=tuple(parts)) if parts else Condition()
        )

    def _said(self, name: str, stretches: tuple[Stretch, ...]) -> Condition:
        fact = self._types[name]
        match fact.type:
            case "bool":
                return Condition(fact=name, eq=stretches[0][0] == 1)
            case "enum":
                values = tuple(str(value_at(fact, low or 0)) for low, _ in stretches)
                if len(values) == 1:
                    return Condition(fact=name, eq=values[0])
                return Condition(fact=name, one_of=values)
        pieces = [self._between(fact, low, high) for low, high in _joined(stretches)]
        return pieces[0] if len(pieces) == 1 else Condition(any=tuple(pieces))

    def _between(self, fact: FactType, low: int | None, high: int | None) -> Condition:
        first, last = domain_of(fact)
        if low is not None and low == high and fact.type == "int":
            return Condition(fact=fact.name, eq=low)
        parts = []
        for key, end, edge in (("at_least", low, first), ("at_most", high, last)):
            value = None if end is None or end == edge else value_at(fact, end)
            if value is not None and not isinstance(value, bool):
                parts.append(Condition.model_validate({"fact": fact.name, key: value}))
        return parts[0] if len(parts) == 1 else Condition(all=tuple(parts))


def shared(before: Vocabulary, after: Vocabulary) -> tuple[Vocabulary, Mapping[str, list[int]]]:
    """Return one vocabulary for both, and for each enum the places of the values both have.

    A situation that only one of two vocabularies can express has no two verdicts to compare.
    """
    old = {fact.name: fact for fact in before.facts}
    new = {fact.name: fact for fact in after.facts}
    facts, places = [], {}
    for name in sorted({*old, *new}):
        one, other = old.get(name, new.get(name)), new.get(name, old.get(name))
        assert one is not None
        assert other is not None
        values = tuple(dict.fromkeys((*one.values, *other.values)))
        lows = [x for x in (one.low, other.low) if x is not None]
        highs = [x for x in (one.high, other.high) if x is not None]
        facts.append(other.model_copy(update={
            "values": values,
            "low": max(lows, default=None),
            "high": min(highs, default=None),
        }))  # fmt: skip
        if other.type == "enum":
            both = [i for i, v in enumerate(values) if v in one.values and v in other.values]
            places[name] = both
    return after.model_copy(update={"facts": tuple(facts)}), places


def clashing(before: Vocabulary, after: Vocabulary) -> frozenset[str]:
    """Return the facts whose type, values, bounds or threshold are not the same in both."""
    old = {fact.name: fact.model_dump(exclude={"label"}) for fact in before.facts}
    new = {fact.name: fact.model_dump(exclude={"label"}) for fact in after.facts}
    return frozenset(name for name in old if name in new and old[name] != new[name])


def _joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    found: list[Stretch] = []
    for low, high in stretches:
        if found and low is not None and found[-1][1] == low - 1:
            found[-1] = (found[-1][0], high)
        else:
            found.append((low, high))
    return found
