"""A quantile that no single voter can move far: the quadratically regularised median."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from normwright.aggregate.election import Election
from normwright.aggregate.methods import Order, by_score
from normwright.aggregate.methods.majority_judgement import grade_counts
from normwright.plugins import Card, Denial, plugin

RESILIENCE = Fraction(1, 10)
"""Most that one voter can move a result, on a scale from -1 to 1."""

CARD = Card(
    name="lipschitz-quantile",
    kind="methods",
    summary="Ranks by a median of grades, drawn to the middle so that one voter moves it by at "
    "most a tenth.",
    reference="Allouah, Guerraoui, Hoang and Villemaud, Robust sparse voting, AISTATS 2024 (QrMed)",
    claims=(
        "anonymity",
        "neutrality",
        "monotonicity",
        "coalition-monotonicity",
        "clones",
    ),
    denies=(
        Denial(axiom="condorcet", source="By search", ballots=("2: A=0 B=1", "1: A=3 B=0")),
        Denial(axiom="condorcet-loser", source="By search", ballots=("2: A=0 B=1", "1: A=3 B=0")),
        Denial(
            axiom="homogeneity",
            source="By search",
            ballots=("1: A=0 B=0", "1: A=0 B=1", "1: A=3 B=1"),
        ),
        Denial(
            axiom="iia",
            source="Arrow, Social Choice and Individual Values, 1951; these ballots by search",
            ballots=("1: A=0 B=1 C=0 D=2", "1: A=1 B=0 C=0 D=1", "1: A=3 B=1 C=2 D=2"),
        ),
        Denial(axiom="majority", source="By search", ballots=("2: A=0 B=1", "1: A=3 B=0")),
        Denial(axiom="pareto", source="By search", ballots=("1: A=2 B=3",)),
        Denial(
            axiom="participation",
            source="By search",
            ballots=("1: A=0 B=0", "1: A=0 B=1", "1: A=2 B=1", "1: A=2 B=3"),
        ),
        Denial(
            axiom="reinforcement",
            source="By search",
            ballots=("1: A=0 B=0", "1: A=0 B=1", "1: A=1 B=2"),
        ),
        Denial(axiom="smith", source="By search", ballots=("2: A=0 B=1", "1: A=3 B=0")),
        Denial(
            axiom="strategy-proofness",
            source="Gibbard, Econometrica 41, 1973; these ballots by search",
            ballots=("1: A=0 B=1", "1: A=2 B=1", "1: A=2 B=3"),
        ),
    ),
    takes="grades",
    status="tested",
)


@plugin(CARD)
def lipschitz_quantile(election: Election) -> Order:
    """Return the order by QrMed, the z that makes z^2/(2L) + sum of |z - x| least, with L = 0.1.

    Grades are put on a scale from -1 (lowest) to 1 (highest); who did not grade an alternative has
    no part in its result. One voter moves a result by at most L for each grade given on it, few
    voters leave it near the middle, and many make it the median. Not homogeneous, on purpose: twice
    as many voters move it further. The highest grade is the highest that was given, or that which
    approves, if higher.

    Raises:
        Inapplicable: where people gave no grades, or nobody graded an alternative.
    """
    counts = grade_counts(election, "lipschitz-quantile")
    top = max(1, counts.shape[1] - 1)
    values = [Fraction(2 * g, top) - 1 for g in range(counts.shape[1])]
    exact = [regularised_quantile(values, row, resilience=RESILIENCE) for row in counts.tolist()]
    most = _grades_of_one(election)
    facts: dict[str, Any] = {
        "resilience": float(RESILIENCE),
        "grades_of_one_voter": most,
        "influence_bound": float(RESILIENCE * most),
        "scale": {"lowest_grade": 0, "highest_grade": top, "to": [-1, 1]},
        "graded_by": dict(zip(election.alternatives, counts.sum(axis=1).tolist(), strict=True)),
    }
    # Fractions decide the tiers; floats only show them.
    tiers = by_score(np.array(exact, dtype=object))
    return Order(tiers=tiers, scores=np.array([float(z) for z in exact]), facts=facts)


def regularised_quantile(
    values: Sequence[Fraction],
    weights: Sequence[int | Fraction],
    *,
    resilience: Fraction = RESILIENCE,
    quantile: Fraction = Fraction(1, 2),
) -> Fraction:
    """Return the z that makes z^2/(2L) + sum of w |z - x| least, exactly.

    The slope z/L - (w above z) + (w below z) grows with z, and between two values of x only by its
    first term; so the answer is a value of x, or L times a difference of weights, found without
    iteration. A voter of weight w moves it by at most L w.

    Args:
        values: places on the scale, rising.
        weights: weight of each value.
        resilience: L; the larger, the nearer to the quantile itself.
        quantile: which quantile; 1/2: the median. For others a voter above z counts 2 q and one
            below 2 (1 - q), so that the bound becomes L w max(2 q, 2 - 2 q).
    """
    up, down = 2 * quantile, 2 * (1 - quantile)
    above, below = Fraction(sum(weights)), Fraction(0)
    best = resilience * -down * above
    for x, w in zip(values, weights, strict=True):
        best = max(best, min(x, resilience * (up * above - down * below)))
        above, below = above - w, below + w
    return best


def _grades_of_one(election: Election) -> int:
    """Most grades that one voter gave on one alternative."""
    if election.bundles is None:
        return 1
    graded = (election.grades_for("lipschitz-quantile") >= 0).astype(np.int64)
    each = np.add.reduceat(graded[election.bundles.members], election.bundles.starts[:-1], axis=0)
    return int(each.max(initial=1))
