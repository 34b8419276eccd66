"""What axioms leave possible where facts are unknown."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from normwright.norms.conditions import Test, Truth, compiled, facts_of
from normwright.norms.specificity import cells, linked
from normwright.records import Condition, FactType, FactValue, Fault

COMPLETIONS = 1_024
"""Most ways for unknown facts to turn out that are gone through; beyond it nothing is concluded,
which leaves unknown what an axiom might have settled."""

_REMEMBERED = 4_096
"""Answers that one question keeps ready."""

_UNASKED: Any = object()


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
        self._groups = [self.question(Condition(all=group)) for group in _apart(self._axioms)]

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
        if not found and any(group.settled(facts) is False for group in self._groups):
            found = [_fault("the axioms together", self._all, facts)]
        return found

    def question(self, condition: Condition) -> Question:
        """Return a condition made ready to be asked in the light of the axioms."""
        return Question(condition, self._axioms, self._facts)


class Question:
    """A condition whose truth is asked in all situations that the axioms leave possible.

    Args:
        condition: what is asked.
        axioms: conditions that hold in every situation.
        facts: the vocabulary's facts.
    """

    def __init__(
        self, condition: Condition, axioms: Sequence[Condition], facts: Sequence[FactType]
    ) -> None:
        bearing, mentioned = linked(axioms, facts_of(condition))
        every = (condition, *bearing)
        self._test = compiled(condition)
        self._own = facts_of(condition)
        self._bearing = [(compiled(axiom), facts_of(axiom)) for axiom in bearing]
        self._cells = {f.name: cells(f, every) for f in facts if f.name in mentioned}
        self._known: dict[tuple[FactValue, ...], Truth] = {}

    def settled(self, facts: Mapping[str, FactValue]) -> Truth:
        """Return the truth of the condition in all situations that the axioms leave possible.

        None if there are some of either kind, or too many to go through; False if none is possible
        at all.
        """
        key = tuple(facts.get(name) for name in self._cells)
        # None is an answer too. Another thread may empty the table at any moment.
        found = self._known.get(key, _UNASKED)
        if found is not _UNASKED:
            return found if found is None else bool(found)
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        answer = self._known[key] = self._answer(facts)
        return answer

    def _answer(self, facts: Mapping[str, FactValue]) -> Truth:
        open_, tests = self._open(facts)
        if math.prod(len(self._cells[name]) for name in open_) > COMPLETIONS:
            return None
        seen = set()
        full = dict(facts)
        for values in itertools.product(*(self._cells[name] for name in open_)):
            full.update(zip(open_, values, strict=True))
            if all(test(full) for test in tests):
                seen.add(self._test(full) is True)
                if len(seen) == 2:
                    return None
        return seen == {True}

    def _open(self, facts: Mapping[str, FactValue]) -> tuple[list[str], list[Test]]:
        """The unknown facts that bear on the condition, and the axioms that bind them.

        An axiom that the known facts fulfil binds nothing, and a known fact links nothing.
        """
        left = []
        tests: list[Test] = []
        for test, own in self._bearing:
            truth = test(facts)
            if truth is False:
                return [], [test]
            if truth is None:
                left.append((test, {name for name in own if facts.get(name) is None}))
        reached = {name for name in self._own if facts.get(name) is None}
        near = True
        while near:
            near = any(not own.isdisjoint(reached) for _, own in left)
            tests += [test for test, own in left if not own.isdisjoint(reached)]
            joined = reached.union(*(own for _, own in left if not own.isdisjoint(reached)))
            left = [(test, own) for test, own in left if own.isdisjoint(reached)]
            reached = joined
        return [name for name in self._cells if name in reached], tests


def _apart(axioms: Sequence[Condition]) -> Iterator[tuple[Condition, ...]]:
    """Yield groups of axioms that share facts, perhaps through others of the group."""
    left = list(axioms)
    while left:
        group, _ = linked(left, facts_of(left[0]))
        chosen = {id(axiom) for axiom in group} | {id(left[0])}
        yield tuple(axiom for axiom in left if id(axiom) in chosen)
        left = [axiom for axiom in left if id(axiom) not in chosen]


def _fault(where: str, axiom: Condition, facts: Mapping[str, FactValue]) -> Fault:
    told = {name: facts[name] for name in sorted(facts_of(axiom)) if facts.get(name) is not None}
    seen = ", ".join(f"{name}: {value}" for name, value in told.items())
    text = axiom.model_dump_json(by_alias=True, exclude_none=True)
    return Fault(where=f"facts: {where}", expected=f"a situation in which {text} holds", seen=seen)
