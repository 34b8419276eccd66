"""Conditions put to z3: whether they can hold together, and the plainest facts under which they do.

A condition is quantifier-free over booleans, enums, whole numbers and instants, so every question
is decidable. An enum becomes the place of its value, an instant its seconds since 1970 in UTC, so
that instants between two seconds are left out; the bounds of facts and the vocabulary's axioms hold
throughout. Acts are left to the caller: which of
two norms speak about the same act is read off the ontology, and the solver never hears of it.

A witness is the same whatever was asked before and in whatever order: of all assignments, one with
the fewest facts away from their plainest value, and of those the first by name and value. The
plainest value is False, an enum's first, a number's lowest, and for a number without bounds or an
instant the last one before the first that matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cached_property
from math import ceil, floor
from typing import Any, Literal, TypeAlias

from normwright.records import (
    Condition,
    FactType,
    FactValue,
    MissingExtra,
    Vocabulary,
    instant_of,
)

EFFORT = 2_000_000
"""Steps of reasoning (z3's `rlimit`) spent on one question. A question about 40 facts takes some
thousands. Steps, not seconds, so that the answer does not depend on the machine."""

Unsolved: TypeAlias = Literal["unknown"]
Witness: TypeAlias = dict[str, FactValue]
"""A value for every fact that was asked about, by name."""

_Point: TypeAlias = dict[str, int]
"""Facts as numbers: 0 or 1, the place of an enum's value, the number, the seconds."""
_Test: TypeAlias = Callable[[Mapping[str, int]], bool]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = (
    (end - _EPOCH) // timedelta(seconds=1)
    for end in (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
)


@dataclass(frozen=True, eq=False)
class Formula:
    """A condition made ready for one `Solver`. Formulas combine by `&`, `|` and `~`."""

    expression: Any
    """What z3 knows it by."""
    test: _Test
    """The same as a function of a point, to save questions and to check every witness."""
    starts: Mapping[str, frozenset[int]]
    """For every fact mentioned, where the condition cuts its values into stretches."""

    @cached_property
    def facts(self) -> tuple[str, ...]:
        """The facts it mentions, sorted."""
        return tuple(sorted(self.starts))

    def __and__(self, other: Formula) -> Formula:
        """Both hold."""
        return both((self, other))

    def __or__(self, other: Formula) -> Formula:
        """At least one holds."""
        return ~both((~self, ~other))

    def __invert__(self) -> Formula:
        """It does not hold."""
        z3, inner = _z3(), self.test
        return Formula(z3.Not(self.expression), lambda point: not inner(point), self.starts)


def both(formulas: Iterable[Formula]) -> Formula:
    """Return the formula that all of these hold; of none, one that always does."""
    parts = tuple(formulas)
    if len(parts) == 1:
        return parts[0]
    tests = tuple(part.test for part in parts)
    return Formula(
        _z3().And(*(part.expression for part in parts)),
        lambda point: all(test(point) for test in tests),
        _joined(part.starts for part in parts),
    )


class Solver:
    """One vocabulary in z3, ready for thousands of questions.

    Args:
        vocabulary: a sound one; its axioms hold in every answer.
        effort: steps of reasoning spent on one question before the answer is `unknown`.

    Raises:
        MissingExtra: if z3 is not installed.
    """

    def __init__(self, vocabulary: Vocabulary, *, effort: int = EFFORT) -> None:
        z3 = _z3()
        self._facts = {fact.name: fact for fact in vocabulary.facts}
        self._names = {
            name: z3.Bool(name) if fact.type == "bool" else z3.Int(name)
            for name, fact in self._facts.items()
        }
        self._solver = z3.SimpleSolver()
        self._solver.set("random_seed", 0)
        self._solver.set("rlimit", effort)
        self._known: dict[Condition, Formula] = {}
        for fact in vocabulary.facts:
            self._solver.add(*self._bounds(fact))
        self._axioms = tuple(self.formula(axiom) for axiom in vocabulary.axioms)
        self._solver.add(*(axiom.expression for axiom in self._axioms))

    def formula(self, condition: Condition) -> Formula:
        """Return a condition as a formula of this solver; the same condition is made once.

        Raises:
            KeyError: if it mentions a fact or a value that the vocabulary does not have.
        """
        found = self._known.get(condition)
        if found is None:
            found = self._known[condition] = self._made(condition)
        return found

    def variable(self, fact: str) -> Any:
        """Return what z3 knows a fact by."""
        return self._names[fact]

    def laws(self) -> list[Any]:
        """Return what holds in every answer: the facts' bounds, and the axioms."""
        return list(self._solver.assertions())

    def naming(self, *conditions: Condition) -> Formula:
        """Return a formula that always holds and makes `check` give the conditions' facts values.

        Raises:
            KeyError: if one mentions a fact that the vocabulary does not have.
        """
        starts = _joined(self.formula(condition).starts for condition in conditions)
        return Formula(_z3().BoolVal(True), lambda point: True, starts)

    def check(self, *formulas: Formula) -> Witness | Unsolved | None:
        """Return the plainest facts under which all formulas and axioms hold.

        Returns:
            A value for every fact the formulas mention; None if it is proved that they never hold
            together; `unknown` if the effort did not suffice.
        """
        z3 = _z3()
        asked = both(formulas)
        assumed = [formula.expression for formula in formulas]
        answer = self._solver.check(*assumed)
        if answer == z3.unknown:
            return "unknown"
        if answer == z3.unsat:
            return None
        return _Plainest(self, asked, assumed).witness()

    def possible(self, *formulas: Formula) -> bool | None:
        """Return whether the formulas can hold together; None if the effort did not suffice."""
        z3 = _z3()
        answer = self._solver.check(*(formula.expression for formula in formulas))
        return None if answer == z3.unknown else bool(answer == z3.sat)

    def implies(self, first: Formula, then: Formula) -> bool | None:
        """Return whether `then` holds wherever `first` does; None if that was not settled."""
        apart = self.possible(first, ~then)
        return None if apart is None else not apart

    def _bounds(self, fact: FactType) -> Iterator[Any]:
        name = self._names[fact.name]
        low, high = domain_of(fact)
        if fact.type != "bool":
            yield from () if low is None else (name >= low,)
            yield from () if high is None else (name <= high,)

    def _made(self, condition: Condition) -> Formula:
        if condition.all is not None:
            return both(self.formula(part) for part in condition.all)
        if condition.any is not None:
            return ~both(~self.formula(part) for part in condition.any)
        if condition.negate is not None:
            return ~self.formula(condition.negate)
        if condition.fact is not None:
            return self._atom(condition, self._facts[condition.fact])
        return both(())

    def _atom(self, condition: Condition, fact: FactType) -> Formula:
        z3, name = _z3(), fact.name
        term = self._names[name]
        if condition.at_least is not None or condition.at_most is not None:
            low = None if condition.at_least is None else ceil(_number(fact, condition.at_least))
            high = None if condition.at_most is None else floor(_number(fact, condition.at_most))
            limits = [] if low is None else [term >= low]
            limits += [] if high is None else [term <= high]
            cuts = ([] if low is None else [low]) + ([] if high is None else [high + 1])
            return Formula(z3.And(*limits), _between(name, low, high), {name: frozenset(cuts)})
        wanted = condition.one_of if condition.one_of is not None else (condition.eq,)
        numbers = (_number(fact, value) for value in wanted if value is not None)
        values = frozenset(int(number) for number in numbers if number == int(number))
        if fact.type == "bool":
            options = [term if value else z3.Not(term) for value in sorted(values)]
        else:
            options = [term == value for value in sorted(values)]
        starts = frozenset(cut for value in values for cut in (value, value + 1))
        return Formula(z3.Or(*options), _among(name, values), {name: starts})


class _Plainest:
    """The search for the plainest assignment, once it is known that there is one."""

    def __init__(self, solver: Solver, asked: Formula, assumed: list[Any]) -> None:
        self._z3 = _z3()
        self._owner = solver
        self._assumed = assumed
        axioms = _touching(solver._axioms, asked.facts)
        whole = both((asked, *axioms))
        self._asked = asked
        self._test = whole.test
        self._facts = whole.facts
        self._stretches = {name: self._cut(name, whole.starts[name]) for name in self._facts}
        self._point = self._read()

    def witness(self) -> Witness:
        """Return it: fewest facts away from their plainest value, then first by name and value."""
        most = self._fewest()
        fixed = [*self._assumed, self._at_most(most)]
        for name in self._asked.facts:
            for value in self._stretches[name]:
                if self._can_be(name, value, most, fixed):
                    break
            fixed.append(self._in(name, self._point[name]))
        facts = self._owner._facts
        return {name: value_at(facts[name], self._point[name]) for name in self._asked.facts}

    def _can_be(self, name: str, value: int, most: int, fixed: list[Any]) -> bool:
        """Whether the fact can have this value, all before it staying; the point then has it."""
        if self._point[name] == value:
            return True
        tried = {**self._point, name: value}
        if self._away(tried) <= most and self._test(tried):
            self._point = tried
            return True
        if self._owner._solver.check(*fixed, self._in(name, value)) != self._z3.sat:
            return False
        self._point = self._read()
        return True

    def _fewest(self) -> int:
        """How few facts can be away from their plainest value; the point becomes one such."""
        while True:
            for name in self._asked.facts:
                tried = {**self._point, name: self._stretches[name][0]}
                if self._test(tried):
                    self._point = tried
            most = self._away(self._point)
            if most == 0:
                return 0
            fewer = self._at_most(most - 1)
            if self._owner._solver.check(*self._assumed, fewer) != self._z3.sat:
                return most
            self._point = self._read()

    def _away(self, point: _Point) -> int:
        return sum(point[name] != self._stretches[name][0] for name in self._asked.facts)

    def _at_most(self, count: int) -> Any:
        away = [
            self._z3.Not(self._in(name, self._stretches[name][0])) for name in self._asked.facts
        ]
        return self._z3.AtMost(*away, count) if count < len(away) else self._z3.BoolVal(True)

    def _in(self, name: str, value: int) -> Any:
        """That a fact lies in the stretch beginning at a value."""
        term = self._owner._names[name]
        if self._owner._facts[name].type == "bool":
            return term if value else self._z3.Not(term)
        stretches = self._stretches[name]
        place = stretches.index(value)
        limits = [term >= value] if place > 0 else []
        limits += [term < stretches[place + 1]] if place + 1 < len(stretches) else []
        return self._z3.And(*limits)

    def _read(self) -> _Point:
        """The solver's model, each value moved to the beginning of its stretch."""
        model = self._owner._solver.model()
        point: _Point = {}
        for name in self._facts:
            found = model.eval(self._owner._names[name], model_completion=True)
            value = int(self._z3.is_true(found)) if self._z3.is_bool(found) else found.as_long()
            stretches = self._stretches[name]
            point[name] = max((s for s in stretches if s <= value), default=stretches[0])
        return point

    def _cut(self, name: str, starts: frozenset[int]) -> tuple[int, ...]:
        """One value for every stretch that the conditions can tell apart, ascending."""
        fact = self._owner._facts[name]
        low, high = domain_of(fact)
        inside = sorted(
            s for s in starts if (low is None or s > low) and (high is None or s <= high)
        )
        if low is None or (fact.type == "time" and inside):
            low = inside[0] - 1 if inside else (0 if high is None else high)
        return (low, *inside)


def _touching(axioms: Sequence[Formula], facts: Sequence[str]) -> list[Formula]:
    """The axioms that bear on some facts, directly or through one another."""
    reached = set(facts)
    found: list[Formula] = []
    left = list(axioms)
    while True:
        near = [axiom for axiom in left if not reached.isdisjoint(axiom.facts)]
        if not near:
            return found
        found += near
        left = [axiom for axiom in left if axiom not in near]
        reached.update(*(axiom.facts for axiom in near))


def _joined(all_starts: Iterable[Mapping[str, frozenset[int]]]) -> dict[str, frozenset[int]]:
    joined: dict[str, frozenset[int]] = {}
    for starts in all_starts:
        for name, cuts in starts.items():
            joined[name] = joined.get(name, frozenset()) | cuts
    return joined


def _between(name: str, low: int | None, high: int | None) -> _Test:
    return lambda point: (
        (low is None or point[name] >= low) and (high is None or point[name] <= high)
    )


def _among(name: str, values: frozenset[int]) -> _Test:
    return lambda point: point[name] in values


def domain_of(fact: FactType) -> tuple[int | None, int | None]:
    """Return the first and the last number of a fact's values; None where it has no end."""
    match fact.type:
        case "bool":
            return 0, 1
        case "enum":
            return 0, len(fact.values) - 1
        case "int":
            return fact.low, fact.high
        case "time":
            return _FIRST, _LAST


def _number(fact: FactType, value: bool | int | str) -> int | Fraction:
    match fact.type:
        case "enum":
            return dict(zip(fact.values, range(len(fact.values)), strict=True))[str(value)]
        case "time":
            return Fraction((instant_of(str(value)) - _EPOCH) // timedelta(microseconds=1), 10**6)
        case _:
            return int(value)


def value_at(fact: FactType, number: int) -> FactValue:
    """Return the value of a fact that a number stands for."""
    match fact.type:
        case "bool":
            return bool(number)
        case "enum":
            return fact.values[number]
        case "time":
            return (_EPOCH + timedelta(seconds=number)).isoformat().replace("+00:00", "Z")
        case "int":
            return number


def _z3() -> Any:
    try:
        import z3
    except ImportError as error:
        raise MissingExtra("proofs about norms (z3)", "lint") from error
    return z3
