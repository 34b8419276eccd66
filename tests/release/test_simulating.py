"""The simulation draws what it says, asks the gate itself, and notices a gate that errs."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from scipy import stats as scipy_stats

from normwright import stats
from normwright.release import Simulated, simulate, simulating


@functools.cache
def rows() -> dict[str, Simulated]:
    """One simulation for all tests that only read it."""
    return {row.case: row for row in simulate(seed=3, rounds=20_000)}


def test_every_case_keeps_its_error_and_could_have_broken_it() -> None:
    """No interval lies over what is allowed, and each shortcut on the same draws does."""
    assert tuple(rows()) == simulating.CASES
    for row in rows().values():
        assert row.state != "broken", row.case
        assert row.telling, row.case


def test_single_and_best_agree_with_the_exact_sums() -> None:
    """A pass is an exact bound, so that the two shares are tails of the binomial."""
    passing = [k for k in range(60) if stats.upper_bound(k, 1500, 0.05) <= 0.01]
    one = float(np.sum(scipy_stats.binom.pmf(passing, 1500, 0.01)))
    strict = [k for k in range(60) if stats.upper_bound(k, 1500, 0.05 / 20) <= 0.01]
    best = 1 - (1 - float(np.sum(scipy_stats.binom.pmf(strict, 1500, 0.01)))) ** 20

    for case, exact in (("single", one), ("best-of-20", best)):
        spread = (exact * (1 - exact) / 20_000) ** 0.5
        assert rows()[case].rate.value == pytest.approx(exact, abs=4 * spread)


def test_flips_agree_with_the_exact_sum() -> None:
    """At each rate a flip is a pass in one run and a fail in the other."""
    counts = np.arange(200)
    passing = np.array([stats.upper_bound(int(k), 1500, 0.05) <= 0.01 for k in counts])
    failing = np.array([stats.lower_bound(int(k), 1500, 0.05) > 0.01 for k in counts])
    for part in rows()["rerun-flips"].setting["parts"]:
        mass = scipy_stats.binom.pmf(counts, 1500, part["at"])
        exact = 2 * float(mass[passing].sum() * mass[failing].sum())
        assert exact <= 0.003
        assert part["rate"] == pytest.approx(exact, abs=4 * (exact / 20_000) ** 0.5)


def test_clusters_are_as_alike_as_they_say() -> None:
    """Answers drawn at a likeness have the mean of the limit and that variance."""
    rng = np.random.default_rng(5)
    templates, answers = simulating._alike(rng, 4000, 0.3)
    m, answers_each = simulating.TEMPLATES, simulating.ANSWERS
    expected = m * answers_each * 0.01 * 0.99 * (1 + (answers_each - 1) * 0.3)

    assert answers.mean() == pytest.approx(0.01 * m * answers_each, rel=0.02)
    assert answers.var() == pytest.approx(expected, rel=0.08)
    assert (templates <= answers).all()


def test_same_seed_same_rows() -> None:
    """The seed decides everything; another seed draws others."""
    some = ("rerun-flips", "best-of-20")
    again = simulate(seed=3, rounds=20_000, cases=some)

    assert again == tuple(rows()[case] for case in some)
    assert simulate(seed=4, rounds=20_000, cases=some) != again


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("upper_bound", {"single", "best-of-20", "clustered", "rerun-flips"}),
        ("anytime_upper", {"peeking"}),
    ],
)
def test_a_gate_without_its_bounds_is_found_out(
    name: str, broken: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the gate's bound is replaced by the observed share, its cases come out broken."""
    real = getattr(stats, name)
    monkeypatch.setattr(stats, name, lambda k, n, alpha=0.05: max(k / n, real(k, n, 0.5) - 1e-3))
    made = simulate(seed=2, rounds=2000 if len(broken) > 1 else 200, cases=sorted(broken))

    assert {row.case for row in made if row.state == "broken"} == broken


def test_progress_and_rounds() -> None:
    """Each case is told, and no rounds are none."""
    told: list[tuple[int, int, str]] = []
    simulate(rounds=1, cases=("single", "clustered"), told=lambda *how: told.append(how))

    assert told == [(0, 2, "single"), (1, 2, "clustered"), (2, 2, "")]
    with pytest.raises(ValueError, match="at least one round"):
        simulate(rounds=0)
    with pytest.raises(ValueError, match="not double"):
        simulate(cases=("double",))
