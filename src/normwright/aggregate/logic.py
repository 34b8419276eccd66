"""Small propositional logic: formulas as data, clauses, satisfiability, minimal conflicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
            made._hold(made._literal(formula, index))
            made.owner += [number] * (len(made.clauses) - len(made.owner))
        return made

    def _hold(self, *clause: int) -> None:
        self.clauses.append(clause)

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
        pairs = [-self._all([p, q]) for i, p in enumerate(parts) for q in parts[i + 1 :]]
        return self._all(pairs)

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

    Davis, Putnam, Logemann and Loveland (Communications of the ACM 5, 1962) with two watched
    literals a clause: exact, and fast for the tens of linked statements it is meant for.
    """

    def __init__(self, clauses: Iterable[Clause], variables: int) -> None:
        self.variables = variables
        self.clauses: list[list[int]] = []
        self.watching: dict[int, list[int]] = {}
        self.single: list[int] = []
        self.empty = False
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
            return
        number = len(self.clauses)
        self.clauses.append(literals)
        for literal in literals[:2]:
            self.watching.setdefault(literal, []).append(number)

    def solve(self, assumed: Iterable[int] = (), *, first: bool = True) -> list[bool] | None:
        """Return the values of variables 1, 2, ... of a model, or None if there is none.

        Args:
            assumed: literals that must hold.
            first: the value that is tried first, which makes models that are large or small.
        """
        value: dict[int, bool] = {}
        trail: list[int] = []
        if self.empty or not self._all(value, trail, [*self.single, *assumed]):
            return None
        guesses: list[tuple[int, int]] = []
        variable = 1
        while True:
            while variable <= self.variables and variable in value:
                variable += 1
            if variable > self.variables:
                return [value[v] for v in range(1, self.variables + 1)]
            guesses.append((variable, len(trail)))
            literal = variable if first else -variable
            while not self._all(value, trail, [literal]):
                # The other value of the last guess that has one left; a guess is popped for good.
                if not guesses:
                    return None
                variable, length = guesses.pop()
                guess = trail[length]
                for one in trail[length:]:
                    del value[abs(one)]
                del trail[length:]
                literal = -guess

    def _all(self, value: dict[int, bool], trail: list[int], literals: Iterable[int]) -> bool:
        """Make literals hold with all that follows; False where that contradicts itself."""
        start = len(trail)
        for literal in literals:
            if value.get(abs(literal), literal > 0) != (literal > 0):
                return False
            if abs(literal) not in value:
                value[abs(literal)] = literal > 0
                trail.append(literal)
        at = start
        while at < len(trail):
            if not self._spread(value, trail, -trail[at]):
                return False
            at += 1
        return True

    def _spread(self, value: dict[int, bool], trail: list[int], false: int) -> bool:
        """Move watches away from a literal that is false; what is left alone must hold."""
        kept: list[int] = []
        numbers = self.watching.get(false, [])
        for at, number in enumerate(numbers):
            clause = self.clauses[number]
            if clause[0] == false:
                clause[0], clause[1] = clause[1], clause[0]
            other = clause[0]
            known = value.get(abs(other))
            if known == (other > 0) and known is not None:
                kept.append(number)
                continue
            place = next(
                (k for k in range(2, len(clause))
                 if value.get(abs(clause[k]), clause[k] > 0) == (clause[k] > 0)),
                None,
            )  # fmt: skip
            if place is not None:
                clause[1], clause[place] = clause[place], clause[1]
                self.watching.setdefault(clause[1], []).append(number)
                continue
            kept.append(number)
            if known is not None:
                self.watching[false] = kept + numbers[at + 1 :]
                return False
            value[abs(other)] = other > 0
            trail.append(other)
        self.watching[false] = kept
        return True


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
