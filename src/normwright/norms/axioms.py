"""What axioms leave possible where facts are unknown."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

from normwright.norms.conditions import Truth, compiled, facts_of
from normwright.norms.specificity import cells, linked
from normwright.records import Condition, FactType, FactValue, Fault

COMPLETIONS = 1_024
"""Most ways for unknown facts to turn out that are gone through; beyond it nothing is concluded,
which leaves unknown what an axiom might have settled."""


class Axioms:
    """The axioms of a vocabulary, ready to be asked what they rule out.

    Args:
        axioms: conditions that hold in every situation.
        facts: the vocabulary's facts.
    """

    def __init__(self, axioms: Sequence[Condition], facts: Sequence[FactType]) -> None:
        self._axioms = tuple(axioms)
        self._facts = tuple(facts)
        self._tests = [compiled(axiom) for axiom in axioms]
        self._all = Condition(all=self._axioms)
        self.mentioned = tuple(sorted(facts_of(self._all)))
        """The facts they mention, sorted."""

    def __bool__(self) -> bool:
        return bool(self._axioms)

    def bear_on(self, condition: Condition) -> bool:
        """Whether an axiom mentions a fact of the condition."""
        return not facts_of(condition).isdisjoint(self.mentioned)

    def faults(self, facts: Mapping[str, FactValue]) -> list[Fault]:
        """Return the axioms that the known facts break, each alone or all together."""
        found = [
            _fault(f"axiom {number}", axiom, facts)
            for number, (axiom, test) in enumerate(zip(self._axioms, self._tests, strict=True))
            if test(facts) is False
        ]
        if not found and self._axioms and self.settled(self._all, facts) is False:
            found = [_fault("the axioms together", self._all, facts)]
        return found

    def settled(self, condition: Condition, facts: Mapping[str, FactValue]) -> Truth:
        """Return the truth of a condition in all situations that the axioms leave possible.

        None if there are some of either kind, or too many to go through; False if none is possible
        at all.
        """
        bearing, mentioned = linked(self._axioms, facts_of(condition))
        every = (condition, *bearing)
        open_ = [f for f in self._facts if f.name in mentioned and facts.get(f.name) is None]
        domains = [cells(fact, every) for fact in open_]
        if math.prod(map(len, domains)) > COMPLETIONS:
            return None
        test, possible = compiled(condition), compiled(Condition(all=bearing))
        seen = set()
        for values in itertools.product(*domains):
            full = {**facts, **dict(zip((f.name for f in open_), values, strict=True))}
            if possible(full):
                seen.add(test(full) is True)
                if len(seen) == 2:
                    return None
        return seen == {True}


def _fault(where: str, axiom: Condition, facts: Mapping[str, FactValue]) -> Fault:
    told = {name: facts[name] for name in sorted(facts_of(axiom)) if facts.get(name) is not None}
    seen = ", ".join(f"{name}: {value}" for name, value in told.items())
    text = axiom.model_dump_json(by_alias=True, exclude_none=True)
    return Fault(where=f"facts: {where}", expected=f"a situation in which {text} holds", seen=seen)
