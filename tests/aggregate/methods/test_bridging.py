"""Bridging: the least of the published loss, found fast; divides taken out, bounds that hold."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from normwright.aggregate import Election
from normwright.aggregate.methods.bridging import Ratings, factorised, one_more, resampled
from normwright.aggregate.ranking import order_of

Floats = NDArray[np.float64]


def rated(grades: NDArray[np.int64], counts: list[int] | None = None) -> Election:
    """An election of votes 0, 1, 2 and -1 for none."""
    orders = np.where(grades < 0, -1, 2 - grades).astype(np.int16)
    number = np.ones(len(grades), dtype=np.int64) if counts is None else np.array(counts)
    names = tuple(f"n{j}" for j in range(grades.shape[1]))
    return Election(
        names, orders, number.astype(np.int64), unranked="apart",
        grades=grades.astype(np.int16), approved_from=2,
    )  # fmt: skip


def drawn(
    seed: int, voters: int, m: int, seen: float = 0.7
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Votes of two camps: quality, what divides, and who happened to vote."""
    rng = np.random.default_rng(seed)
    side = rng.choice([-1.0, 1.0], voters)
    quality, divide = rng.normal(size=m) * 0.3, rng.normal(size=m) * 0.3
    mean = 0.5 + quality + side[:, None] * divide + 0.2 * rng.normal(size=(voters, m))
    votes = np.clip(np.round(2 * mean), 0, 2).astype(np.int64)
    return np.where(rng.random((voters, m)) < seen, votes, -1), quality, divide


def published_loss(at: Floats, grades: NDArray[np.int64]) -> float:
    """The loss as published, over all cells."""
    k, m = grades.shape
    mean, u, n, fu, fn = at[0], at[1 : k + 1], at[k + 1 : k + m + 1], at[k + m + 1 : -m], at[-m:]
    kept = 0.15 * (mean**2 + u @ u + n @ n) + 0.03 * (fu @ fu + fn @ fn)
    left = grades / 2 - mean - u[:, None] - n[None, :] - fu[:, None] * fn[None, :]
    return float(kept + (left[grades >= 0] ** 2).sum())


@pytest.mark.parametrize("seed", [0, 1])
def test_the_published_loss_is_least(seed: int) -> None:
    """A general optimiser of the loss, from many starts, finds nothing better."""
    grades, _, _ = drawn(seed, 30, 6)
    fit = factorised(Ratings.of(rated(grades)))
    at = np.concatenate([[fit.mean], fit.raters, fit.rated, fit.rater_factors, fit.rated_factors])
    rng = np.random.default_rng(3)
    starts = [rng.normal(size=len(at)) * 0.5 for _ in range(4)]
    best = min(float(minimize(published_loss, s, (grades,), method="BFGS").fun) for s in starts)

    assert fit.loss == pytest.approx(published_loss(at, grades), rel=1e-9)
    assert fit.loss <= best + 1e-5
    assert fit.settled


def test_many_voters_of_one_kind_are_many_voters() -> None:
    """A row that five gave is five rows: the same estimates, the same loss."""
    grades, _, _ = drawn(2, 12, 6)
    counts = [5, 1, 2, 1, 1, 3, 1, 1, 1, 1, 2, 1]
    once = order_of(rated(grades, counts), method="bridging")
    rows = order_of(rated(np.repeat(grades, counts, axis=0)), method="bridging")

    assert once.scores.tolist() == rows.scores.tolist()
    assert once.errors is not None
    assert once.errors.tolist() == pytest.approx(rows.errors)
    assert once.facts["loss"] == pytest.approx(rows.facts["loss"])


def test_names_change_nothing() -> None:
    """Renaming alternatives and shuffling voters renames the result, exactly."""
    grades, _, _ = drawn(3, 40, 8)
    rng = np.random.default_rng(0)
    columns, rows = rng.permutation(8), rng.permutation(40)
    first = order_of(rated(grades), method="bridging")
    other = order_of(rated(grades[rows][:, columns]), method="bridging")

    assert other.scores.tolist() == first.scores[columns].tolist()
    polarity = list(first.facts["polarity"].values())
    assert list(other.facts["polarity"].values()) == [polarity[c] for c in columns]


