"""The mixture is fitted as it is defined, finds what was put there, and knows missing from pass."""

from __future__ import annotations

import numpy as np
import pytest
from tests.aggregate.opinions.made import independent, planted, profile_of

from normwright.aggregate import Profile
from normwright.aggregate.opinions.cells import Cells
from normwright.aggregate.opinions.mixture import (
    PRIOR,
    Mixture,
    enough,
    fit,
    gains,
    leaning,
    mix,
    of_labels,
    placed,
    spread,
)
from normwright.aggregate.opinions.plane import plane
from normwright.stats import adjusted_rand


def fitted(profile: Profile, k: int, seed: int = 0) -> Mixture:
    """Groups of a profile from the usual starts."""
    cells = Cells.of(profile)
    return fit(cells, plane(cells).points, k, np.random.default_rng(seed))


def test_one_turn_equals_the_slow_version() -> None:
    """Shares and memberships are those of the formulas, vote by vote."""
    profile, labels = planted(1, (5, 4), statements=6)
    found = of_labels(Cells.of(profile), labels, 2)
    base = (profile.counts()[[1, 2, 0]] + 1 / 3) / (profile.counts().sum(axis=0) + 1)
    for j in range(6):
        for g in (0, 1):
            mine = profile.seen[:, j] & (labels == g)
            cast = [int((profile.votes[mine, j] == v).sum()) for v in (-1, 0, 1)]
            share = [(c + PRIOR * base[v, j]) / (sum(cast) + PRIOR) for v, c in enumerate(cast)]
            assert found.shares[3 * j : 3 * j + 3, g] == pytest.approx(share)
    for i in range(9):
        chance = [5.0 + 1, 4.0 + 1]
        for j in np.flatnonzero(profile.seen[i]).tolist():
            chance = [
                c * float(found.shares[3 * j + profile.votes[i, j] + 1, g])
                for g, c in enumerate(chance)
            ]
        assert found.memberships[i] == pytest.approx(np.array(chance) / sum(chance))


def test_every_turn_gains() -> None:
    """EM never makes the votes less likely."""
    cells = Cells.of(planted(2, (30, 20, 10), noise=0.6)[0])
    begin = leaning(np.random.default_rng(0).integers(3, size=60), 3)[None]
    reached = [mix(cells, begin, turns=t, tolerance=0).likelihood for t in range(1, 40)]

    assert (np.diff(reached) > -1e-9).all()


def test_starts_together_equal_starts_alone() -> None:
    """Running several starts at once changes none of them."""
    cells = Cells.of(planted(3, noise=0.6)[0])
    rng = np.random.default_rng(0)
    begin = np.stack([leaning(rng.integers(2, size=100), 2) for _ in range(4)])
    alone = [mix(cells, begin[i : i + 1], turns=9, tolerance=0) for i in range(4)]
    best = max(alone, key=lambda m: m.likelihood)
    both = mix(cells, begin, turns=9, tolerance=0)

    assert both.likelihood == pytest.approx(best.likelihood)
    assert both.memberships == pytest.approx(best.memberships)


@pytest.mark.parametrize("sizes", [(60, 40), (50, 40, 30), (40, 40, 40, 40)])
def test_planted_groups_come_back(sizes: tuple[int, ...]) -> None:
    """Groups that were put there are found, and memberships are sure of them."""
    profile, truth = planted(4, sizes)
    found = fitted(profile, len(sizes))

    assert adjusted_rand(found.labels, truth) > 0.9
    assert found.memberships.max(axis=1).mean() > 0.98
    assert found.memberships.sum(axis=1) == pytest.approx(np.ones(sum(sizes)))


def test_missing_is_not_pass() -> None:
    """Who stays silent where others pass is moved to neither; who passes is moved to them."""
    votes = np.zeros((40, 12), dtype=int)
    seen = np.ones((40, 12), dtype=np.bool_)
    votes[20:, :6] = 1
    seen[0, :6] = False
    found = of_labels(Cells.of(profile_of(votes, seen)), np.repeat([0, 1], 20), 2)

    assert found.memberships[0] == pytest.approx([0.5, 0.5])
    assert found.memberships[1, 0] > 0.99


def test_hidden_votes_choose_the_number_of_groups() -> None:
    """One group where votes know nothing of each other, as many as were planted elsewhere."""
    for profile, expected in (
        (independent(0), 1),
        (planted(5)[0], 2),
        (planted(6, (50, 40, 30))[0], 3),
    ):
        cells = Cells.of(profile)
        found = gains(cells, plane(cells, dimensions=4).points, 5, np.random.default_rng(0))
        assert enough(found) == expected
        assert [g.k for g in found] == list(range(2, 2 + len(found)))


def test_groups_of_some_are_carried_to_all() -> None:
    """What was fitted to a third of the people places the others where they belong."""
    profile, truth = planted(7, (90, 60))
    cells = Cells.of(profile)
    some = np.arange(0, 150, 3)
    part = cells.only(some)
    groups = fit(part, plane(part).points, 2, np.random.default_rng(0))

    assert adjusted_rand(placed(cells, groups).argmax(axis=1), truth) > 0.95
    assert adjusted_rand(spread(cells, groups, turns=5).labels, truth) > 0.95
