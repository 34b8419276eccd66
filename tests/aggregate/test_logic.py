"""Clauses of formulas, satisfiability and minimal conflicts, against trying everything."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.aggregate.logic import Clauses, Solver, conflicts, shrunk
from normwright.records import InputError

NAMES = ("p", "q", "r", "s")
LITERALS = st.integers(1, 6).flatmap(lambda v: st.sampled_from([v, -v]))
CLAUSES = st.lists(st.lists(LITERALS, min_size=1, max_size=3).map(tuple), max_size=16)
FORMULAS = st.recursive(
    st.sampled_from(NAMES),
    lambda parts: st.one_of(
        parts.map(lambda f: {"not": f}),
        st.tuples(parts, parts).map(lambda t: {"implies": list(t)}),
        st.tuples(
            st.sampled_from(
                ["all", "any", "equivalent", "excludes", "at-least-one", "exactly-one"]
            ),
            st.lists(parts, min_size=2, max_size=3),
        ).map(lambda t: {t[0]: t[1]}),
    ),
    max_leaves=6,
)


def holds(formula: Any, world: dict[str, bool]) -> bool:
    """The plain meaning of a formula in a world."""
    if isinstance(formula, str):
        return world[formula]
    ((operator, given),) = formula.items()
    parts = [holds(p, world) for p in (given if isinstance(given, list) else [given])]
    return {
        "not": not parts[0],
        "all": all(parts),
        "any": any(parts),
        "at-least-one": any(parts),
        "implies": not parts[0] or parts[-1],
        "equivalent": len(set(parts)) == 1,
        "excludes": sum(parts) <= 1,
        "exactly-one": sum(parts) == 1,
    }[operator]


@settings(derandomize=True, deadline=None, max_examples=120)
@given(CLAUSES, st.lists(LITERALS, max_size=3), st.booleans())
def test_a_model_is_found_exactly_where_there_is_one(
    clauses: list[tuple[int, ...]], assumed: list[int], first: bool
) -> None:
    """The solver agrees with trying all values, and its model is one."""

    def good(values: tuple[bool, ...]) -> bool:
        every = [*clauses, *((one,) for one in assumed)]
        return all(any(values[abs(one) - 1] == (one > 0) for one in c) for c in every)

    found = Solver(clauses, 6).solve(assumed, first=first)

    assert (found is not None) == any(good(v) for v in product((False, True), repeat=6))
    assert found is None or good(tuple(found))


@settings(derandomize=True, deadline=None, max_examples=120)
@given(st.lists(FORMULAS, min_size=1, max_size=3))
def test_clauses_mean_what_formulas_mean(formulas: list[Any]) -> None:
    """In every world the clauses can hold if and only if every formula does."""
    made = Clauses.of(formulas, NAMES, where="link")
    solver = Solver(made.clauses, made.last)

    for values in product((False, True), repeat=len(NAMES)):
        world = dict(zip(NAMES, values, strict=True))
        literals = [k + 1 if v else -(k + 1) for k, v in enumerate(values)]
        assert (solver.solve(literals) is not None) == all(holds(f, world) for f in formulas)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(CLAUSES, st.lists(st.booleans(), min_size=6, max_size=6))
def test_minimal_conflicts_are_all_found(clauses: list[tuple[int, ...]], signs: list[bool]) -> None:
    """They are those that trying all subsets finds, and shrinking gives one of them."""
    solver = Solver(clauses, 6)
    literals = [v if sign else -v for v, sign in enumerate(signs, start=1)]
    bad = [
        frozenset(s)
        for size in range(7)
        for s in combinations(literals, size)
        if solver.solve(s) is None
    ]
    minimal = {s for s in bad if not any(other < s for other in bad)}

    found, complete = conflicts(solver, literals, limit=1000)

    assert complete
    assert set(found) == minimal
    assert not bad or frozenset(shrunk(solver, literals)) in minimal


def test_a_limit_is_said() -> None:
    """Where there are more conflicts than were asked for, that is told."""
    solver = Solver([(-1, -2), (-3, -4)], 4)

    found, complete = conflicts(solver, [1, 2, 3, 4], limit=1)

    assert len(found) == 1
    assert not complete
    assert conflicts(solver, [1, 2, 3, 4], limit=2)[1]


def test_every_fault_of_formulas_is_told() -> None:
    """Unknown statements and operators and wrong numbers of parts come in one error."""
    with pytest.raises(InputError) as error:
        Clauses.of(
            ["t", {"xor": ["p", "q"]}, {"implies": ["p"]}, 3, {"all": ["p", {"not": "u"}]}],
            NAMES,
            where="link",
        )

    assert [f.where for f in error.value.faults] == [
        "link 1", "link 2", "link 3, implies", "link 4", "link 5",
    ]  # fmt: skip
    assert "'u'" in str(error.value)
