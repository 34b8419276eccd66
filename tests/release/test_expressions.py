"""Expressions of predicates: a tiny grammar, three values, and nothing that runs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.release.expressions import Fact, Unreadable, Value, facts, holds, parse

MANDATE = "min_decision_level(global) >= 'L1' and withdrawn_share < 0.02"
LEVEL, SHARE = Fact("min_decision_level", ("global",)), Fact("withdrawn_share")


@pytest.mark.parametrize(
    ("known", "truth"),
    [
        ({LEVEL: "L2", SHARE: 0.01}, True),
        ({LEVEL: "L0", SHARE: 0.01}, False),
        ({LEVEL: "L2", SHARE: 0.02}, False),
        ({LEVEL: "L2"}, None),
        ({SHARE: 0.5}, False),  # one false part decides an `and`, whatever is unknown
        ({LEVEL: 2.0, SHARE: 0.01}, None),  # a number is no level
    ],
)
def test_a_mandate_holds_fails_or_is_unknown(known: dict[Fact, Value], truth: bool | None) -> None:
    """Kleene's logic: what is unknown stays so unless the known part decides."""
    assert facts(parse(MANDATE)) == (LEVEL, SHARE)
    assert holds(parse(MANDATE), known.get) is truth


def test_or_not_and_brackets_bind_as_written() -> None:
    """`not` before `and` before `or`, brackets before all."""
    known = {Fact("a"): 1.0, Fact("b"): 0.0}.get

    assert holds(parse("a or b and b"), known) is True
    assert holds(parse("(a or b) and b"), known) is False
    assert holds(parse("not b and a"), known) is True
    assert holds(parse("not c"), known) is None
    assert holds(parse("c or a"), known) is True


@pytest.mark.parametrize(
    "text",
    ["", "a <", "1", "1 < 2", "a.__class__ == ", "a[0]", "f(", "f()", "a == 'x", "a and", "a b",
     "lambda: 1", "a; b", "(" * 40 + "a" + ")" * 40, "a < 1e999", "a" * 1001, "a = 1"],
)  # fmt: skip
def test_what_the_grammar_does_not_have_is_refused(text: str) -> None:
    """Python, constants, brackets without end and numbers without end are no expressions."""
    with pytest.raises(Unreadable):
        parse(text)


@settings(deadline=None, max_examples=400, derandomize=True)
@given(st.text(alphabet="ab01.'\"()<>=! ,andortL_\n", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text breaks the reader, and nothing unknown ever holds by itself."""
    try:
        expression = parse(text)
    except Unreadable:
        return

    assert facts(expression)
    assert holds(expression, lambda _: None) is None
