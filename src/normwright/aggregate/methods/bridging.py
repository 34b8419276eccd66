"""Bridging: what people rate well beyond what their side of the divide explains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.election import Election, Inapplicable
from normwright.aggregate.methods import Order, by_score
from normwright.plugins import Card, Denial, plugin

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PENALTY_INTERCEPT = 0.15
"""Weight of the squares of intercepts, as published by Community Notes."""
PENALTY_FACTOR = 0.03
"""Weight of the squares of factors."""
HELPFUL, POLAR = 0.40, 0.50
"""An alternative bridges with an intercept of at least the first and a factor below the second."""
FEWEST_BY_RATER, FEWEST_OF_RATED = 10, 5
"""Ratings below which Community Notes leaves out a rater or a note; here they are only counted."""
DIGITS = 6
_ROUNDS = 300
_SETTLED = 1e-9

CARD = Card(
    name="bridging",
    kind="methods",
    summary="Ranks by what raters of both sides think of it, the divide itself taken out.",
    reference="Wojcik et al., Birdwatch: crowd wisdom and bridging algorithms, arXiv 2210.15723, "
    "2022",
    claims=("anonymity", "neutrality"),
    denies=(
        Denial(
            axiom="clones", source="By search", ballots=("1: A=0 B=1", "1: A=0 B=2", "1: A=3 B=0")
        ),
        Denial(
            axiom="coalition-monotonicity",
            source="By search",
            ballots=("1: A=0 B=1 C=1", "1: A=1 B=2 C=2"),
        ),
        Denial(axiom="condorcet", source="By search", ballots=("2: A=0 B=1", "1: A=3 B=0")),
        Denial(
            axiom="homogeneity",
            source="By search",
            ballots=("1: A=0 B=1", "1: A=3 B=1", "1: A=3 B=3"),
        ),
        Denial(
            axiom="iia",
            source="Arrow, Social Choice and Individual Values, 1951; these ballots by search",
            ballots=("1: A=0 B=0 C=1", "1: A=0 B=1 C=2"),
        ),
        Denial(axiom="majority", source="By search", ballots=("2: A=0 B=1", "1: A=3 B=0")),
        Denial(
            axiom="monotonicity", source="By search", ballots=("1: A=0 B=1 C=1", "1: A=1 B=2 C=2")
        ),
        Denial(
            axiom="participation", source="By search", ballots=("1: A=0 B=1 C=1", "1: A=0 B=1 C=2")
        ),
        Denial(
            axiom="reinforcement",
            source="By search",
            ballots=("1: A=0 B=1", "1: A=3 B=1", "1: A=3 B=3"),
        ),
        Denial(axiom="reversal-symmetry", source="By search", ballots=("1: A=0 B=1", "1: A=2 B=1")),
        Denial(axiom="smith", source="By search", ballots=("2: A=0 B=1", "1: A=3 B=0")),
        Denial(
            axiom="strategy-proofness",
            source="Gibbard, Econometrica 41, 1973; these ballots by search",
            ballots=("1: A=0 B=1", "1: A=3 B=1"),
        ),
    ),
    takes="grades",
    status="tested",
)


@dataclass(frozen=True, eq=False)
class Factors:
    """Estimates of r = mean + rater + rated + rater's factor x rated's factor."""

    mean: float
    raters: Floats
    """Intercepts of rows, shape (k,)."""
    rated: Floats
    """Intercepts of alternatives, shape (m,): how well each does on both sides."""
    rater_factors: Floats
    """Where each row stands on the divide, shape (k,)."""
    rated_factors: Floats
    """How far each alternative divides, shape (m,)."""
    errors: Floats
    """Standard errors of `rated`, all raters' estimates taken as given."""
    loss: float
    """What is made least: squared errors, and squares of the estimates by their weights."""
    rounds: int
    """Rounds of alternating least squares."""
    settled: bool
    """Whether no intercept moved by more than 1e-9 in the last round."""


