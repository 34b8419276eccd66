"""Small propositional logic: formulas as data, clauses, satisfiability, minimal conflicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Any

from normwright.records import Fault, InputError

Clause = tuple[int, ...]
"""Literals of which at least one holds: a number of a variable from 1, below 0 for its denial."""

OPERATORS: dict[str, tuple[int, int | None]] = {
    "not": (1, 1),
    "all": (1, None),
    "any": (1, None),
    "implies": (2, 2),
    "equivalent": (2, None),
    "excludes": (2, None),
    "at-least-one": (1, None),
    "exactly-one": (1, None),
}
"""Operators of formulas, and how many parts each takes at least and at most."""


@dataclass
class Clauses:
    """Clauses of formulas over named propositions, with a variable for each part of a formula."""

    names: tuple[str, ...]
    clauses: list[Clause] = field(default_factory=list)
    last: int = 0
    """The highest variable in use; those up to `len(names)` are the propositions."""
    owner: list[int] = field(default_factory=list)
    """Number of the formula that each clause comes from."""

    @classmethod
    def of(cls, formulas: Sequence[Any], names: Sequence[str], *, where: str) -> Clauses:
        """Return the clauses by which every formula holds (Tseitin's translation).

        Raises:
            InputError: with every fault there is: unknown operators or propositions, wrong numbers
                of parts.
        """
        faults = [
            fault
            for number, formula in enumerate(formulas)
            for fault in _faults(formula, frozenset(names), f"{where} {number + 1}")
        ]
        if faults:
            raise InputError(faults)
        made = cls(tuple(names), last=len(names))
        index = {name: k + 1 for k, name in enumerate(names)}
        for number, formula in enumerate(formulas):
            made._demand(formula, index)
            made.owner += [number] * (len(made.clauses) - len(made.owner))
        return made

    def _hold(self, *clause: int) -> None:
        self.clauses.append(clause)

    def _demand(self, formula: Any, index: Mapping[str, int]) -> None:
        """Make a formula hold; what stands outermost needs no variable of its own."""
        if isinstance(formula, str):
            self._hold(index[formula])
            return
        ((operator, given),) = formula.items()
        if operator == "all":
            for part in _parts(given):
                self._demand(part, index)
            return
        parts = [self._literal(p, index) for p in _parts(given)]
        if operator in ("any", "at-least-one", "exactly-one"):
            self._hold(*parts)
        if operator in ("excludes", "exactly-one"):
            for one, other in combinations(parts, 2):
                self._hold(-one, -other)
        if operator == "equivalent":
            for one, other in pairwise([*parts, parts[0]]):
                self._hold(-one, other)
        if operator == "implies":
            self._hold(-parts[0], parts[1])
        if operator == "not":
            self._hold(-parts[0])

    def _fresh(self) -> int:
        self.last += 1
        return self.last

    def _literal(self, formula: Any, index: Mapping[str, int]) -> int:
        """A literal that holds exactly where the formula does."""
        if isinstance(formula, str):
            return index[formula]
        ((operator, given),) = formula.items()
        parts = [self._literal(p, index) for p in _parts(given)]
        match operator:
            case "not":
                return -parts[0]
            case "all":
                return self._all(parts)
            case "any" | "at-least-one":
                return -self._all([-p for p in parts])
            case "implies":
                return -self._all([parts[0], -parts[1]])
            case "equivalent":
                return -self._all([-self._all(parts), -self._all([-p for p in parts])])
            case "excludes":
                return self._excludes(parts)
            case _:
                some = -self._all([-p for p in parts])
                return self._all([some, self._excludes(parts)])

    def _excludes(self, parts: Sequence[int]) -> int:
        return self._all([-self._all([one, other]) for one, other in combinations(parts, 2)])

    def _all(self, parts: Sequence[int]) -> int:
        if len(parts) == 1:
            return parts[0]
        whole = self._fresh()
        for part in parts:
            self._hold(-whole, part)
        self._hold(whole, *(-p for p in parts))
        return whole


def propositions_of(formula: Any) -> Iterator[str]:
    """Yield the propositions a formula speaks of."""
    if isinstance(formula, str):
        yield formula
        return
    for given in formula.values():
        for part in _parts(given):
            yield from propositions_of(part)


def _parts(given: Any) -> list[Any]:
    return list(given) if isinstance(given, list | tuple) else [given]


def _faults(formula: Any, names: frozenset[str], where: str) -> Iterator[Fault]:
    if isinstance(formula, str):
        if formula not in names:
            yield Fault(where=where, expected="a statement people voted on", seen=repr(formula))
        return
    if not isinstance(formula, Mapping) or len(formula) != 1:
        yield Fault(
            where=where, expected="a statement, or one operator and its parts", seen=repr(formula)
        )
        return
    ((operator, given),) = formula.items()
    if operator not in OPERATORS:
        yield Fault(where=where, expected=f"one of {', '.join(OPERATORS)}", seen=repr(operator))
        return
    least, most = OPERATORS[operator]
    parts = _parts(given)
    if len(parts) < least or (most is not None and len(parts) > most):
        wanted = str(least) if least == most else f"at least {least}"
        yield Fault(where=f"{where}, {operator}", expected=f"{wanted} parts", seen=str(len(parts)))
    for part in parts:
        yield from _faults(part, names, where)


class Solver:
    """Says whether clauses can hold together with some literals, and how.

    Conflict-driven clause learning with two watched literals (Marques-Silva and Sakallah, IEEE
    Transactions on Computers 48, 1999; Moskewicz and others, DAC 2001), exact and without chance.
    What is learned follows from the clauses alone, so it is kept from one question to the next.
    """

    def __init__(self, clauses: Iterable[Clause], variables: int) -> None:
        self.variables = variables
        self.clauses: list[list[int]] = []
        self.watching: dict[int, list[int]] = {}
        self.single: list[int] = []
        self.empty = False
        self.activity = [0.0] * (variables + 1)
        self.bump = 1.0
        for clause in clauses:
            self.add(clause)

    def add(self, clause: Iterable[int]) -> None:
        """Add a clause."""
        literals = list(dict.fromkeys(clause))
        if any(-one in literals for one in literals):
            return
        if len(literals) < 2:
            self.empty |= not literals
            self.single += literals
        else:
            self._watch(literals)

    def solve(self, assumed: Iterable[int] = (), *, first: bool = True) -> list[bool] | None:
        """Return the values of variables 1, 2, ... of a model, or None if there is none.

        Args:
            assumed: literals that must hold.
            first: the value that is tried first, which makes models that are large or small.
        """
        if self.empty:
            return None
        wanted = list(assumed)
        state = _Assignment.of(self.variables)
        if not all(state.agrees(literal) for literal in self.single):
            return None
        while True:
            conflict = self._propagate(state)
            if conflict is not None and len(state.levels) < 2:
                # Nothing but clauses and what was assumed is behind it.
                self.empty |= not state.levels
                return None
            if conflict is not None:
                self._learn(state, conflict)
            elif not state.levels:
                state.levels.append(len(state.trail))
                if not all(state.agrees(literal) for literal in wanted):
                    return None
            elif (literal := self._next(state, first=first)) is None:
                return [state.value[v] > 0 for v in range(1, self.variables + 1)]
            else:
                state.levels.append(len(state.trail))
                state.put(literal, None)

    def _next(self, state: _Assignment, *, first: bool) -> int | None:
        """The variable that was in most conflicts lately, at the value that is tried first."""
        free = [v for v in range(1, self.variables + 1) if state.value[v] == 0]
        if not free:
            return None
        most = max(free, key=lambda v: (self.activity[v], -v))
        return most if first else -most

    def _watch(self, literals: list[int]) -> int:
        number = len(self.clauses)
        self.clauses.append(literals)
        for literal in literals[:2]:
            self.watching.setdefault(literal, []).append(number)
        return number

    def _propagate(self, state: _Assignment) -> int | None:
        """Make all that follows hold; the number of a clause that cannot, or None."""
        while state.head < len(state.trail):
            false = -state.trail[state.head]
            state.head += 1
            kept: list[int] = []
            numbers = self.watching.get(false, [])
            for at, number in enumerate(numbers):
                if self._moved(state, number, false):
                    continue
                kept.append(number)
                other = self.clauses[number][0]
                if state.true(-other):
                    self.watching[false] = kept + numbers[at + 1 :]
                    return number
                if not state.true(other):
                    state.put(other, number)
            self.watching[false] = kept
        return None

    def _moved(self, state: _Assignment, number: int, false: int) -> bool:
        """Watch another literal of a clause than a false one, if one is left that may hold."""
        clause = self.clauses[number]
        if clause[0] == false:
            clause[0], clause[1] = clause[1], clause[0]
        if state.true(clause[0]):
            return False
        for k in range(2, len(clause)):
            if not state.true(-clause[k]):
                clause[1], clause[k] = clause[k], clause[1]
                self.watching.setdefault(clause[1], []).append(number)
                return True
        return False

    def _learn(self, state: _Assignment, conflict: int) -> None:
        """Add what the conflict shows, and go back to where that decides something."""
        learned, level = self._explained(state, conflict)
        state.back_to(level)
        self.bump *= 1.05
        if self.bump > 1e100:
            self.activity = [a / self.bump for a in self.activity]
            self.bump = 1.0
        if len(learned) == 1:
            self.single.append(learned[0])
            state.put(learned[0], None)
            return
        deepest = max(range(1, len(learned)), key=lambda k: state.level[abs(learned[k])])
        learned[1], learned[deepest] = learned[deepest], learned[1]
        state.put(learned[0], self._watch(learned))

    def _explained(self, state: _Assignment, conflict: int) -> tuple[list[int], int]:
        """The clause of the first unique implication point, and the level it takes effect at."""
        now = len(state.levels)
        seen: set[int] = set()
        others: list[int] = []
        clause, at, waiting = self.clauses[conflict], len(state.trail) - 1, 0
        while True:
            for literal in clause:
                variable = abs(literal)
                if variable in seen or state.level[variable] == 0:
                    continue
                seen.add(variable)
                self.activity[variable] += self.bump
                if state.level[variable] == now:
                    waiting += 1
                else:
                    others.append(literal)
            while abs(state.trail[at]) not in seen:
                at -= 1
            point = state.trail[at]
            at -= 1
            waiting -= 1
            if not waiting:
                break
            reason = state.reason[abs(point)]
            clause = self.clauses[reason] if reason is not None else []
        return [-point, *others], max((state.level[abs(one)] for one in others), default=0)


@dataclass
class _Assignment:
    """Values of variables so far, and why they have them."""

    value: list[int]
    """1 or -1, 0 while unknown; by variable."""
    level: list[int]
    """How many assumptions had been made."""
    reason: list[int | None]
    """The clause it follows from; None for an assumption."""
    trail: list[int] = field(default_factory=list)
    """Literals that hold, in the order they came."""
    levels: list[int] = field(default_factory=list)
    """Length of the trail before each assumption."""
    head: int = 0
    """Literals of the trail whose consequences have been drawn."""

    @classmethod
    def of(cls, variables: int) -> _Assignment:
        size = variables + 1
        return cls([0] * size, [0] * size, [None] * size)

    def true(self, literal: int) -> bool:
        """Whether a literal holds; one that is unknown does not."""
        return self.value[abs(literal)] == (1 if literal > 0 else -1)

    def agrees(self, literal: int) -> bool:
        """Make a literal hold, if it is not known to be false."""
        if self.value[abs(literal)] == 0:
            self.put(literal, None)
        return self.true(literal)

    def put(self, literal: int, reason: int | None) -> None:
        """Make a literal hold."""
        variable = abs(literal)
        self.value[variable] = 1 if literal > 0 else -1
        self.level[variable] = len(self.levels)
        self.reason[variable] = reason
        self.trail.append(literal)

    def back_to(self, level: int) -> None:
        """Take back all assumptions but the first few, with what followed."""
        length = self.levels[level]
        for literal in self.trail[length:]:
            self.value[abs(literal)] = 0
        del self.trail[length:], self.levels[level:]
        self.head = length


def conflicts(
    solver: Solver, literals: Sequence[int], *, limit: int
) -> tuple[list[frozenset[int]], bool]:
    """Return the minimal sets of literals that clauses exclude, and whether these are all.

    MARCO (Liffiton, Previti, Malik and Marques-Silva, Constraints 21, 2016): a map of subsets, of
    which each is shrunk to a minimal conflict or grown to a largest set without, until none is left
    unexplored. There can be exponentially many.

    Args:
        solver: the clauses, which hold together.
        literals: of which subsets are asked.
        limit: stop after so many.
    """
    n = len(literals)
    unexplored = Solver([], n)
    found: list[frozenset[int]] = []
    while (chosen := unexplored.solve()) is not None:
        seed = [literals[k] for k in range(n) if chosen[k]]
        if solver.solve(seed) is None:
            conflict = shrunk(solver, seed)
            if len(found) == limit:
                return _sorted(found), False
            found.append(frozenset(conflict))
            unexplored.add(-(k + 1) for k in range(n) if literals[k] in conflict)
        else:
            largest = _grown(solver, seed, literals)
            unexplored.add(k + 1 for k in range(n) if literals[k] not in largest)
    return _sorted(found), True


def shrunk(solver: Solver, seed: Sequence[int]) -> list[int]:
    """Return a minimal conflict within literals that cannot hold together."""
    kept = list(seed)
    for literal in seed:
        without = [one for one in kept if one != literal]
        if solver.solve(without) is None:
            kept = without
    return kept


def _grown(solver: Solver, seed: Sequence[int], literals: Sequence[int]) -> set[int]:
    kept = set(seed)
    for literal in literals:
        if literal not in kept and solver.solve([*kept, literal]) is not None:
            kept.add(literal)
    return kept


def _sorted(found: Iterable[frozenset[int]]) -> list[frozenset[int]]:
    return sorted(found, key=lambda one: (len(one), sorted(one, key=abs)))
