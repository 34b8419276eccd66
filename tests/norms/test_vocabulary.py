"""The vocabulary: what is a kind of what, and every way in which words can be wrong."""

from __future__ import annotations

import pytest
from tests.norms.builders import vocabulary

import normwright.norms
from normwright.norms import Acts, condition_faults, situation_faults, vocabulary_faults
from normwright.records import Condition, Vocabulary

WORDS = vocabulary(
    {"respond": [], "advise": ["respond"], "dose": ["advise", "health"], "health": []},
    {"x": "bool", "n": {"low": 0, "high": 9}, "e": ["p", "q"]},
)


def test_is_a_is_closed_under_transitivity_over_several_parents() -> None:
    """An act is of every kind above it; the null act always exists and is of no other kind."""
    acts = Acts(WORDS)

    assert acts.above("dose") == {"dose", "advise", "respond", "health"}
    assert acts.covers("respond", "dose")
    assert not acts.covers("dose", "respond")
    assert "decline" in acts
    assert acts.above("decline") == {"decline"}
    assert "fly" not in acts


def test_cycles_and_unknown_parents_are_named() -> None:
    """A circle of kinds is shown whole; a parent that does not exist gets its nearest name."""
    circle = vocabulary({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["bb"]}, {})

    lines = {(f.where, f.seen) for f in vocabulary_faults(circle)}

    assert lines == {("acts", "a > b > c > a"), ("acts: d.is_a", "bb")}
    assert Acts(circle).above("a") == {"a", "b", "c"}


def test_every_unsound_fact_is_named() -> None:
    """Doubles, empty enums, values or bounds where they have no meaning, bounds upside down."""
    words = Vocabulary.model_validate({
        "acts": [{"name": "a"}, {"name": "a"}],
        "facts": [
            {"name": "x", "type": "bool", "values": ["yes"]}, {"name": "x", "type": "bool"},
            {"name": "e", "type": "enum"}, {"name": "d", "type": "enum", "values": ["p", "p"]},
            {"name": "n", "type": "int", "low": 3, "high": 1},
            {"name": "b", "type": "bool", "low": 1},
        ],
    })  # fmt: skip

    assert [f.where for f in vocabulary_faults(words)] == [
        "acts: a", "facts: x", "facts: x.values", "facts: e", "facts: d.values", "facts: n",
        "facts: b"]  # fmt: skip
    assert vocabulary_faults(WORDS) == []


@pytest.mark.parametrize(
    ("condition", "where"),
    [
        ({"fact": "nn", "eq": 1}, "c.fact"),
        ({"fact": "x", "eq": "yes"}, "c.eq"),
        ({"fact": "x", "eq": 1}, "c.eq"),
        ({"fact": "n", "eq": True}, "c.eq"),
        ({"fact": "n", "eq": 12}, "c.eq"),
        ({"fact": "e", "in": ["p", "r"]}, "c.in"),
        ({"fact": "e", "at_least": 1}, "c.at_least"),
        ({"fact": "e", "in": []}, "c.in"),
        ({"fact": "x"}, "c"),
        ({"fact": "n", "at_least": 1, "at_most": 2}, "c"),
        ({"eq": True}, "c"),
        ({"fact": "x", "eq": True, "all": []}, "c"),
        ({"any": [{}, {"not": {"fact": "y", "eq": True}}]}, "c.any[1].not.fact"),
    ],
)
def test_conditions_are_type_checked(condition: dict[str, object], where: str) -> None:
    """Each wrong condition gives one fault at its place."""
    found = condition_faults(Condition.model_validate(condition), WORDS, where="c")

    assert [f.where for f in found] == [where]


def test_situation_facts_outside_the_vocabulary_are_ignored() -> None:
    """No condition can mention them; a mistyped name leaves the real fact unknown."""
    assert situation_faults({"nope": "any", "x": None, "n": 9}, WORDS) == []


def test_public_names_are_sorted_and_there() -> None:
    """The room exports what it lists."""
    names = normwright.norms.__all__

    assert names == sorted(names, key=lambda n: (not n.isupper(), not n[0].isupper(), n))
    assert all(hasattr(normwright.norms, name) for name in names)
