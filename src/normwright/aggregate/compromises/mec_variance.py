"""Variance voting: expected choice-worthiness with every theory's variance made 1."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from normwright.aggregate.compromises import Theories
from normwright.aggregate.compromises.exact import Form, commensurable, order_of_forms
from normwright.aggregate.methods import Order
from normwright.plugins import Card, Denial, plugin

CARD = Card(
    name="mec-variance",
    kind="compromises",
    summary="Ranks by expected choice-worthiness, each theory with mean 0 and variance 1.",
    reference="Cotton-Barratt, MacAskill and Ord, Statistical normalization methods in "
    "interpersonal and intertheoretic comparisons, Journal of Philosophy 117, 2020",
    claims=(
        "anonymity",
        "neutrality",
        "scale-invariance",
        "no-fanaticism",
        "pareto",
        "updating-consistency",
    ),
    denies=(
        Denial(
            axiom="clones",
            source="Found by searching small theories; the tests repeat it",
            ballots=(
                "0.6: A 2 > B 1 > C 0",
                "0.4: B 2 > A 1 = C 1",
            ),
        ),
        Denial(
            axiom="majority",
            source="Cotton-Barratt, MacAskill and Ord, Statistical normalization methods, Journal "
            "of Philosophy 117, 2020 (intensity counts beside credence)",
            ballots=("0.6: A 10 > B 9 > C 0", "0.4: B 10 > C 1 > A 0"),
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
                "0.6: C 2 > A 1 > B 0",
                "0.4: B 2 > C 1 > A 0",
            ),
        ),
    ),
    takes="worths, or orders by their Borda scores",
    status="tested",
)


@plugin(CARD)
def mec_variance(theories: Theories) -> Order:
    """Return the order by expected worth after each theory's variance over options was made 1.

    Each option weighs the same in mean and variance, so that telling one option apart into two
    changes how loud a theory speaks. A theory by which all options are level adds nothing; its
    credence is not handed on. A theory that only orders options speaks by its Borda scores
    (MacAskill, Bykvist and Ord, Moral Uncertainty, Oxford 2020: the one-step procedure), and the
    facts name it.

    Ties are exact: sums of square roots are compared by their coefficients, never by rounding.
    """
    held, level = theories.discerning()
    rows = [
        tuple(map(Fraction, held.ranks[k])) if held.ordinal[k] else held.worth[k]
        for k in range(len(held.names))
    ]
    moments = [_moments(row) for row in rows]
    roots = _roots([variance for _, variance in moments])
    forms = [[Fraction(0)] * len(roots) for _ in held.options]
    for credence, row, (mean, variance) in zip(held.credences, rows, moments, strict=True):
        number, ratio = _place(variance, roots)
        for a, value in enumerate(row):
            # x / sqrt(v) = x sqrt(v) / v, and sqrt(v) = ratio sqrt(root).
            forms[a][number] += credence * (value - mean) * ratio / variance
    tiers, scores = order_of_forms(
        [tuple(form) for form in forms],
        lambda: [(Decimal(r.numerator) / Decimal(r.denominator)).sqrt() for r in roots],
    )
    facts = {
        "indifferent": level,
        "by_borda_scores": [n for n, flat in zip(held.names, held.ordinal, strict=True) if flat],
        "spreads": held.named([float(variance) ** 0.5 for _, variance in moments]),
    }
    return Order(tiers, scores, facts=facts)


def _moments(row: Form) -> tuple[Fraction, Fraction]:
    """Mean and variance over options."""
    mean = sum(row, Fraction(0)) / len(row)
    return mean, sum(((v - mean) ** 2 for v in row), Fraction(0)) / len(row)


def _roots(variances: Sequence[Fraction]) -> list[Fraction]:
    """Variances of which no two have square roots with a rational ratio."""
    kept: list[Fraction] = []
    for variance in variances:
        if all(commensurable(variance, one) is None for one in kept):
            kept.append(variance)
    return kept


def _place(variance: Fraction, roots: Sequence[Fraction]) -> tuple[int, Fraction]:
    """The number of the root that a variance belongs to, and the ratio of their square roots."""
    for number, root in enumerate(roots):
        ratio = commensurable(variance, root)
        if ratio is not None:
            return number, ratio
    raise ValueError(f"no root has a rational ratio to that of {variance}")
