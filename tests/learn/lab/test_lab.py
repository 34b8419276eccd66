"""The lab: its oracles are right, its checks can fail, and the recipes pass the quick ones."""

from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from normwright.learn.lab import Check, Finding, Scale, checks, left_out, run_lab, runner
from normwright.learn.lab import oracles as o
from normwright.learn.lab.environment import environment
from normwright.learn.lab.findings import at_least, at_most, within
from normwright.learn.lab.offline import preferred
from normwright.learn.lab.picture import picture
from normwright.records import InputError

KEYS = {"test", "expected", "measured", "threshold", "passed", "control", "seconds"}


@pytest.fixture(scope="module")
def quick() -> list[dict[str, Any]]:
    """The rows of the quick lab."""
    torch.set_num_threads(1)
    ticks = itertools.count()
    return [r.as_json() for r in run_lab(Scale(quick=True), clock=lambda: float(next(ticks)))]


def test_every_quick_check_holds(quick: list[dict[str, Any]]) -> None:
    """Theorems on random instances, recipes on their worlds, controls seen: all rows pass."""
    failed = [(row["test"], row["measured"]) for row in quick if not row["passed"]]

    assert failed == []
    assert len(quick) > 40
    assert any(row["control"] for row in quick)


def test_rows_have_the_keys_of_the_contract_and_are_json(quick: list[dict[str, Any]]) -> None:
    """Each row has the seven keys, and no number is NaN or infinite."""
    assert all(set(row) >= KEYS for row in quick)
    assert json.loads(json.dumps(quick, allow_nan=False)) == json.loads(json.dumps(quick))


def test_the_picture_is_an_image_of_all_points(quick: list[dict[str, Any]]) -> None:
    """The SVG parses, and has a circle for every point of the curves."""
    root = ElementTree.fromstring(picture(quick))
    circles = root.findall(".//{http://www.w3.org/2000/svg}circle")

    assert len(circles) == sum(row["curve"] is not None for row in quick)


def test_a_model_trained_at_another_strength_fails() -> None:
    """The lab is no rubber stamp: soft labels at twice beta are far from the target."""
    world = environment("A")
    pairs = world.all_pairs(o.pairwise(world.reward))
    model, _ = preferred(world, pairs, beta=1.0, steps=60, batch=28)
    target = o.tilted(world.reference, world.reward, 0.5)

    assert o.mean_divergence(target, world.read(model).among) > 0.05


def test_the_world_is_read_whole() -> None:
    """The reference puts next to nothing on other strings, and the model samples its answers."""
    for name, size in (("A", 8), ("B", 16)):
        world = environment(name)
        found = world.read(world.model)

        assert world.reference.shape == (4, size)
        assert 0 < found.leak < 0.01
        assert found.among == pytest.approx(world.reference)


def test_the_exact_fit_is_the_maximum_of_the_likelihood() -> None:
    """At the fitted scores each answer wins as often as expected; separable votes have no fit."""
    rng = np.random.default_rng(0)
    wins = o.compared(o.pairwise(rng.standard_normal((2, 5))), 4000, rng)
    scores = o.fitted_scores(wins)
    games = wins + wins.transpose(0, 2, 1)
    expected = (games * o.pairwise(scores)).sum(-1)

    assert expected == pytest.approx(wins.sum(-1), rel=1e-8)
    assert np.isnan(o.fitted_scores(np.triu(np.ones((1, 3, 3)), 1))).all()


def test_the_multiplier_is_zero_where_the_limit_does_not_bind() -> None:
    """A limit above the free cost has no price; one that no policy can keep is an error."""
    reference, score, cost = np.full((1, 3), 1 / 3), np.zeros((1, 3)), np.array([[0.2, 0.4, 0.6]])

    assert o.multiplier(reference, score, cost, 0.5, 1.0) == 0.0
    with pytest.raises(ValueError, match="no policy"):
        o.multiplier(reference, score, cost, 0.1, 1.0)


def test_a_finding_of_nan_never_passes() -> None:
    """What could not be measured is not within any threshold."""
    nan = math.nan
    found: list[Finding] = [
        at_most("a", nan, 1.0),
        at_least("b", nan, 0.0, expected=0.0),
        within("c", nan, 0.0, 1.0, expected=0.5),
    ]

    assert not any(one.passed for one in found)


@pytest.mark.slow
def test_two_jobs_find_what_one_does() -> None:
    """Checks shared among processes give the same rows in the same order."""
    names = ["T5", "T1"]
    alone, shared = (
        [row.as_json() | {"seconds": 0} for row in run_lab(
            Scale(quick=True), clock=time.monotonic, only=names, jobs=jobs)]
        for jobs in (1, 2)
    )  # fmt: skip

    assert alone == shared
    assert shared[0]["check"] == "T1"


def test_a_check_that_breaks_is_a_row_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error stands in the row, what was found before it too, and the next check runs."""

    def breaks(scale: Scale) -> Iterator[Finding]:
        yield at_most("before", 0.0, 1.0)
        raise ZeroDivisionError("nothing to share")

    def holds(scale: Scale) -> Iterator[Finding]:
        yield at_most("after", 0.0, 1.0)

    monkeypatch.setattr(runner, "checks", lambda: (Check("one", breaks), Check("two", holds)))
    rows = [row.finding for row in run_lab(Scale(), clock=time.monotonic)]

    assert [(row.test, row.passed) for row in rows] == [
        ("before", True), ("one: runs", False), ("after", True)
    ]  # fmt: skip
    assert "nothing to share" in rows[1].detail


def test_an_unknown_check_is_named_and_what_is_left_out_is_said() -> None:
    """`--only` of a wrong name lists what there is; the quick lab names what it does not run."""
    with pytest.raises(InputError, match=r"no-such[\s\S]*jobs"):
        run_lab(Scale(), clock=float, only=["no-such"], jobs=0)

    assert set(left_out(Scale(quick=True))) == {c.name for c in checks() if not c.quick}
    assert "lagrangian" in left_out(Scale(quick=True))
    assert left_out(Scale()) == ()
