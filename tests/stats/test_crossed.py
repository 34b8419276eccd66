"""The mean of a crossed design covers what it should, and its parts are those of other books."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from normwright import stats


def table(
    raters: int, items: int, *, row: float, column: float, rest: float, seed: int
) -> tuple[np.ndarray, list[int], list[int]]:
    """A full table of ratings with planted standard deviations."""
    rng = np.random.default_rng(seed)
    y = (
        rng.normal(0, row, raters)[:, None]
        + rng.normal(0, column, items)[None, :]
        + rng.normal(0, rest, (raters, items))
    )
    return y.ravel(), np.repeat(range(raters), items).tolist(), list(range(items)) * raters


def test_a_full_table_has_the_components_of_its_mean_squares() -> None:
    """In a full table the moments are those of the two-way analysis of variance."""
    y, rows, columns = table(5, 9, row=1.0, column=2.0, rest=0.8, seed=1)
    grid = y.reshape(5, 9)
    by_row, by_column, mean = grid.mean(1), grid.mean(0), grid.mean()
    ms_row = 9 * ((by_row - mean) ** 2).sum() / 4
    ms_column = 5 * ((by_column - mean) ** 2).sum() / 8
    ms_rest = ((grid - by_row[:, None] - by_column[None, :] + mean) ** 2).sum() / 32

    found = stats.crossed_mean(y, rows, columns)

    assert found.rest == pytest.approx(ms_rest)
    assert found.row == pytest.approx((ms_row - ms_rest) / 9)
    assert found.column == pytest.approx((ms_column - ms_rest) / 5)
    assert found.error**2 == pytest.approx((ms_row + ms_column - ms_rest) / 45)


def test_independent_ratings_get_students_interval() -> None:
    """Where every rater rates one item of its own, the interval is the textbook one."""
    y = np.random.default_rng(2).normal(0.3, 1, 40)
    each = list(range(40))
    found = stats.crossed_mean(y, each, each).mean
    low, high = scipy_stats.t.interval(0.95, 39, y.mean(), y.std(ddof=1) / math.sqrt(40))

    assert found.interval is not None
    assert found.interval.low == pytest.approx(low, abs=0.01)
    assert found.interval.high == pytest.approx(high, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("row", "column"), [(0.5, 0.5), (1.0, 0.3), (0.3, 1.0)])
def test_the_interval_covers_and_independence_does_not(row: float, column: float) -> None:
    """Of 2,000 tables 93 to 97 % of the intervals hold the mean; the naive ones hold it less."""
    held = naive = 0
    for seed in range(2000):
        y, rows, columns = table(8, 30, row=row, column=column, rest=1.0, seed=seed)
        each = list(range(len(y)))
        at = stats.crossed_mean(y, rows, columns).mean.interval
        alone = stats.crossed_mean(y, each, each).mean.interval
        assert at is not None
        assert alone is not None
        held += at.low <= 0 <= at.high
        naive += alone.low <= 0 <= alone.high

    assert 0.93 <= held / 2000 <= 0.97
    assert naive / 2000 < 0.8


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    values=st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=30),
    raters=st.integers(1, 5),
)
def test_any_ratings_give_an_estimate_within_bounds(values: list[float], raters: int) -> None:
    """No table breaks it: variances are not negative, the interval holds the mean."""
    rows = [i % raters for i in range(len(values))]
    columns = [i // raters for i in range(len(values))]
    found = stats.crossed_mean(values, rows, columns, bounds=(0.0, 1.0))

    assert min(found.row, found.column, found.rest) >= 0
    assert found.mean.value == pytest.approx(np.mean(values))
    if found.mean.interval is not None:
        assert 0 <= found.mean.interval.low <= np.mean(values) + 1e-12
        assert np.mean(values) - 1e-12 <= found.mean.interval.high <= 1
    assert (found.mean.interval is None) == (len(set(rows)) < 2 or len(set(columns)) < 2)


def test_ratings_that_are_all_alike_are_not_certain() -> None:
    """Ten raters who all say yes leave room for the one in eleven who would not."""
    y = [1.0] * 100
    found = stats.crossed_mean(y, [i // 10 for i in range(100)], [i % 10 for i in range(100)],
                               bounds=(0.0, 1.0)).mean  # fmt: skip

    assert found.interval is not None
    assert found.interval.low == pytest.approx(1 - stats.upper_bound(0, 10))


def test_a_pair_that_meets_twice_is_refused() -> None:
    """A rating counted twice would make the study look larger."""
    with pytest.raises(ValueError, match="more than once"):
        stats.crossed_mean([1.0, 0.0], ["a", "a"], ["x", "x"])


def test_power_is_what_simulation_shows() -> None:
    """The share of simulated studies that show an effect is the power that was reckoned."""
    shown = 0
    for seed in range(400):
        y, rows, columns = table(8, 20, row=0.3, column=0.5, rest=1.0, seed=seed)
        at = stats.crossed_mean(y + 0.5, rows, columns).mean.interval
        assert at is not None
        shown += at.low > 0 or at.high < 0
    power = stats.crossed_power(
        0.5, rows=8, columns=20, ratings=160, row=0.09, column=0.25, rest=1.0
    )

    assert shown / 400 == pytest.approx(power, abs=0.08)


def test_agreement_of_the_textbook_table() -> None:
    """Krippendorff's own example (2011, table E): four observers, twelve units, interval .849."""
    table = [
        "1 2 3 3 2 1 4 1 2 * * *",
        "1 2 3 3 2 2 4 1 2 5 * 3",
        "* 3 3 3 2 3 4 2 2 5 1 *",
        "1 2 3 3 2 4 4 1 2 5 1 *",
    ]
    cells = [(float(v), i) for line in table for i, v in enumerate(line.split()) if v != "*"]

    assert stats.krippendorff_alpha(*zip(*cells, strict=True)) == pytest.approx(0.849, abs=0.0005)
    assert stats.krippendorff_alpha([1.0, 2.0], ["a", "b"]) is None
    assert stats.krippendorff_alpha([1.0, 1.0], ["a", "a"]) is None
