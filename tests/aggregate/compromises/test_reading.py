"""Theories from mappings, tables and opinion groups, with all their faults at once."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from normwright.aggregate import (
    compare_compromises,
    theories_of,
    theories_of_groups,
    theories_of_rows,
)
from normwright.records import (
    Estimate,
    Group,
    Grouping,
    InputError,
    Outcome,
    Support,
)
from normwright.stats import proportion

GOOD: dict[str, Any] = {
    "options": ["share", "withhold", "ask"],
    "status_quo": "withhold",
    "theories": {
        "outcomes": {"credence": 0.1, "worth": {"share": 10, "withhold": 0, "ask": "9.5"}},
        "duties": {"credence": "2/3", "order": ["ask", ["share", "withhold"]]},
        "virtue": {"credence": "7/30", "worth": {"share": 1, "ask": 3, "withhold": 2}},
    },
}


def test_a_mapping_is_read_exactly() -> None:
    """Decimals are what they are written as, fractions too, and orders are only orders."""
    found = theories_of(GOOD)

    assert found.credences == (Fraction(1, 10), Fraction(2, 3), Fraction(7, 30))
    assert list(found.worth[0]) == [10, 0, Fraction(19, 2)]
    assert list(found.worth[1]) == [-1, -1, 0]
    assert found.ordinal == (False, True, False)
    assert (found.status_quo, found.comparable) == (1, False)


def test_every_fault_of_a_mapping_is_told() -> None:
    """One error names each: unknown keys, what is missing, what is no number, sums."""
    bad = {
        "options": ["a", "b", "a"],
        "extra": 1,
        "comparable": "yes",
        "status_quo": "q",
        "theories": {
            "u": {"credence": 0.5, "worth": {"a": True, "c": 3}},
            "k": {"credence": 0.2, "order": ["a", "a"], "weight": 2},
            "w": {"credence": 2, "order": ["a", "b"], "worth": {}},
            "z": 3,
            "n": {"credence": float("nan"), "worth": {"a": 1, "b": float("inf")}},
        },
    }
    with pytest.raises(InputError) as error:
        theories_of(bad, where="theories.yaml")

    said = str(error.value)
    for piece in (
        "'extra'", "'a' 2 times", "true or false", "one of a, b, saw 'q'",
        "u, worth: expected 'b' once, saw nothing", "u, worth: expected one of a, b, saw 'c'",
        "u, worth of a: expected a number, saw True", "k, order: expected 'b' once",
        "k, order: expected 'a' once, saw it twice", "'weight'",
        "w, credence: expected a number from 0 to 1, saw 2", "w: expected either worth",
        "z: expected credence", "n, credence: expected a number", "n, worth of b",
    ):  # fmt: skip
        assert piece in said
    assert all(f.where.startswith("theories.yaml") for f in error.value.faults)


@pytest.mark.parametrize("last", [0.3, 0.2999, 0.30000001])
def test_credences_add_up_to_one(last: float) -> None:
    """Nothing is scaled to fit: what misses 1 by more than 1e-9 is a fault."""
    worth = {"a": 1, "b": 0}
    given = {
        "options": ["a", "b"],
        "theories": {
            "u": {"credence": 0.7, "worth": worth},
            "k": {"credence": last, "worth": worth},
        },
    }

    if last == 0.3:
        assert sum(theories_of(given).credences) == 1
    else:
        with pytest.raises(InputError, match="add up to 1, saw a sum of"):
            theories_of(given)


@pytest.mark.parametrize("given", [{}, {"options": [], "theories": {}}, {"options": "ab"}])
def test_nothing_is_not_a_default(given: dict[str, Any]) -> None:
    """Options and theories have to be there."""
    with pytest.raises(InputError) as error:
        theories_of(given)

    assert {f.where for f in error.value.faults} >= {"theories: options", "theories: theories"}


def test_rows_of_a_table() -> None:
    """A column an option; a column scale says whose numbers are only an order."""
    rows = [
        {"theory": "u", "credence": "0.5", "scale": "worth", "a": "3", "b": "1.5"},
        {"theory": "k", "credence": "0.5", "scale": "order", "a": "1", "b": "2"},
    ]
    found = theories_of_rows(rows, status_quo="b")

    assert (found.options, found.ordinal, found.status_quo) == (("a", "b"), (False, True), 1)
    assert list(found.worth[0]) == [3, Fraction(3, 2)]
    with pytest.raises(InputError) as error:
        theories_of_rows([*rows, rows[0], {"theory": "x", "a": "1"}, rows[0] | {"scale": "rank"}])
    assert len(error.value.faults) == 3


def outcome_of(shares: dict[str, dict[str, Estimate]], sizes: dict[str, int]) -> Outcome:
    """An outcome of such groups and shares."""
    groups = tuple(Group(id=g, size=n, members="sha256:0") for g, n in sizes.items())
    grouping = Grouping(groups=groups, method="given", reason="Two groups.")
    return Outcome(
        process="p", kind="human", layer="polity", authority="town", participants=9, votes=9,
        support=tuple(
            Support(statement=s, agree=0, disagree=0, passed=0, seen=0,
                    support=proportion(0, 0), groups=by)
            for s, by in shares.items()
        ),
        rankings=(), grouping=grouping,
    )  # fmt: skip


def test_opinion_groups_are_theories() -> None:
    """Credence is a group's share of people, exactly, and worth its share of agreement."""
    shares = {
        "s1": {"A": proportion(3, 6), "B": proportion(3, 3)},
        "s2": {"A": proportion(5, 6), "B": proportion(1, 3)},
    }
    found = theories_of_groups(outcome_of(shares, {"A": 6, "B": 3}))

    assert found.credences == (Fraction(2, 3), Fraction(1, 3))
    assert found.worth == ((Fraction(1, 2), Fraction(5, 6)), (Fraction(1), Fraction(1, 3)))
    assert not found.comparable
    assert compare_compromises(found).n == 2


def test_what_a_group_did_not_vote_on_is_a_fault() -> None:
    """It is named, and no groups at all is one too."""
    shares = {"s1": {"A": proportion(3, 6), "B": proportion(0, 0)}, "s2": {"A": proportion(1, 2)}}
    with pytest.raises(InputError) as error:
        theories_of_groups(outcome_of(shares, {"A": 6, "B": 3}))

    assert [f.where for f in error.value.faults] == [
        "group B, statement s1",
        "group B, statement s2",
    ]
    with pytest.raises(InputError, match="opinion groups"):
        theories_of_groups(outcome_of(shares, {}))
