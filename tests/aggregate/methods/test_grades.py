"""Majority judgement and the Lipschitz-resilient quantile: equal to the slow obvious versions."""

from __future__ import annotations

from fractions import Fraction
from math import lcm

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from tests.aggregate.elections import election_from

from normwright.aggregate import Bundles, Election, Inapplicable
from normwright.aggregate.methods.lipschitz_quantile import regularised_quantile
from normwright.aggregate.ranking import order_of

QUIET = settings(deadline=None, max_examples=150, derandomize=True)


def graded(rows: list[list[int]], counts: list[int] | None = None) -> Election:
    """An election of grades, -1 where there is none."""
    grades = np.array(rows, dtype=np.int16)
    names = tuple(f"a{j}" for j in range(grades.shape[1]))
    number = np.ones(len(grades), dtype=np.int64) if counts is None else np.array(counts)
    orders = np.where(grades < 0, -1, grades.max() - grades).astype(np.int16)
    return Election(names, orders, number.astype(np.int64), unranked="apart", grades=grades)


@st.composite
def grade_tables(draw: DrawFn) -> list[list[int]]:
    """Grades of a few people, some missing, each alternative graded by somebody."""
    m, low = draw(st.integers(1, 5)), draw(st.sampled_from([-1, 0]))
    rows = draw(
        st.lists(st.lists(st.integers(low, 4), min_size=m, max_size=m), min_size=1, max_size=8)
    )
    for j in range(m):
        if all(row[j] < 0 for row in rows):
            rows[0][j] = 0
    return rows


