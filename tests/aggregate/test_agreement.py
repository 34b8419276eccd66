"""How far rules agree: tau-b against its definition, pairs, camps, and resamples."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.aggregate.elections import election_from

from normwright.aggregate import Election, compare
from normwright.aggregate.agreement import (
    agreed_pairs,
    camps_of,
    places_of,
    signs_of,
    tau_b,
)
from normwright.aggregate.methods import by_score
from normwright.records import PluginError

FEW = ("borda", "irv", "majority-judgement", "plurality", "schulze")
PLACES = st.lists(st.integers(0, 3), min_size=1, max_size=6)


@settings(derandomize=True, deadline=None, max_examples=120)
@given(PLACES, st.randoms(use_true_random=False))
def test_tau_b_is_what_it_is_defined_as(first: list[int], random: object) -> None:
    """The count of pairs one by one, and scipy's value where that has one."""
    from scipy.stats import kendalltau

    second = list(first)
    random.shuffle(second)  # type: ignore[attr-defined]
    found = tau_b(np.array(first), np.array(second))
    expected = kendalltau(first, second).statistic if len(set(first)) > 1 else float("nan")

    assert (found is None) == bool(np.isnan(expected))
    assert found is None or found == pytest.approx(expected)


def test_tau_b_of_the_same_and_the_reverse() -> None:
    """One for the same weak order, ties and all, minus one for the reverse."""
    places = np.array([0, 1, 1, 2])

    assert tau_b(places, places) == 1.0
    assert tau_b(places, 2 - places) == -1.0
    assert tau_b(places, np.zeros(4, dtype=np.int64)) is None


def test_an_order_that_leaves_one_out_is_refused() -> None:
    """Nothing is placed for it."""
    with pytest.raises(ValueError, match="leaves an alternative out"):
        places_of([((0,), (2,))], 3)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=4))
def test_agreed_pairs_one_by_one(scores: list[list[int]]) -> None:
    """Pairs that all put alike, and pairs that all hold level, and no others."""
    orders = [by_score(np.array(row)) for row in scores]
    same, core = agreed_pairs(signs_of(places_of(orders, 4)))

    alike = 0
    for i, j in combinations(range(4), 2):
        ways = {np.sign(row[i] - row[j]) for row in scores}
        alike += len(ways) == 1
        assert ((i, j) in core) == (ways == {1})
        assert ((j, i) in core) == (ways == {-1})
    assert same == alike


def test_camps_are_sorted_by_size() -> None:
    """Rules by what they choose, whatever order winners are named in."""
    camps = camps_of({"x": ("b", "a"), "y": ("a", "b"), "z": ("a",)})

    assert [(c.winners, c.rules) for c in camps] == [(("a", "b"), ("x", "y")), (("a",), ("z",))]


def test_methods_that_choose_differently_are_told() -> None:
    """Borda has a compromise, plurality its opposite, and grades are not made of orders."""
    election = election_from("39: A > B > C\n35: C > B > A\n26: B > C > A")
    found = compare(election, methods=FEW, seed=1, rounds=30)

    winners = {row.rule: row.tiers[0] for row in found.rows if not row.refused}
    assert winners == {"borda": ("B",), "irv": ("C",), "plurality": ("A",), "schulze": ("B",)}
    assert found.depends
    assert found.agreed.value == 0.0
    refused = [row for row in found.rows if row.refused]
    assert [row.rule for row in refused] == ["majority-judgement"]
    assert "grades" in refused[0].refused
    assert found.compared == ("borda", "irv", "plurality", "schulze")
    assert found.tau[0][3] == pytest.approx(1.0)
    assert found.depends_share is not None
    assert (found.depends_share.n, found.depends_share.seed) == (30, 1)


def test_rules_that_agree_have_a_core() -> None:
    """Where everybody says the same, every pair is in the core, in every resample."""
    found = compare(election_from("9: A > B > C"), methods=("borda", "schulze"), seed=1, rounds=10)

    assert found.core == (("A", "B"), ("A", "C"), ("B", "C"))
    assert (found.agreed.value, found.depends) == (1.0, False)
    assert found.agreed.interval is not None
    assert found.depends_share is not None
    assert found.depends_share.value == 0.0


def test_one_rule_agrees_with_nobody() -> None:
    """With fewer than two answers nothing is said, and without rounds no interval."""
    election = election_from("9: A > B > C")
    one = compare(election, methods=("borda", "majority-judgement"), seed=1, rounds=10)
    none = compare(election, methods=("borda", "schulze"), seed=1, rounds=0)

    assert (one.agreed.value, one.depends, one.core) == (None, None, ())
    assert none.agreed.interval is None
    assert none.depends_share is None
    with pytest.raises(PluginError):
        compare(election, methods=("bordda",), seed=1)


def test_a_refusal_leaves_any_agreement_possible() -> None:
    """An interval is no narrower because a rule does not apply to some resamples."""
    election = election_from("6: A > B\n1: B > A\n5: B > C\n1: C > B", unranked="apart")
    found = compare(election, methods=("bradley-terry", "schulze"), seed=1, rounds=50)

    assert found.depends_share is not None
    assert found.depends_share.n < 50
    assert found.agreed.interval is not None
    assert (found.agreed.interval.low, found.agreed.interval.high) == (0.0, 1.0)


def test_nobody_agrees_on_nothing() -> None:
    """Without voters every rule holds all level; that is no agreement, and none is claimed."""
    empty = np.zeros((0, 2), dtype=np.int16)
    election = Election(("a", "b"), empty, np.zeros(0, dtype=np.int64))
    found = compare(election, methods=("borda", "schulze"), seed=1)

    assert found.agreed.value is None
    assert found.depends is None
