"""The calibration error and the error that perfect probabilities would show."""

from __future__ import annotations

import numpy as np
import pytest

from normwright.stats import bins, bootstrap_calibration, calibration_error, calibration_floor


def test_it_is_the_mean_gap_by_hand() -> None:
    """Two bins of two rows: |0.5 - 0.15| and |1 - 0.8|, by equal parts."""
    error = calibration_error([0.1, 0.2, 0.7, 0.9], [0, 1, 1, 1], count=2)

    assert error == pytest.approx((0.35 + 0.2) / 2)


def test_every_row_is_in_one_bin() -> None:
    """Bins differ by one row at most and together hold all."""
    found = bins(np.linspace(0, 1, 47), np.zeros(47), count=10)

    assert sum(b.n for b in found) == 47
    assert {b.n for b in found} == {4, 5}


def test_perfect_probabilities_lie_under_the_floor_and_bold_ones_above() -> None:
    """Truth drawn from the probabilities is within the floor; the same made bolder is not."""
    rng = np.random.default_rng(0)
    p = rng.random(4_000)
    truth = rng.random(4_000) < p
    bold = np.clip(p + 0.3 * np.sign(p - 0.5), 0, 1)

    assert calibration_error(p, truth) < calibration_floor(p, seed=1, rounds=200)[1]
    assert calibration_error(bold, truth) > 3 * calibration_floor(bold, seed=1, rounds=200)[1]


def test_the_interval_holds_the_error_of_a_known_law() -> None:
    """Probabilities that are 0.1 too high have an error of 0.1, and the interval holds it."""
    rng = np.random.default_rng(2)
    base = rng.uniform(0, 0.85, 6_000)
    found = bootstrap_calibration(base + 0.1, rng.random(6_000) < base, seed=3, rounds=200)

    assert found.interval is not None
    assert found.interval.low <= 0.1 <= found.interval.high
    assert found.interval.high - found.interval.low < 0.05


def test_clusters_widen_the_interval() -> None:
    """The same rows told a hundred times over are no more evidence than once."""
    rng = np.random.default_rng(4)
    p = rng.random(100)
    truth = rng.random(100) < p
    many = bootstrap_calibration(np.tile(p, 20), np.tile(truth, 20), seed=5, rounds=200)
    few = bootstrap_calibration(
        np.tile(p, 20), np.tile(truth, 20), clusters=list(range(100)) * 20, seed=5, rounds=200
    )

    assert many.interval is not None
    assert few.interval is not None
    assert few.n == 100
    assert few.interval.high - few.interval.low > 2 * (many.interval.high - many.interval.low)


def test_what_is_no_probability_is_refused() -> None:
    """Values outside [0, 1], uneven lengths and no rows at all are errors."""
    with pytest.raises(ValueError, match="lies in"):
        calibration_error([1.2], [1])
    with pytest.raises(ValueError, match="shapes"):
        calibration_error([0.2], [1, 0])
    with pytest.raises(ValueError, match="without rows"):
        calibration_error([], [])
