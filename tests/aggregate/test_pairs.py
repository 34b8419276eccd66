"""The count of who is put above whom: by bytes, by products, and one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import NDArray

from normwright.aggregate import pairs
from normwright.aggregate.pairs import count_wins
from normwright.records import Unranked

BOTH: list[Unranked] = ["last", "apart"]
QUIET = settings(deadline=None, max_examples=80, derandomize=True)


def one_by_one(
    orders: NDArray[np.int16], counts: NDArray[np.int64], unranked: Unranked
) -> NDArray[np.int64]:
    """The slow obvious way."""
    m = orders.shape[1]
    wins = np.zeros((m, m), dtype=np.int64)
    for order, count in zip(orders.tolist(), counts.tolist(), strict=True):
        for i in range(m):
            for j in range(m):
                if order[i] >= 0 and order[j] >= 0 and order[i] < order[j]:
                    wins[i, j] += count
                if order[i] >= 0 and order[j] < 0 and unranked == "last":
                    wins[i, j] += count
    return wins


@st.composite
def counted(draw: DrawFn) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
    """Orders with ties and gaps, at levels that need one byte or two, and counts small or large."""
    k, m = draw(st.integers(0, 12)), draw(st.integers(0, 5))
    top = draw(st.sampled_from([0, 3, 253, 254, 255, 256, 1000]))
    level = st.integers(-1, top) | st.sampled_from([-1, top])
    rows = draw(st.lists(level, min_size=k * m, max_size=k * m))
    count = st.integers(0, draw(st.sampled_from([1, 5, 2**25, 2**40])))
    given_ = draw(st.lists(count, min_size=k, max_size=k))
    return np.array(rows, dtype=np.int16).reshape(k, m), np.array(given_, dtype=np.int64)


@pytest.mark.parametrize("unranked", BOTH)
@QUIET
@given(counted())
def test_passes_and_products_count_alike(
    unranked: Unranked, case: tuple[NDArray[np.int16], NDArray[np.int64]]
) -> None:
    """Both ways to count give what counting one by one gives, exactly, at any size of counts."""
    orders, counts = case
    expected = one_by_one(orders, counts, unranked)

    assert (pairs._by_passes(orders, counts, unranked) == expected).all()
    assert (pairs._by_product(orders, counts, unranked) == expected).all()
    assert count_wins(orders, counts, unranked=unranked).dtype == np.int64


@pytest.mark.parametrize("unranked", BOTH)
def test_several_counts_at_once(unranked: Unranked) -> None:
    """A stack of counts gives a stack of what each alone gives."""
    rng = np.random.default_rng(0)
    orders = rng.integers(-1, 4, size=(50, 4)).astype(np.int16)
    counts = rng.integers(0, 9, size=(3, 2, 50))
    stacked = count_wins(orders, counts, unranked=unranked)

    assert stacked.shape == (3, 2, 4, 4)
    for index in np.ndindex(3, 2):
        assert (stacked[index] == count_wins(orders, counts[index], unranked=unranked)).all()


@pytest.mark.parametrize("unranked", BOTH)
def test_many_orders_are_counted_in_parts(
    unranked: Unranked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the rows are cut, the count is the same, and so is that of repeated rows."""
    rng = np.random.default_rng(1)
    orders = rng.integers(-1, 7, size=(7001, 6)).astype(np.int16)
    counts = rng.integers(0, 6, size=7001)
    whole = count_wins(orders, counts, unranked=unranked)
    repeated = np.repeat(orders, counts, axis=0)
    monkeypatch.setattr(pairs, "_CELLS", 1000)

    assert (count_wins(orders, counts, unranked=unranked) == whole).all()
    assert (pairs._by_product(orders, counts, unranked) == whole).all()
    ones = np.ones(len(repeated), dtype=np.int64)
    assert (count_wins(repeated, ones, unranked=unranked) == whole).all()


def test_sums_beyond_single_precision_are_exact() -> None:
    """Two counts whose sum no 32-bit float holds are added exactly."""
    orders = np.array([[0, 1], [0, 1]], dtype=np.int16)
    counts = np.array([2**24, 1], dtype=np.int64)

    assert count_wins(orders, counts, unranked="last")[0, 1] == 2**24 + 1
