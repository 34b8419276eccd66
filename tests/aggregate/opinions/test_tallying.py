"""Shares, tests and consensus equal their formulas, and their intervals hold what they claim."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta
from tests.aggregate.opinions.made import planted

from normwright.aggregate.opinions.cells import Cells
from normwright.aggregate.opinions.tallying import SIGNIFICANT, Tally, tally, whole

COUNTS = st.lists(
    st.lists(st.tuples(*[st.integers(0, 30)] * 3), min_size=3, max_size=3), min_size=2, max_size=4
)


def made(counts: list[list[tuple[int, int, int]]]) -> Tally:
    """A tally of agreements, disagreements and passes, shape (groups, statements, 3)."""
    table = np.array(counts)
    return Tally(np.stack([table[:, :, 0], table[:, :, 1]]), table.sum(axis=2))


def test_counts_equal_the_table() -> None:
    """Votes of each group are counted cell by cell, and of those in none not at all."""
    profile, labels = planted(1)
    labels[::7] = -1
    found = tally(Cells.of(profile), labels, 2)
    for g in (0, 1):
        agree, disagree, passed = profile.counts(labels == g)
        assert found.votes[:, g].tolist() == [agree.tolist(), disagree.tolist()]
        assert found.seen[g].tolist() == (agree + disagree + passed).tolist()
    everybody = whole(Cells.of(profile))
    assert everybody.votes[:, 0].tolist() == profile.counts()[:2].tolist()
    assert everybody.seen[0].tolist() == profile.counts().sum(axis=0).tolist()


@given(COUNTS)
@settings(derandomize=True, deadline=None, max_examples=60)
def test_equals_the_formulas_one_by_one(counts: list[list[tuple[int, int, int]]]) -> None:
    """Every number is the one that the formula gives for its group and statement alone."""
    found = made(counts)
    for side in (0, 1):
        for j in range(3):
            product = 1.0
            for g, group in enumerate(counts):
                a, n = group[j][side], sum(group[j])
                b = sum(c[j][side] for c in counts) - a
                m = sum(sum(c[j]) for c in counts) - n
                share = (a + 1) / (n + 2)
                product *= share
                pooled = (a + b + 2) / (n + m + 2)
                error = math.sqrt(pooled * (1 - pooled) * (1 / (n + 1) + 1 / (m + 1)))
                gap = (a + 1) / (n + 1) - (b + 1) / (m + 1)
                at = (side, g, j)
                assert found.shares[at] == pytest.approx(share)
                assert found.share_z[at] == pytest.approx(
                    2 * math.sqrt(n + 1) * ((a + 1) / (n + 1) - 0.5)
                )
                assert found.ratios[at] == pytest.approx(share / ((b + 1) / (m + 2)))
                assert found.ratio_z[at] == pytest.approx(0 if pooled == 1 else gap / error)
            assert found.consensus[side, j] == pytest.approx(product)


def test_interval_of_one_group_is_the_beta_posterior() -> None:
    """With a single group the interval is exact."""
    low, high = made([[(12, 3, 5), (0, 0, 0), (40, 0, 0)]]).limits()
    for j, (agree, seen) in enumerate([(12, 20), (0, 0), (40, 40)]):
        exact = beta(agree + 1, seen - agree + 1).ppf([0.025, 0.975])
        assert [low[0, j], high[0, j]] == pytest.approx(exact.tolist(), abs=1e-9)


@given(COUNTS)
@settings(derandomize=True, deadline=None, max_examples=15)
def test_interval_of_a_product_equals_sampling(counts: list[list[tuple[int, int, int]]]) -> None:
    """The closed form holds 95 % of the product's posterior: 91 to 99 with hardly any votes."""
    found = made(counts)
    rng = np.random.default_rng(0)
    draws = rng.beta(
        found.votes[..., None] + 1,
        (found.seen - found.votes)[..., None] + 1,
        (2, len(counts), 3, 1500),
    ).prod(axis=1)
    low, high = found.limits()
    held = ((draws >= low[..., None]) & (draws <= high[..., None])).mean(axis=2)

    assert (low < found.consensus).all()
    assert (found.consensus < high).all()
    assert np.abs(held - 0.95).max() < 0.04
    assert np.abs(held.mean() - 0.95) < 0.025


def test_representative_statements() -> None:
    """The best agreement leads, then what is significant both ways; disagreement comes last."""
    found = made(
        [
            [(40, 2, 0), (3, 38, 1), (20, 20, 2), (30, 8, 2), (0, 0, 0)],
            [(4, 35, 0), (33, 2, 1), (21, 19, 2), (28, 10, 2), (0, 0, 0)],
        ]
    )

    assert found.representative(0) == [(0, "agree"), (1, "disagree")]
    assert found.representative(1) == [(1, "agree"), (0, "disagree")]
    assert pytest.approx(1.2816, abs=1e-4) == SIGNIFICANT


def test_a_group_without_any_significant_statement_has_its_most_telling_one() -> None:
    """Nothing significant and nothing agreed on leaves the statement that differs most."""
    found = made([[(2, 2, 0), (1, 3, 0)], [(2, 2, 0), (2, 2, 0)]])

    assert found.representative(0) == [(1, "disagree")]
    assert len(made([[(0, 0, 0)], [(0, 0, 0)]]).representative(0)) == 1


def test_common_statements() -> None:
    """Clear majorities of all, the clearest first; a single vote is clear enough for Polis."""
    everybody = made([[(40, 2, 0), (30, 5, 5), (3, 38, 1), (20, 20, 2), (1, 0, 0)]])

    assert everybody.common(0) == [0, 1, 4]
    assert everybody.common(1) == [2]
