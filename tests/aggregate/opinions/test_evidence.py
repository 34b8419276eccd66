"""Stability, chance and gap tell camps from clouds and from nothing."""

from __future__ import annotations

import numpy as np
import pytest
from tests.aggregate.opinions.made import independent, planted

from normwright.aggregate.opinions import evidence
from normwright.aggregate.opinions.cells import Cells, Ints
from normwright.aggregate.opinions.plane import plane
from normwright.aggregate.opinions.splitting import kmeans


def in_two(cells: Cells, rng: np.random.Generator) -> list[Ints]:
    """k-means on the map."""
    return [kmeans(plane(cells).points, 2, rng, starts=6)]


def test_camps_repeat_and_lie_apart() -> None:
    """Two camps come back in every subsample, together with whom they were, and with a gap."""
    profile, truth = planted(1)
    cells = Cells.of(profile)
    rng = np.random.default_rng(0)
    found = in_two(cells, rng)
    told = evidence.repeats(cells, in_two, found, rng, rounds=12, matrix=True)

    assert np.median(told.agreement) > 0.9
    assert told.together is not None
    same = truth[:, None] == truth
    assert told.together[0][same].mean() > 0.9
    assert told.together[0][~same].mean() < 0.1
    assert evidence.gaps(cells, in_two, found, rng)[0] <= 0.01
    assert evidence.chance(cells, 2, rng) == 0.01


def test_no_gap_without_camps() -> None:
    """Votes that know nothing of each other show no gap to people who drew no line."""
    cells = Cells.of(independent(1))
    rng = np.random.default_rng(0)

    assert evidence.gaps(cells, in_two, in_two(cells, rng), rng)[0] > 0.05


def test_chance_is_a_p_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without groups the p-value is spread over (0, 1], not heaped at its end."""
    monkeypatch.setattr(evidence, "PERMUTATIONS", 29)
    rng = np.random.default_rng(8)
    values = [evidence.chance(Cells.of(independent(s, 40, 12)), 2, rng) for s in range(10)]

    assert 0.25 < np.mean(values) < 0.75


def test_explained_equals_the_slow_version() -> None:
    """The share between groups is that of a table made cell by cell."""
    profile, labels = planted(6, (12, 9), statements=8)
    between = total = 0.0
    for j in range(8):
        seen = profile.seen[:, j]
        column = profile.votes[:, j].astype(float)
        mean = column[seen].mean()
        total += ((column[seen] - mean) ** 2).sum()
        for g in (0, 1):
            mine = seen & (labels == g)
            between += mine.sum() * (column[mine].mean() - mean) ** 2 if mine.any() else 0.0

    assert evidence.explained(Cells.of(profile), labels, 2) == pytest.approx(between / total)
