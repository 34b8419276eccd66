"""The trade-off of a sweep: planted frontiers, noise that must not decide, collapsed cells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from normwright.evaluate.frontier import Frontier, Measured, Objective, Run, frontier
from normwright.records import InputError

HELP, HARM = Objective("help", "higher", 0.0), Objective("harm", "lower", 1.0, gate=False)
CAN = Objective("capability", "higher", 0.0)


def runs(
    truth: Mapping[str, tuple[float, ...]], *, seeds: int = 3, n: int = 200, noise: float = 0.0,
    seed: int = 0, objectives: tuple[Objective, ...] = (HELP, HARM),
    degenerate: frozenset[str] = frozenset(),
) -> list[Run]:  # fmt: skip
    """Cells of these true rates; items are hard for all alike, seeds differ by noise."""
    rng = np.random.default_rng(seed)
    hard = [rng.random(n) for _ in objectives]
    out = []
    for cell, rates in truth.items():
        method, _, beta = cell.partition("-")
        for k in range(seeds):
            measured = {}
            for one, rate, level in zip(objectives, rates, hard, strict=True):
                share = rate + noise * rng.normal()
                items = {f"q{i}": float(v < share) for i, v in enumerate(level)}
                groups = {f"q{i}": "ab"[i % 2] for i in range(n)}
                measured[one.name] = Measured(items, {}, groups, {}, cell in degenerate, "constant")
            out.append(
                Run(cell, {"size": "s", "method": method, "beta": beta or None}, k, measured)
            )
    return out


def test_a_planted_frontier_is_found_and_what_is_worse_is_named() -> None:
    """Three cells trade off; the fourth is worse than one of them for certain, and is told so."""
    truth = {"base": (0.4, 0.1), "sft": (0.6, 0.3), "dpo": (0.8, 0.5), "bad": (0.4, 0.6)}
    found = frontier(runs(truth, n=400, noise=0.01), (HELP, HARM), seed=1)
    cells = {c.name: c for c in found.cells}

    assert {n for n, c in cells.items() if c.on_frontier} == {"base", "sft", "dpo"}
    assert all((cells[n].probability or 0) > 0.95 for n in ("base", "sft", "dpo"))
    assert (cells["bad"].probability or 0) < 0.01
    assert "sft" in cells["bad"].dominated
    assert not cells["sft"].dominated
    at = cells["dpo"].values["harm"]
    assert at.value == pytest.approx(0.5, abs=0.06)
    assert at.ends is not None
    assert at.ends[0] < 0.5 < at.ends[1]


def test_equal_cells_are_not_told_apart() -> None:
    """Of two cells of one truth neither is worse for certain, and the frontier is unsure."""
    for seed in range(4):
        made = runs({"a": (0.5, 0.3), "b": (0.5, 0.3)}, noise=0.03, seed=seed)
        found = frontier(made, (HELP, HARM), seed=seed)
        assert not any(c.dominated for c in found.cells)
        assert all(0.2 < (c.probability or 0) <= 1 for c in found.cells)


@pytest.mark.slow
def test_how_often_an_equal_cell_is_called_worse() -> None:
    """Four cells of one truth with three seeds: one is called worse in 5 % of sweeps at most."""
    wrong = 0
    for seed in range(100):
        truth = dict.fromkeys("abcd", (0.5, 0.3))
        made = runs(truth, n=100, noise=0.05, seed=seed)
        found = frontier(made, (HELP, HARM), seed=seed, rounds=1000)
        wrong += any(c.dominated for c in found.cells)

    assert wrong <= 9


def test_a_collapsed_cell_is_barred_whatever_it_scores() -> None:
    """A cell that a constant answer could have made is on no frontier and adds no volume."""
    truth = {"good": (0.6, 0.3), "fine": (0.5, 0.2), "collapsed": (0.9, 0.0)}
    free = frontier(runs(truth), (HELP, HARM), seed=0)
    found = frontier(runs(truth, degenerate=frozenset({"collapsed"})), (HELP, HARM), seed=0)
    cells = {c.name: c for c in found.cells}

    assert [c.name for c in free.cells if c.on_frontier] == ["collapsed"]
    assert cells["collapsed"].barred == "help: constant"
    assert cells["collapsed"].probability is None
    assert {n for n, c in cells.items() if c.on_frontier} == {"good", "fine"}
    assert (found.hypervolume.value or 0) < (free.hypervolume.value or 0)


def test_intervals_of_few_seeds_hold_the_truth() -> None:
    """Three seeds that differ much: the mean lies within in about 95 % of sweeps, not in 80 %."""
    held = total = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        made = []
        for cell in "ab":
            for k in range(3):
                values = {f"q{i}": 0.5 for i in range(4)}
                shift = float(rng.normal()) * 0.1
                one = Measured({i: v + shift for i, v in values.items()})
                made.append(Run(cell, {}, k, {"help": one, "harm": one}))
        for result in frontier(made, (HELP, HARM), seed=seed, rounds=300).cells:
            ends = result.values["help"].ends
            assert ends is not None
            held += ends[0] <= 0.5 <= ends[1]
            total += 1

    assert 0.87 <= held / total <= 1


def test_one_seed_says_that_it_knows_of_no_seeds() -> None:
    """A single run has the interval of its questions, and a note."""
    found = frontier(runs({"a": (0.5, 0.3), "b": (0.6, 0.4)}, seeds=1), (HELP, HARM), seed=0)

    assert "One seed only" in found.notes[0]
    interval = found.cells[0].values["help"].interval
    assert interval is not None
    assert interval.method == "clusters"


def test_pooling_is_narrower_and_says_so() -> None:
    """With two seeds a cell's own spread gives t of one degree; pooled it is usable."""
    made = runs({f"m{i}": (0.3 + i / 20, 0.3) for i in range(6)}, seeds=2, noise=0.02)
    own, pooled = (frontier(made, (HELP, HARM), seed=0, pooled=p) for p in (False, True))

    def width(found: Frontier) -> float:
        ends = [c.values["help"].ends for c in found.cells]
        return float(np.mean([e[1] - e[0] for e in ends if e is not None]))

    assert width(pooled) < width(own)
    assert "same in every cell" in pooled.notes[-1]