def medians_one_by_one(grades: list[int]) -> list[int]:
    """Balinski and Laraki's majority value: take the lower median away until none is left."""
    left, taken = sorted(grades), []
    while left:
        taken.append(left.pop((len(left) - 1) // 2))
    return taken


@QUIET
@given(grade_tables())
def test_judgement_equals_taking_medians_away(rows: list[list[int]]) -> None:
    """The order is that of the sequences of medians, voter by voter, as many judges for each."""
    lists = [[r[j] for r in rows if r[j] >= 0] for j in range(len(rows[0]))]
    size = lcm(*(len(x) for x in lists))
    values = [tuple(medians_one_by_one(x * (size // len(x)))) for x in lists]
    expected = tuple(
        tuple(j for j, v in enumerate(values) if v == level)
        for level in sorted(set(values), reverse=True)
    )

    assert order_of(graded(rows), method="majority-judgement").tiers == expected


def test_judgement_published_example() -> None:
    """Balinski and Laraki's vote at Orsay, 2007: Bayrou, Royal, Sarkozy, all of median good.

    Shares in thousandths, from to be rejected to excellent; the sums differ by rounding, so shares
    of unequal numbers of judges are compared.
    """
    bayrou = [74, 84, 148, 251, 307, 136]
    royal = [126, 122, 168, 191, 227, 167]
    sarkozy = [282, 71, 115, 143, 198, 191]
    rows = [[g if j == a else -1 for j in range(3)] for a in range(3) for g in range(6)]
    election = graded(rows, sarkozy + bayrou + royal)
    seen = order_of(election, method="majority-judgement")

    assert seen.tiers == ((1,), (2,), (0,))
    assert seen.scores.tolist() == [3.0, 3.0, 3.0]


def test_the_lower_median_of_an_even_number_speaks_first() -> None:
    """Values 1 2 0 4 against 2 2 1 3; and the facts tell how many judged."""
    seen = order_of(graded([[4, 3], [2, 2], [1, 2], [0, 1]]), method="majority-judgement")

    assert seen.tiers == ((1,), (0,))
    assert seen.scores.tolist() == [1.0, 2.0]
    assert seen.facts["judges"] == {"a0": 4, "a1": 4}
    assert seen.facts["compared"] == "counts"


def test_judgement_against_the_condorcet_winner() -> None:
    """Felsenthal and Machover, 2008: two of three prefer x to y, whose median is higher."""
    seen = order_of(graded([[4, 3], [2, 0], [1, 3]]), method="majority-judgement")

    assert seen.tiers == ((1,), (0,))


def test_missing_grades_are_not_made_up() -> None:
    """One judge of two stands for what they said, not for a lowest grade from the other."""
    seen = order_of(graded([[3, 2], [-1, 2]]), method="majority-judgement")

    assert seen.tiers == ((0,), (1,))
    assert seen.facts["judges"] == {"a0": 1, "a1": 2}
    assert seen.facts["compared"] == "shares of those who graded each"


@pytest.mark.parametrize("method", ["majority-judgement", "lipschitz-quantile", "bridging"])
def test_grades_are_needed(method: str) -> None:
    """Orders are no grades, and what nobody graded has no result."""
    with pytest.raises(Inapplicable, match="A place in an order is no grade"):
        order_of(election_from("1: A > B"), method=method)
    with pytest.raises(Inapplicable, match=r"none for .*a1"):
        order_of(graded([[3, -1], [2, -1]]), method=method)


def slow_quantile(values: list[Fraction], weights: list[int], most: Fraction) -> float:
    """The least of the same sum over a fine grid."""
    grid = np.linspace(-1, 1, 20001)
    x, w = np.array([float(v) for v in values]), np.array(weights)
    loss = grid**2 / (2 * float(most)) + (w * np.abs(grid[:, None] - x)).sum(axis=1)
    return float(grid[loss.argmin()])


WEIGHTS = st.lists(st.integers(0, 6), min_size=5, max_size=5)
VALUES = [Fraction(g, 2) - 1 for g in range(5)]


@QUIET
@given(WEIGHTS, st.sampled_from([Fraction(1, 10), Fraction(1, 3), Fraction(1, 50)]))
def test_quantile_equals_the_least_on_a_grid(weights: list[int], most: Fraction) -> None:
    """The closed form is where the sum is least, to the width of the grid."""
    seen = regularised_quantile(VALUES, weights, resilience=most)

    assert float(seen) == pytest.approx(slow_quantile(VALUES, weights, most), abs=1.1e-4)


@QUIET
@given(WEIGHTS, st.integers(0, 4), st.integers(0, 4), st.sampled_from([1, 2, 5]))
def test_one_voter_moves_a_result_by_a_tenth_of_their_weight(
    weights: list[int], old: int, new: int, weight: int
) -> None:
    """Joining moves the result by at most L w, exactly; changing one's mind by twice that."""
    before = regularised_quantile(VALUES, weights)
    joined = [w + weight * (g == old) for g, w in enumerate(weights)]
    other = [w + weight * (g == new) for g, w in enumerate(weights)]
    first, second = regularised_quantile(VALUES, joined), regularised_quantile(VALUES, other)

    assert abs(first - before) <= Fraction(weight, 10)
    assert abs(second - before) <= Fraction(weight, 10)
    assert abs(first - second) <= 2 * Fraction(weight, 10)


@QUIET
@given(st.sampled_from([Fraction(1, 4), Fraction(3, 4)]), st.integers(0, 4))
def test_many_voters_make_it_the_quantile(quantile: Fraction, at: int) -> None:
    """With many voters the result is the quantile itself."""
    weights = [100 * (g + 1) for g in range(5)]
    weights[at] += 4000
    total = np.cumsum(weights) / sum(weights)
    expected = VALUES[int(np.searchsorted(total, float(quantile)))]

    assert regularised_quantile(VALUES, weights, quantile=quantile) == expected


def test_few_voters_stay_near_the_middle() -> None:
    """Three voters with the highest grade reach three tenths; a hundred reach the grade itself."""
    few = order_of(graded([[2, 0, 1]], [3]), method="lipschitz-quantile")
    many = order_of(graded([[2, 0, 1]], [100]), method="lipschitz-quantile")

    assert few.scores.tolist() == [0.3, -0.3, 0.0]
    assert many.scores.tolist() == [1.0, -1.0, 0.0]
    assert few.facts["influence_bound"] == 0.1
    assert few.facts["graded_by"] == {"a0": 3, "a1": 3, "a2": 3}


def test_the_bound_counts_the_grades_of_one_voter() -> None:
    """Who graded one alternative three times moves it by three tenths, and the facts say so."""
    election = graded([[2, 0], [1, -1], [0, 2]], [1, 2, 1])
    bundles = Bundles(np.array([0, 3, 4]), np.array([0, 1, 2, 1]), np.array([1, 1]))
    several = Election(
        election.alternatives, election.orders, election.counts, unranked="apart",
        grades=election.grades, bundles=bundles,
    )  # fmt: skip
    seen = order_of(several, method="lipschitz-quantile")

    assert seen.facts["influence_bound"] == pytest.approx(0.3)
