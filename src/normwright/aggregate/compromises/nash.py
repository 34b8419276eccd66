"""Nash's bargain between theories: the greatest product of what they gain."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from normwright.aggregate.compromises import Exact, Theories, floats
from normwright.aggregate.compromises.exact import (
    Form,
    coprime_base,
    exponents,
    order_of_forms,
)
from normwright.aggregate.compromises.lotteries import Bargain, Floats, bargain
from normwright.aggregate.methods import Order
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="nash",
    kind="compromises",
    summary="Ranks by the product of gains over the disagreement point, credences as exponents.",
    reference="Greaves and Cotton-Barratt, A bargaining-theoretic approach to moral uncertainty, "
    "Journal of Moral Philosophy 21, 2024; Nash, The bargaining problem, Econometrica 18, 1950",
    claims=(
        "anonymity",
        "neutrality",
        "scale-invariance",
        "pareto",
        "clones",
        "updating-consistency",
    ),
    denies=(
        Denial(
            axiom="no-fanaticism",
            source="Greaves and Cotton-Barratt, A bargaining-theoretic approach to moral "
            "uncertainty, 2024 (worst case as disagreement: each theory vetoes its worst)",
            ballots=("0.999: A 10 > B 9 > C 0", "0.001: B 2 > C 1 > A 0"),
        ),
        Denial(
            axiom="majority",
            source="Greaves and Cotton-Barratt, A bargaining-theoretic approach to moral "
            "uncertainty, 2024 (a compromise beats what the majority holds best)",
            ballots=("0.6: A 10 > B 9 > C 0", "0.4: C 10 > B 9 > A 0"),
        ),
        Denial(
            axiom="condorcet",
            source="Found by searching small theories; the tests repeat it",
            ballots=(
                "0.6: B 2 > C 1 > A 0",
                "0.4: A 2 = C 2 > B 0",
            ),
        ),
        Denial(
            axiom="iia",
            source="Found by searching small theories; the tests repeat it",
            ballots=(
                "0.6: A 3 > C 2 > D 1 > B 0",
                "0.4: D 3 > C 1 > A 0 = B 0",
            ),
        ),
    ),
    takes="worths",
    status="tested",
)


@plugin(CARD)
def nash(theories: Theories) -> Order:
    """Return the order by the product of gains, each to the power of the theory's credence.

    The disagreement point is the status quo where the theories name one; else each theory's worst
    option, the least presuming choice, which gives every theory a veto over its worst. With a
    status quo, options that some believed theory holds worse are no bargain and stand last; if
    nothing improves things for all, the status quo is among the chosen. A theory by which all
    options are level takes no part.

    Options that some theory gains nothing by have the product 0 and are level: the rule says no
    more of them. The score is the product, in units of each theory's range, and 0 for what is no
    bargain. Ties are exact: products are compared by their factors, not by rounded numbers. The
    facts hold the best lottery too, for chances make bargains possible that no single option is.

    Raises:
        Inapplicable: where a believed theory only orders options.
    """
    theories.cardinal("nash")
    held, level = theories.discerning()
    gains = _gains(held)
    columns = [tuple(row[a] for row in gains) for a in range(len(held.options))]
    inside = [a for a, column in enumerate(columns) if all(g > 0 for g in column)]
    nothing = [a for a, column in enumerate(columns) if min(column, default=1) == 0]
    against = [a for a, column in enumerate(columns) if min(column, default=1) < 0]
    base, forms = _forms([columns[a] for a in inside], held.credences)
    tiers, sums = order_of_forms(forms, lambda: [Decimal(b).ln() for b in base])
    ranked = [tuple(inside[i] for i in tier) for tier in tiers]
    ranked += [tuple(tier) for tier in (nothing, against) if tier]
    scores = np.zeros(len(held.options))
    scores[inside] = np.exp(sums)
    point = "each theory's worst option" if held.status_quo is None else "the status quo"
    facts: dict[str, Any] = {
        "disagreement": point,
        "indifferent": level,
        "worse_for_some": [held.options[a] for a in against],
    }
    return Order(tuple(ranked), scores, facts=facts | _lottery(held, gains))


def _gains(theories: Theories) -> tuple[Exact, ...]:
    """Gains over the disagreement point, in units of each theory's range."""
    at = theories.status_quo
    return tuple(
        tuple(value - (row[at] if at is not None else 0) for value in row)
        for row in theories.spanned
    )


def _forms(columns: Sequence[Exact], credences: Exact) -> tuple[list[int], list[Form]]:
    """Sums of credence times log gain, as rational combinations of logarithms."""
    parts = {n for column in columns for g in column for n in (g.numerator, g.denominator)}
    base = coprime_base(sorted(parts))
    forms = []
    for column in columns:
        form = [Fraction(0)] * len(base)
        for credence, gain in zip(credences, column, strict=True):
            for number, times in enumerate(exponents(gain, base)):
                form[number] += credence * times
        forms.append(tuple(form))
    return base, forms


def _lottery(theories: Theories, gains: tuple[Exact, ...]) -> dict[str, Any]:
    """The best lottery; without one by which every theory gains, the status quo itself."""
    m = len(theories.options)
    if not theories.names:
        return Bargain(np.full(m, 1 / m), 0.0).facts(theories.options)
    matrix = np.array([floats(row) for row in gains])
    start: Floats = np.full(m, 1 / m)
    if theories.status_quo is not None:
        start, least = _improving(matrix)
        if least <= 1e-9:
            only = np.zeros(m)
            only[theories.status_quo] = 1.0
            return Bargain(only, 0.0).facts(theories.options)
    found = bargain(matrix, floats(theories.credences), start=start)
    return found.facts(theories.options)


def _improving(gains: Floats) -> tuple[Floats, float]:
    """A lottery inside all bounds that all theories gain by, and the least gain of any."""
    from scipy.optimize import linprog

    theories, m = gains.shape
    rows = np.hstack([-gains, np.ones((theories, 1))])
    found = linprog(
        np.append(np.zeros(m), -1.0),
        A_ub=rows,
        b_ub=np.zeros(theories),
        A_eq=np.append(np.ones(m), 0.0)[None, :],
        b_eq=[1.0],
        bounds=[(0, None)] * m + [(None, None)],
    )
    if found.x is None:
        raise ArithmeticError(f"the solver failed on a program with a solution: {found.message}")
    best = np.clip(found.x[:m], 0.0, None)
    least = float(found.x[m])
    inner = best / best.sum() * (1 - least / 4) + max(least, 0.0) / 4 / m
    return inner, least
