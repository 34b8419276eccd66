"""Ties of square roots and logarithms are decided by numbers, not by digits."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import gcd, prod

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.aggregate.compromises.theories import made

from normwright import plugins
from normwright.aggregate.compromises.exact import (
    commensurable,
    coprime_base,
    exponents,
    order_of_forms,
)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(st.integers(1, 5000), max_size=6))
def test_a_coprime_base_makes_every_number(numbers: list[int]) -> None:
    """No two share a factor, and each number is the product its exponents say."""
    base = coprime_base(numbers)

    assert all(gcd(a, b) == 1 for i, a in enumerate(base) for b in base[:i])
    for number in numbers:
        powers = exponents(Fraction(number), base)
        assert prod(b**e for b, e in zip(base, powers, strict=True)) == number


def test_square_roots_with_a_rational_ratio() -> None:
    """Sqrt 8 is twice sqrt 2, sqrt 6 is no multiple of it."""
    assert commensurable(Fraction(8), Fraction(2)) == 2
    assert commensurable(Fraction(1, 2), Fraction(2)) == Fraction(1, 2)
    assert commensurable(Fraction(6), Fraction(2)) is None


def test_sums_that_differ_beyond_a_float_are_told_apart() -> None:
    """Two sums that agree in thirty digits are ordered; equal ones are level."""
    tiny = Fraction(1, 10**35)
    forms = [(Fraction(1), Fraction(0)), (Fraction(1) + tiny, Fraction(0)), (Fraction(1),) * 2]
    tiers, _ = order_of_forms([*forms, forms[0]], lambda: [Decimal(2).sqrt(), Decimal(3).sqrt()])

    assert tiers == ((2,), (1,), (0, 3))


def test_variance_voting_ties_across_units_and_roots() -> None:
    """Two theories that mirror each other in other units: level, whatever the square roots are."""
    order = plugins.get("compromises", "mec-variance")(
        made([1, 1], [[0, 1, 3], [Fraction(21, 10), Fraction(14, 10), 0]])
    )

    # Variances 14/9 and 0.49 times that: sqrt ratio 7/10, and each score cancels exactly.
    assert order.tiers == ((0, 1, 2),)


def test_products_of_gains_tie_exactly() -> None:
    """Gains of 1/2 and 1/3 against 1/6 and 1: one sixth each, at equal credence."""
    order = plugins.get("compromises", "nash")(made([1, 1], [[6, 3, 1, 0], [0, 2, 6, 3]]))

    assert order.tiers[0] == (1, 2)
