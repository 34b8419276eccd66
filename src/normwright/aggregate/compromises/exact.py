"""Orders of sums of square roots or logarithms, with ties decided exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from math import gcd, isqrt

import numpy as np
from numpy.typing import NDArray

Form = tuple[Fraction, ...]
"""Rational coefficients of numbers of which no rational combination is 0 but the empty one."""


def order_of_forms(
    forms: Sequence[Form], basis: Callable[[], Sequence[Decimal]]
) -> tuple[tuple[tuple[int, ...], ...], NDArray[np.float64]]:
    """Return the tiers of sums, the highest first, and the sums as floats.

    Two sums are equal if and only if their coefficients are, because the numbers they are made of
    are linearly independent over the rationals. Sums that differ are computed with as many digits
    as it takes to tell them apart.

    Args:
        forms: coefficients, one a number of the basis.
        basis: the numbers, at the precision of the decimal context that is set when it is called.
    """
    kinds = sorted(set(forms))
    digits = 40
    while True:
        with localcontext() as context:
            context.prec = digits
            numbers = list(basis())
            sums = {form: _sum(form, numbers) for form in kinds}
            # Each product and sum is off by one unit in its last place at most.
            size = max(
                (_sum(tuple(map(abs, f)), list(map(abs, numbers))) for f in kinds), default=0
            )
            doubt = (len(numbers) + 4) * size * Decimal(10) ** (3 - digits)
            ranked = sorted(kinds, key=lambda form: sums[form], reverse=True)
            gaps = [sums[a] - sums[b] for a, b in pairwise(ranked)]
            if all(gap > doubt for gap in gaps):
                break
        digits *= 2
    tiers = tuple(tuple(a for a, form in enumerate(forms) if form == kind) for kind in ranked)
    return tiers, np.array([float(sums[form]) for form in forms], dtype=np.float64)


def commensurable(a: Fraction, b: Fraction) -> Fraction | None:
    """Return sqrt(a / b) if it is a rational number, else None; both are above 0.

    Square roots of which no two have a rational ratio are linearly independent over the rationals
    (Besicovitch, Journal of the London Mathematical Society 15, 1940).
    """
    ratio = a / b
    top, bottom = isqrt(ratio.numerator), isqrt(ratio.denominator)
    square = top * top == ratio.numerator and bottom * bottom == ratio.denominator
    return Fraction(top, bottom) if square else None


def coprime_base(numbers: Sequence[int]) -> list[int]:
    """Return whole numbers above 1, no two with a common factor, whose products give all of these.

    Their logarithms are linearly independent over the rationals, and nothing has to be factored
    into primes for it (Bernstein, Journal of Algorithms 54, 2005).
    """
    base: list[int] = []
    waiting = list(numbers)
    while waiting:
        number = waiting.pop()
        if number <= 1:
            continue
        shared = next((i for i, one in enumerate(base) if gcd(one, number) > 1), None)
        if shared is None:
            base.append(number)
            continue
        one = base.pop(shared)
        common = gcd(one, number)
        waiting += [common, one // common, number // common]
    return sorted(base)


def exponents(number: Fraction, base: Sequence[int]) -> tuple[int, ...]:
    """Return how often each number of a coprime base divides a fraction made of them."""
    return tuple(_times(number.numerator, b) - _times(number.denominator, b) for b in base)


def _times(number: int, divisor: int) -> int:
    times = 0
    while number % divisor == 0:
        number //= divisor
        times += 1
    return times


def _sum(form: Form, numbers: Sequence[Decimal]) -> Decimal:
    return sum(
        (Decimal(c.numerator) / Decimal(c.denominator) * n
         for c, n in zip(form, numbers, strict=True)),
        Decimal(0),
    )  # fmt: skip
