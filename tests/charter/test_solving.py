"""Questions put to z3 get the answers that trying every assignment gets."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest

from normwright.charter.solving import Formula, Solver
from normwright.norms import evaluate
from normwright.records import Condition, FactValue, Vocabulary

FACTS: list[dict[str, Any]] = [
    {"name": "a", "type": "bool"},
    {"name": "b", "type": "bool"},
    {"name": "c", "type": "bool"},
    {"name": "e", "type": "enum", "values": ["x", "y", "z"]},
    {"name": "m", "type": "int"},
    {"name": "n", "type": "int", "low": 0, "high": 9},
]
DOMAINS: dict[str, list[FactValue]] = {
    "a": [False, True], "b": [False, True], "c": [False, True], "e": ["x", "y", "z"],
    "m": list(range(-2, 13)), "n": list(range(10)),
}  # fmt: skip
A_MEANS_B = {"any": [{"not": {"fact": "a", "eq": True}}, {"fact": "b", "eq": True}]}


def words(*axioms: dict[str, Any]) -> Vocabulary:
    """The facts above, with axioms."""
    return Vocabulary.model_validate({"facts": FACTS, "acts": [], "axioms": axioms})


def drawn(rng: random.Random, depth: int = 2) -> dict[str, Any]:
    """A condition of some depth, as a file says it."""
    kind = rng.random()
    if depth == 0 or kind < 0.3:
        name = rng.choice("abcemn")
        match name:
            case "a" | "b" | "c":
                return {"fact": name, "eq": rng.random() < 0.5}
            case "e":
                return {"fact": name, "in": rng.sample(["x", "y", "z"], 2)}
            case _:
                return {"fact": name, rng.choice(["at_least", "at_most", "eq"]): rng.randint(0, 9)}
    if kind < 0.9:
        return {"all" if kind < 0.6 else "any": [drawn(rng, depth - 1), drawn(rng, depth - 1)]}
    return {"not": drawn(rng, depth - 1)}


def solutions(names: list[str], conditions: list[Condition]) -> Iterator[dict[str, FactValue]]:
    """Every assignment of the facts under which all conditions hold, one by one."""
    for values in itertools.product(*(DOMAINS[name] for name in names)):
        facts = dict(zip(names, values, strict=True))
        if all(evaluate(condition, facts) for condition in conditions):
            yield facts


def plainness(facts: dict[str, FactValue], asked: list[Formula]) -> tuple[int, list[int]]:
    """How many facts are away from their plainest value, then each one's place, by name."""
    places = []
    for name in sorted(facts):
        cuts = sorted(frozenset[int]().union(*(f.starts.get(name, ()) for f in asked)))
        value = facts[name]
        if name in "mn":
            first = cuts[0] - 1 if name == "m" else 0
            stretches = [first, *(cut for cut in cuts if cut > first)]
            places.append(max((i for i, s in enumerate(stretches) if s <= int(value or 0)),
                              default=0))  # fmt: skip
        else:
            places.append(DOMAINS[name].index(value))
    return sum(place > 0 for place in places), places


@pytest.mark.parametrize("axioms", [[], [A_MEANS_B]])
def test_answers_are_those_of_trying_everything(axioms: list[dict[str, Any]]) -> None:
    """A witness is there when one exists, holds, and is the plainest there is."""
    rng = random.Random(3)
    vocabulary = words(*axioms)
    solver = Solver(vocabulary)
    for _ in range(60):
        pair = [Condition.model_validate(drawn(rng)) for _ in range(2)]
        asked = [solver.formula(condition) for condition in pair]
        names = sorted({name for formula in asked for name in formula.facts})
        bound = sorted({*names, *("ab" if axioms else "")})
        possible = list(solutions(bound, [pair[0], *vocabulary.axioms]))
        found = [{n: facts[n] for n in names} for facts in possible if evaluate(pair[1], facts)]
        witness = solver.check(*asked)

        assert (witness is None) == (not found)
        assert solver.possible(*asked) == bool(found)
        assert solver.implies(*asked) == all(evaluate(pair[1], facts) for facts in possible)
        if found:
            assert isinstance(witness, dict)
            assert witness in found
            best = min(plainness(facts, asked) for facts in found)
            assert plainness(witness, asked) == best


def test_a_witness_does_not_depend_on_what_was_asked_before() -> None:
    """The same question gets the same bytes from a fresh solver and from a used one."""
    rng = random.Random(5)
    conditions = [Condition.model_validate(drawn(rng)) for _ in range(40)]
    used = Solver(words(A_MEANS_B))
    backwards = [used.check(used.formula(c)) for c in reversed(conditions)]
    fresh = []
    for condition in conditions:
        solver = Solver(words(A_MEANS_B))
        fresh.append(solver.check(solver.formula(condition)))

    assert list(reversed(backwards)) == fresh


def test_an_instant_is_compared_in_utc_and_written_back() -> None:
    """The last second before a threshold is the plainest; the threshold itself comes next."""
    solver = Solver(
        Vocabulary.model_validate({"facts": [{"name": "t", "type": "time"}], "acts": []})
    )
    late = solver.formula(Condition(fact="t", at_least="2026-12-02T01:00:00+01:00"))

    assert solver.check(late) == {"t": "2026-12-02T00:00:00Z"}
    assert solver.check(~late) == {"t": "2026-12-01T23:59:59Z"}


def test_effort_that_does_not_suffice_is_unknown() -> None:
    """A question cut off is neither proved nor refuted."""
    facts = [{"name": f"x{i}", "type": "int"} for i in range(8)]
    solver = Solver(Vocabulary.model_validate({"facts": facts, "acts": []}), effort=1)
    asked = [solver.formula(Condition.model_validate({"any": [
        {"fact": f"x{i}", "at_least": j}, {"fact": f"x{j}", "at_most": i}]}))
        for i in range(8) for j in range(8)]  # fmt: skip

    assert solver.check(*asked) == "unknown"
    assert solver.possible(*asked) is None


def test_an_instant_between_two_seconds_cuts_where_it_lies() -> None:
    """Whole seconds before it lie before it, those after it after it."""
    solver = Solver(
        Vocabulary.model_validate({"facts": [{"name": "t", "type": "time"}], "acts": []})
    )
    late = solver.formula(Condition(fact="t", at_least="2026-12-02T00:00:00.5Z"))
    early = solver.formula(Condition(fact="t", at_most="2026-12-02T00:00:00.5Z"))

    assert solver.check(late) == {"t": "2026-12-02T00:00:01Z"}
    assert solver.check(early, ~late) == {"t": "2026-12-02T00:00:00Z"}
    assert solver.check(late, early) is None