def test_the_divide_is_taken_out() -> None:
    """What both camps like is above what one loves and the larger camp alone would carry."""
    camp, other = [2, 1, 2, 0, 1, 2], [0, 1, 2, 2, 1, 0]
    noise = np.random.default_rng(1).random((100, 6)) < 0.1
    grades = np.where(noise, 1, np.array([camp] * 70 + [other] * 30))
    seen = order_of(rated(grades), method="bridging")

    # n0 has 70 % of the votes and so more than most; n2 alone has both camps.
    assert seen.tiers[0] == (2,)
    assert seen.facts["raters_by_side"] == [70, 30]
    assert abs(seen.facts["polarity"]["n0"]) > 4 * abs(seen.facts["polarity"]["n2"])
    assert seen.facts["polarity"]["n0"] * seen.facts["polarity"]["n3"] < 0


def test_thresholds_name_who_bridges() -> None:
    """With the published thresholds only what both camps like bridges; few ratings are counted."""
    grades = np.array([[2, 2, 0, 0, 0]] * 20 + [[2, 0, 2, 0, -1]] * 20)
    grades[:3, 4], grades[3:20, 4] = 1, -1
    seen = order_of(rated(grades), method="bridging")

    assert seen.facts["bridges"] == ["n0"]
    assert seen.facts["rated_by_few"] == ["n4"]
    assert seen.facts["raters_with_few"] == 40
    assert seen.facts["rated_by"] == {"n0": 40, "n1": 40, "n2": 40, "n3": 40, "n4": 3}


def test_planted_quality_is_found() -> None:
    """Two thousand voters and sixty statements: quality and divide are found, in few rounds."""
    grades, quality, divide = drawn(4, 2000, 60, seen=0.3)
    fit = factorised(Ratings.of(rated(grades)))

    assert np.corrcoef(fit.rated, quality)[0, 1] > 0.95
    assert abs(np.corrcoef(fit.rated_factors, divide)[0, 1]) > 0.9
    assert fit.rounds <= 30


def test_one_more_rater_is_what_refitting_the_alternative_gives() -> None:
    """The pseudo-rater's bounds equal solving the alternative's two equations with one more row."""
    grades, _, _ = drawn(5, 30, 5)
    ratings = Ratings.of(rated(grades))
    fit = factorised(ratings)
    low, high = one_more(fit, ratings)
    for j in range(5):
        mine = grades[:, j] >= 0
        found = [fit.rated[j]]
        for place in (fit.rater_factors.min(), 0.0, fit.rater_factors.max()):
            for value in (0.0, 1.0):
                factor = np.append(fit.rater_factors[mine], place)
                left = np.append(
                    grades[mine, j] / 2 - fit.mean - fit.raters[mine], value - fit.mean
                )
                design = np.stack([np.ones(len(factor)), factor], axis=1)
                normal = design.T @ design + np.diag([0.15, 0.03])
                found.append(np.linalg.solve(normal, design.T @ left)[0])
        assert (low[j], high[j]) == pytest.approx((min(found), max(found)))


def test_resampled_intervals_hold_the_estimate_and_repeat() -> None:
    """Drawn again with one seed the ends are the same; they hold the estimate and narrow with n."""
    small, large = rated(drawn(6, 40, 5)[0]), rated(drawn(6, 640, 5)[0])
    low, high = resampled(small, seed=1, rounds=60)
    again = resampled(small, seed=1, rounds=60)
    narrow = resampled(large, seed=1, rounds=60)
    seen = order_of(small, method="bridging").scores

    assert (low.tolist(), high.tolist()) == (again[0].tolist(), again[1].tolist())
    assert ((low <= seen) & (seen <= high)).all()
    assert (narrow[1] - narrow[0]).mean() < (high - low).mean() / 2


def test_one_opinion_has_no_divide() -> None:
    """Where all say the same nothing divides, and the better rated are above."""
    seen = order_of(rated(np.array([[2, 1, 0]] * 900)), method="bridging")

    assert seen.tiers == ((0,), (1,), (2,))
    assert max(abs(p) for p in seen.facts["polarity"].values()) < 0.01
