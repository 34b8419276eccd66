"""Plurality, antiplurality and approval: exact counts, and the published cases against them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from tests.aggregate.elections import election_from, election_of_pairs

from normwright.aggregate import Election, Inapplicable
from normwright.aggregate.ranking import order_of

QUIET = settings(deadline=None, max_examples=100, derandomize=True)
BORDA_1781 = "1: A > B > C\n7: A > C > B\n7: B > C > A\n6: C > B > A"


@st.composite
def elections(draw: DrawFn) -> Election:
    """A few ballots with ties and alternatives left out."""
    m = draw(st.integers(1, 6))
    rows = draw(st.lists(st.lists(st.integers(-1, 3), min_size=m, max_size=m), max_size=7))
    made = [[sorted({x for x in r if x >= 0}).index(x) if x >= 0 else -1 for x in r] for r in rows]
    kept = [r for r in made if max(r) >= 0]
    counts = draw(st.lists(st.integers(1, 4), min_size=len(kept), max_size=len(kept)))
    orders = np.array(kept, dtype=np.int16).reshape(len(kept), m)
    return Election(tuple("abcdef"[:m]), orders, np.array(counts, dtype=np.int64))


def tiers_by(scores: list[Fraction]) -> tuple[tuple[int, ...], ...]:
    """Tiers of exact scores, the highest first."""
    return tuple(
        tuple(c for c, s in enumerate(scores) if s == level)
        for level in sorted(set(scores), reverse=True)
    )


def shared_places(election: Election, *, last: bool) -> list[Fraction]:
    """First or last places, each ballot's divided between those who share it."""
    total = [Fraction(0)] * len(election.alternatives)
    for row, count in zip(election.orders.tolist(), election.counts.tolist(), strict=True):
        level = [x if x >= 0 else 99 for x in row]
        wanted = max(level) if last else min(level)
        sharing = [c for c, x in enumerate(level) if x == wanted]
        for c in sharing:
            total[c] += Fraction(count, len(sharing))
    return total


@QUIET
@given(elections())
def test_first_places_are_divided_exactly(election: Election) -> None:
    """Plurality equals counting in fractions, ballot by ballot: thirds make and break no tie."""
    firsts = shared_places(election, last=False)
    seen = order_of(election, method="plurality")

    assert seen.tiers == tiers_by(firsts)
    assert seen.scores.tolist() == pytest.approx(
        [float(f) / max(1, election.voters) for f in firsts]
    )


@QUIET
@given(elections())
def test_last_places_are_divided_exactly(election: Election) -> None:
    """Antiplurality equals counting in fractions; what is left out shares the last place."""
    lasts = [-x for x in shared_places(election, last=True)]
    seen = order_of(election, method="antiplurality")

    assert seen.tiers == tiers_by(lasts)
    assert seen.scores.tolist() == pytest.approx(
        [1 + float(x) / max(1, election.voters) for x in lasts]
    )


def test_a_third_three_times_is_a_vote() -> None:
    """Three thirds tie with one vote, which floating point would not tell for certain."""
    seen = order_of(election_from("3: A = B = C\n1: D > A"), method="plurality")

    assert seen.tiers == ((0, 1, 2, 3),)


def test_borda_against_plurality() -> None:
    """Borda, 1781: A has most first places, loses to both others, and wins reversed as well."""
    election = election_from(BORDA_1781)
    back = election_from("1: C > B > A\n7: B > C > A\n7: A > C > B\n6: A > B > C")

    assert order_of(election, method="plurality").tiers == ((0,), (1,), (2,))
    assert order_of(back, method="plurality").tiers[0] == (0,)
    # C beats both, and without it, its clone B is above A.
    assert order_of(election, method="schulze").tiers == ((2,), (1,), (0,))
    assert order_of(election.only([0, 1]), method="plurality").tiers == ((1,), (0,))


def test_antiplurality_against_a_majority() -> None:
    """Three of five put A first; B, whom nobody puts last, wins."""
    seen = order_of(election_from("3: A > B > C\n2: C > B > A"), method="antiplurality")

    assert seen.tiers == ((1,), (0,), (2,))
    assert seen.scores.tolist() == pytest.approx([0.6, 1.0, 0.4])


@pytest.mark.parametrize("method", ["plurality", "antiplurality", "irv", "stv"])
def test_what_is_apart_might_be_first_or_last(method: str) -> None:
    """Where what is left out is not compared, places are unknown and the rule says so."""
    with pytest.raises(Inapplicable, match=r"2 ballots that leave some out"):
        order_of(election_from("1: A > B > C\n2: A > B", unranked="apart"), method=method)


@pytest.mark.parametrize("method", ["plurality", "antiplurality", "irv", "stv", "plackett-luce"])
def test_pairs_do_not_tell_places(method: str) -> None:
    """Where only pairs are known, rules that read ballots name what they need."""
    pairs = election_of_pairs(np.array([[0, 2], [1, 0]]), ["a", "b"], 3)

    with pytest.raises(Inapplicable, match="ballots with orders"):
        order_of(pairs, method=method)


def test_approvals_are_counted() -> None:
    """Who ranks only some approves of these; the score is the share of ballots."""
    seen = order_of(election_from("5: A\n3: A > B\n4: C > B"), method="approval")

    assert seen.tiers == ((0,), (1,), (2,))
    assert seen.scores.tolist() == pytest.approx([8 / 12, 7 / 12, 4 / 12])
    assert seen.facts == {"ballots": 12}


def test_few_approvals_may_mean_few_were_asked() -> None:
    """Where not everybody graded everything, the facts say how many did."""
    grades = np.array([[1, 0], [1, -1], [0, 1]], dtype=np.int16)
    election = Election(
        ("x", "y"), np.where(grades < 0, -1, 1 - grades).astype(np.int16),
        np.array([2, 3, 1], dtype=np.int64), unranked="apart", grades=grades, approved_from=1,
    )  # fmt: skip
    seen = order_of(election, method="approval")

    assert seen.tiers == ((0,), (1,))
    assert seen.facts["graded_by"] == {"x": 6, "y": 3}


def test_whole_orders_do_not_approve() -> None:
    """An order of everything says nothing of approval."""
    with pytest.raises(Inapplicable, match="approve-top"):
        order_of(election_from("5: A > B\n3: B > A"), method="approval")
