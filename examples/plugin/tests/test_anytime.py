"""The bound that holds while you look: never wrong more often than it says, and not useless."""

from __future__ import annotations

import numpy as np
import pytest
from normwright_extras.anytime import bounds, words

from normwright.plugins import get
from normwright.stats import upper_bound


@pytest.mark.parametrize(("failed", "n"), [(0, 1), (0, 300), (7, 300), (150, 300), (300, 300)])
def test_it_is_wider_than_the_bound_for_one_look(failed: int, n: int) -> None:
    """Looking at all times costs something: the exact bound for a fixed n lies inside."""
    low, high = bounds(failed, n, 0.05)

    assert 0 <= low <= failed / n <= high <= 1
    assert high >= upper_bound(failed, n, 0.05)


def test_more_evidence_narrows_it() -> None:
    """Without a failure the bound falls under 1 % as the units grow."""
    highs = [bounds(0, n, 0.05)[1] for n in (10, 100, 1000)]

    assert highs == sorted(highs, reverse=True)
    assert highs[-1] < 0.011


def test_looking_after_every_unit_is_wrong_at_most_as_often_as_it_says() -> None:
    """Of 400 runs at a true rate of 0.2, watched for 300 units, at most 5 % ever exclude it."""
    random = np.random.default_rng(1)
    wrong = 0
    for failures in random.random((400, 300)) < 0.2:
        counts = np.cumsum(failures)
        looked = [bounds(int(counts[i]), i + 1, 0.05) for i in range(0, 300, 10)]
        wrong += any(not low <= 0.2 <= high for low, high in looked)

    assert wrong <= 0.05 * 400


def test_it_is_registered_and_speaks_both_languages() -> None:
    """The registry hands it out; reasons exist in English and Portuguese, each with its marks."""
    said = words("pass", 0, 300, {"bound": 0.0226, "lower": 0.0, "limit": 0.1})

    assert callable(get("criteria", "rate-upper-anytime"))
    assert "2.3%" in said["en"]
    assert "2,3%" in said["pt"]
    assert "10,0%" in said["pt"]
