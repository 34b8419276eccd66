"""Three-valued conditions and what follows from what."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.norms.builders import norm, vocabulary

from normwright.norms import (
    CELL_LIMIT,
    can_both_hold,
    cells,
    evaluate,
    facts_of,
    implies,
    more_specific,
    satisfiable,
)
from normwright.norms.vocabulary import Acts
from normwright.records import Condition, FactType, FactValue

X = Condition(fact="x", eq=True)
Y = Condition(fact="y", eq=True)


def cond(**fields: object) -> Condition:
    return Condition.model_validate(fields)


@pytest.mark.parametrize(
    ("condition", "facts", "truth"),
    [
        (Condition(), {}, True),
        (X, {}, None),
        (X, {"x": None}, None),
        (X, {"x": True}, True),
        (X, {"x": False}, False),
        (Condition(all=(X, Y)), {"x": False}, False),
        (Condition(all=(X, Y)), {"x": True}, None),
        (Condition(any=(X, Y)), {"x": True}, True),
        (Condition(any=(X, Y)), {"x": False}, None),
        (Condition(any=()), {}, False),
        (cond(**{"not": X}), {}, None),
        (cond(**{"not": X}), {"x": False}, True),
        (cond(fact="n", at_least=2), {"n": 2}, True),
        (cond(fact="n", at_most=2), {"n": 3}, False),
        (cond(fact="n", at_least=2, at_most=4), {"n": 5}, False),
        (cond(fact="e", **{"in": ["p", "q"]}), {"e": "r"}, False),
        (cond(fact="n", eq=1), {"n": True}, False),
        (cond(fact="n", eq=0), {"n": 0}, True),
    ],
)
def test_kleene_tables(condition: Condition, facts: dict[str, object], truth: bool | None) -> None:
    """Each connective follows the strong Kleene tables; a yes is never the number one."""
    assert evaluate(condition, facts) is truth  # type: ignore[arg-type]


def test_facts_of_names_every_fact_at_any_depth() -> None:
    """Facts are found below every connective."""
    deep = Condition(all=(X, Condition(any=(cond(**{"not": Y}), cond(fact="n", at_least=1)))))

    assert facts_of(deep) == {"x", "y", "n"}


def test_numbers_are_cut_at_the_thresholds_mentioned() -> None:
    """One value a stretch, inside the bounds if there are any."""
    n = FactType(name="n", type="int", low=0, high=120)
    free = FactType(name="n", type="int")
    asked = [cond(fact="n", at_least=18), cond(fact="n", at_most=64), cond(fact="n", eq=0)]

    assert cells(n, asked) == (0, 1, 18, 65)
    assert cells(free, asked) == (-1, 0, 1, 18, 65)
    assert cells(free, []) == (0,)
    assert cells(FactType(name="n", type="int", high=5), [cond(fact="n", at_least=9)]) == (5,)


FACTS = vocabulary({}, {"x": "bool", "n": {"low": 0, "high": 9}, "e": ["p", "q", "r"]}).facts
small = st.recursive(
    st.one_of(
        st.builds(lambda v: Condition(fact="x", eq=v), st.booleans()),
        st.builds(lambda v: cond(fact="n", at_least=v), st.integers(0, 9)),
        st.builds(lambda v: cond(fact="n", at_most=v), st.integers(0, 9)),
        st.builds(lambda v: cond(fact="n", **{"in": v}), st.lists(st.integers(0, 9), min_size=1)),
        st.builds(lambda v: cond(fact="e", eq=v), st.sampled_from("pqr")),
    ),
    lambda inner: st.one_of(
        st.builds(lambda a, b: Condition(all=(a, b)), inner, inner),
        st.builds(lambda a, b: Condition(any=(a, b)), inner, inner),
        st.builds(lambda a: cond(**{"not": a}), inner),
    ),
    max_leaves=4,
)


@given(small, small)
@settings(deadline=None, max_examples=200, derandomize=True)
def test_implication_is_that_of_full_enumeration(a: Condition, b: Condition) -> None:
    """Cells give the same answers as trying every value of every fact."""
    every: list[dict[str, FactValue]] = [
        {"x": x, "n": n, "e": e} for x, n, e in itertools.product((False, True), range(10), "pqr")
    ]

    assert implies(a, b, FACTS) == all(evaluate(b, v) for v in every if evaluate(a, v))
    assert satisfiable(a, FACTS) == any(evaluate(a, v) for v in every)
    assert can_both_hold(a, b, FACTS) == any(evaluate(a, v) and evaluate(b, v) for v in every)


def test_beyond_the_limit_nothing_is_claimed() -> None:
    """Too many combinations give None, and then nothing counts as more specific."""
    words = vocabulary({"a": [], "decline": []}, {f"f{i}": "bool" for i in range(15)})
    wide = Condition(all=tuple(Condition(fact=f"f{i}", eq=True) for i in range(15)))
    n1 = norm(id="n1", kind="permission", act="a", condition=wide)
    n2 = norm(id="n2", kind="prohibition", act="a")

    assert CELL_LIMIT < 2**15
    assert implies(wide, Condition(), words.facts) is None
    assert satisfiable(wide, words.facts) is None
    assert more_specific(n1, n2, Acts(words), words.facts) is None