def test_volume_in_three_objectives_and_its_interval() -> None:
    """The volume is that of the corners, and the interval holds it though the draws are above."""
    truth = {"a": (0.5, 0.5, 0.5), "b": (0.8, 0.6, 0.2)}
    found = frontier(runs(truth, objectives=(HELP, HARM, CAN), n=1000), (HELP, HARM, CAN), seed=0)
    values = {
        c.name: [c.values[o.name].value or 0.0 for o in (HELP, HARM, CAN)] for c in found.cells
    }
    a, b = ((v[0], 1 - v[1], v[2]) for v in values.values())
    both = [min(x, y) for x, y in zip(a, b, strict=True)]
    whole = float(np.prod(a) + np.prod(b) - np.prod(both))

    assert found.hypervolume.value == pytest.approx(whole)
    assert found.hypervolume.interval is not None
    assert found.hypervolume.interval.low < whole < found.hypervolume.interval.high
    assert found.bias > -0.01


def test_without_a_group_the_frontier_may_move() -> None:
    """Leaving out the only good method, or the half of the items it wins by, is told."""
    made = runs({"dpo-0.1": (0.8, 0.2), "sft": (0.5, 0.3), "base": (0.4, 0.25)}, seeds=2)
    for run in made:
        if run.cell == "base":
            items = run.measured["help"].items
            assert isinstance(items, dict)
            for i in range(0, 200, 2):
                items[f"q{i}"] = 1.0
    found = frontier(made, (HELP, HARM), seed=0)
    by_group = {(w.kind, w.group): w for w in found.without}

    assert by_group["method", "dpo"].entered
    assert {"seed", "method", "beta", "items"} <= {w.kind for w in found.without}
    assert by_group["items", "b"].alike <= 1
    assert by_group["items", "a"] != by_group["items", "b"]


def test_bad_runs_are_one_error() -> None:
    """Cells twice, other items and a missing objective are told together."""
    made = runs({"a": (0.5, 0.3), "b": (0.6, 0.4)}, seeds=1)
    short = Measured({"q0": 1.0})
    made += [made[0], Run("c", {}, 0, {"help": short})]
    with pytest.raises(InputError) as raised:
        frontier(made, (HELP, HARM), seed=0)
    with pytest.raises(InputError):
        frontier(made[:2], (HELP,), seed=0)

    assert [f.seen for f in raised.value.faults] == ["twice", "other items", "none"]