@plugin(CARD)
def bridging(election: Election) -> Order:
    """Return the order by intercept of the bridging factorisation; higher is better on both sides.

    A rating r from 0 to 1 (lowest and highest grade) is explained by a mean, how kind the rater is,
    how good the alternative is, and one divide on which both have a place; what only one side likes
    is explained by the divide. Cells nobody rated have no part. Fitted by alternating least squares
    from the strongest direction of disagreement, so that nothing is drawn at random; of the two
    mirror images of the divide, the one with more raters on its positive side is told. With a dozen
    raters the published penalties decide more than the ratings do, and the loss may have several
    low points; with thirty or more every start was seen to lead to one.

    `facts` tell the factor of each alternative, whether it reaches the published thresholds, how
    many raters and ratings there were, how many are fewer than Community Notes would use, and what
    one more rater at either end would make of each intercept. `errors` take the raters' estimates
    as given; `resampled` draws raters again, and is wider.

    Raises:
        Inapplicable: where people gave no grades, or nobody rated an alternative.
    """
    names = election.alternatives
    ratings = Ratings.of(election)
    if not names:
        return Order(tiers=(), scores=np.zeros(0))
    fit = factorised(ratings)
    told = np.round(fit.rated, DIGITS) + 0.0
    return Order(
        tiers=by_score(told), scores=told, errors=np.round(fit.errors, DIGITS),
        facts=_facts(ratings, fit, names),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Ratings:
    """Ratings of rows of voters, as two sparse matrices of the same cells."""

    seen: Any
    """1 where there is a rating, CSR (k, m)."""
    values: Any
    """Ratings from 0 to 1, CSR (k, m)."""
    counts: Ints
    """Voters of each row, shape (k,)."""

    @classmethod
    def of(cls, election: Election) -> Ratings:
        """Return the grades of an election between 0, the lowest, and 1, the highest.

        Raises:
            Inapplicable: where people gave no grades, or nobody graded an alternative.
        """
        from scipy import sparse

        grades = election.grades_for("bridging")
        at, to = np.nonzero(grades >= 0)
        top = max(1, int(grades.max(initial=0)), election.approved_from or 0)
        values = grades[at, to] / top
        seen = sparse.csr_matrix((np.ones(len(at)), (at, to)), shape=grades.shape)
        rated = sparse.csr_matrix((values, (at, to)), shape=grades.shape)
        unseen = np.flatnonzero(election.counts @ (grades >= 0).astype(np.int64) == 0)
        if len(unseen):
            raise Inapplicable.because(
                "bridging", "at least one grade for every alternative",
                f"none for {len(unseen)}, such as {election.alternatives[unseen[0]]}",
                "Leave out what nobody graded.",
            )  # fmt: skip
        return cls(seen, rated, election.counts)


@dataclass(frozen=True, eq=False)
class _Side:
    """The cells as seen from one side, whose intercepts and factors are solved for."""

    seen: Any
    values: Any
    weight: Floats
    """Voters whom each of the other side stands for; 1 for an alternative."""
    number: Floats
    """Ratings of each of this side, by weight."""
    sums: Floats
    """Their sum."""

    @classmethod
    def of(cls, seen: Any, values: Any, weight: Floats) -> _Side:
        return cls(seen, values, weight, seen @ weight, values @ weight)

    def squares(self, factors: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the two-by-two normal matrices: intercept, across, factor."""
        by_weight = self.weight * factors
        made = self.seen @ np.stack([by_weight, by_weight * factors], axis=1)
        return self.number + PENALTY_INTERCEPT, made[:, 0], made[:, 1] + PENALTY_FACTOR

    def rest(self, given: Floats, factors: Floats) -> tuple[Floats, Floats]:
        """Return what is left to explain, summed, and summed by factor."""
        by_weight = self.weight * factors
        known = self.seen @ np.stack([self.weight * given, by_weight * given], axis=1)
        return self.sums - known[:, 0], self.values @ by_weight - known[:, 1]

    def solved(self, given: Floats, factors: Floats) -> tuple[Floats, Floats]:
        """Return intercepts and factors that make the loss least.

        Args:
            given: mean and intercept of each of the other side.
            factors: of the other side.
        """
        one, across, two = self.squares(factors)
        first, second = self.rest(given, factors)
        determinant = one * two - across**2
        return (
            (two * first - across * second) / determinant,
            (one * second - across * first) / determinant,
        )


def factorised(ratings: Ratings, *, start: Factors | None = None) -> Factors:
    """Return the factorisation by alternating least squares, each side solved exactly in turn.

    Args:
        ratings: who rated what how.
        start: estimates of the alternatives to begin from; None: the strongest direction of
            disagreement.
    """
    counts = ratings.counts.astype(np.float64)
    rows = _Side.of(ratings.seen, ratings.values, np.ones(ratings.seen.shape[1]))
    columns = _Side.of(ratings.seen.T.tocsr(), ratings.values.T.tocsr(), counts)
    if start is None:
        mean, rated, factors = _begin(rows, columns, counts)
    else:
        mean, rated, factors = start.mean, start.rated, start.rated_factors
    done, settled = 0, False
    while done < _ROUNDS and not settled:
        before = rated
        raters, rater_factors = rows.solved(mean + rated, factors)
        rated, factors = columns.solved(mean + raters, rater_factors)
        rater_factors, rated = _turned(rater_factors, rated, factors, counts, np.ones(len(rated)))
        factors, raters = _turned(factors, raters, rater_factors, np.ones(len(rated)), counts)
        mean, raters, rated = _shifted(mean, raters, rated, counts)
        factors = factors * _balance(rater_factors, factors, counts)
        settled = float(np.abs(rated - before).max(initial=0)) < _SETTLED
        done += 1
    raters, rater_factors = rows.solved(mean + rated, factors)
    if float(counts @ np.sign(np.round(rater_factors, DIGITS))) < 0:
        rater_factors, factors = -rater_factors, -factors
    loss, errors = _uncertain(
        ratings, columns, (mean, raters, rated), (rater_factors, factors), counts
    )
    return Factors(
        mean, raters, rated, rater_factors, factors, errors, loss, done, settled
    )  # fmt: skip


def _begin(rows: _Side, columns: _Side, counts: Floats) -> tuple[float, Floats, Floats]:
    """The mean, intercepts without factors, and the strongest direction of what they leave."""
    mean = float(counts @ rows.sums) / float(counts @ rows.number)
    rated = (columns.sums - mean * columns.number) / (columns.number + PENALTY_INTERCEPT)
    raters = (rows.sums - rows.seen @ (mean + rated)) / (rows.number + PENALTY_INTERCEPT)
    left = rows.values.copy()
    at = np.repeat(np.arange(left.shape[0]), np.diff(left.indptr))
    left.data = left.data - (mean + raters[at] + rated[left.indices])
    back = left.T.tocsr()
    # From the alternative on which raters differ most; any other that has a part would do.
    spread = np.asarray(back.multiply(back) @ counts).ravel()
    direction = np.zeros(len(spread))
    direction[int(np.argmax(spread))] = 1.0
    for _ in range(30):
        direction = back @ (counts * (left @ direction))
        length = float(np.linalg.norm(direction))
        if length < 1e-12:
            # Nothing is left to explain, so there is no divide to begin from.
            return mean, rated, np.zeros(len(spread))
        direction = direction / length
    return mean, rated, direction


def _shifted(
    mean: float, raters: Floats, rated: Floats, counts: Floats
) -> tuple[float, Floats, Floats]:
    """Constants moved between mean and intercepts, which explains the same and costs least."""
    k, m = float(counts.sum()), len(rated)
    # Least of k (u + a)^2 + m (n + b)^2 + (mean - a - b)^2, by its two normal equations.
    u, n = float(counts @ raters) / k, float(rated.mean())
    total = mean + u + n
    each = total / (1 + 1 / k + 1 / m)
    return each, raters + (each / k - u), rated + (each / m - n)


def _turned(
    factors: Floats, intercepts: Floats, others: Floats, weight: Floats, of_others: Floats
) -> tuple[Floats, Floats]:
    """All factors of one side moved by one amount, at least cost, and the other side's intercepts.

    These take up what moves, so that the same is explained; without this step alternating least
    squares creeps along that direction for thousands of rounds.

    Args:
        factors: of the side that moves.
        intercepts: of the other side.
        others: factors of the other side.
        weight: of each of the side that moves.
        of_others: of each of the other side.
    """
    cost = PENALTY_INTERCEPT * float(of_others @ others**2) + PENALTY_FACTOR * float(weight.sum())
    gain = PENALTY_INTERCEPT * float(of_others @ (others * intercepts))
    by = (gain - PENALTY_FACTOR * float(weight @ factors)) / cost
    return factors + by, intercepts - by * others


def _balance(rater_factors: Floats, factors: Floats, counts: Floats) -> float:
    """What the factors of alternatives are to be multiplied by to cost as much as the raters'."""
    mine, theirs = float(factors @ factors), float(counts @ rater_factors**2)
    return float((theirs / mine) ** 0.25) if mine > 0 and theirs > 0 else 1.0


def _uncertain(
    ratings: Ratings,
    columns: _Side,
    intercepts: tuple[float, Floats, Floats],
    factors: tuple[Floats, Floats],
    counts: Floats,
) -> tuple[float, Floats]:
    """The loss, and standard errors of the alternatives' intercepts, raters taken as given."""
    mean, raters, rated = intercepts
    of_raters, of_rated = factors
    cells = ratings.values.tocoo()
    fitted = (
        mean + raters[cells.row] + rated[cells.col] + of_raters[cells.row] * of_rated[cells.col]
    )
    squared = float(counts[cells.row] @ (cells.data - fitted) ** 2)
    kept = mean**2 + float(counts @ raters**2) + float(rated @ rated)
    turned = float(counts @ of_raters**2) + float(of_rated @ of_rated)
    one, across, two = columns.squares(of_raters)
    free = max(1.0, float(columns.number.sum()) - 2 * (float(counts.sum()) + len(rated)))
    errors: Floats = np.sqrt(squared / free * two / (one * two - across**2))
    return squared + PENALTY_INTERCEPT * kept + PENALTY_FACTOR * turned, errors


def resampled(
    election: Election, *, seed: int, rounds: int = 200, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Return the lowest and highest likely intercept of each alternative, shape (m,) each.

    Voters are drawn again with all their ratings, and fitted anew from where the first fit ended.
    A round in which nobody drawn rated an alternative says nothing of that alternative.

    Args:
        election: ballots with grades.
        seed: seed of the draws.
        rounds: number of draws.
        level: of the interval of each alternative by itself.

    Raises:
        Inapplicable: as for `bridging`.
    """
    ratings = Ratings.of(election)
    first = factorised(ratings)
    drawn = election.drawn(np.random.default_rng([seed, 11]), rounds)
    made = np.full((rounds, len(first.rated)), np.nan)
    for row, counts in zip(made, drawn, strict=True):
        again = Ratings(ratings.seen, ratings.values, counts)
        rated_by = ratings.seen.T @ counts
        row[:] = np.where(rated_by > 0, factorised(again, start=first).rated, np.nan)
    ends = np.nanquantile(made, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return ends[0], ends[1]


def one_more(fit: Factors, ratings: Ratings) -> tuple[Floats, Floats]:
    """Return the lowest and highest intercept of each that one more rater could make.

    The rater is of average kindness, stands in the middle or as far out as any at either end, and
    rates lowest or highest; other estimates stay as they are.
    """
    columns = _Side.of(
        ratings.seen.T.tocsr(), ratings.values.T.tocsr(), ratings.counts.astype(np.float64)
    )
    one, across, two = columns.squares(fit.rater_factors)
    first, second = columns.rest(fit.mean + fit.raters, fit.rater_factors)
    ends = fit.rater_factors
    made = [fit.rated]
    for place in (float(ends.min(initial=0)), 0.0, float(ends.max(initial=0))):
        for rating in (0.0, 1.0):
            left = rating - fit.mean
            a, b, c = one + 1, across + place, two + place**2
            made.append((c * (first + left) - b * (second + place * left)) / (a * c - b**2))
    return np.min(made, axis=0), np.max(made, axis=0)


def _facts(ratings: Ratings, fit: Factors, names: tuple[str, ...]) -> dict[str, Any]:
    by_rater = np.diff(ratings.seen.indptr)
    of_rated = np.rint(ratings.seen.T @ ratings.counts).astype(np.int64)
    low, high = (np.round(end, DIGITS) for end in one_more(fit, ratings))
    polarity = np.round(fit.rated_factors, DIGITS) + 0.0
    bridges = (np.round(fit.rated, DIGITS) >= HELPFUL) & (np.abs(polarity) < POLAR)
    ends = np.round(fit.rater_factors, DIGITS) + 0.0
    positive = int(ratings.counts[ends > 0].sum())
    return {
        "polarity": dict(zip(names, polarity.tolist(), strict=True)),
        "bridges": [a for a, yes in zip(names, bridges, strict=True) if yes],
        "thresholds": {"intercept_at_least": HELPFUL, "factor_below": POLAR},
        "raters": int(ratings.counts.sum()),
        "raters_by_side": [positive, int(ratings.counts[ends < 0].sum())],
        "rater_factors": [float(ends.min(initial=0)), float(ends.max(initial=0))],
        "ratings": int(ratings.counts @ by_rater),
        "raters_with_few": int(ratings.counts[by_rater < FEWEST_BY_RATER].sum()),
        "rated_by_few": [a for a, n in zip(names, of_rated, strict=True) if n < FEWEST_OF_RATED],
        "rated_by": dict(zip(names, of_rated.tolist(), strict=True)),
        "one_more_rater": {
            a: [float(x), float(y)] for a, x, y in zip(names, low, high, strict=True)
        },
        "mean": round(fit.mean, DIGITS),
        "loss": round(fit.loss, DIGITS),
        "rounds": fit.rounds,
        "settled": fit.settled,
    }
