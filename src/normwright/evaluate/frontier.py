"""The trade-off between objectives over a sweep of models: who is on the frontier, and how surely.

A cell is a recipe on a model (size, method, beta, data mix); its runs differ by seed alone. What is
uncertain has two sources, and both are drawn in every round: questions (clusters are resampled,
the same ones for every cell, so that what they have in common falls out) and seeds (the mean of few
runs is off by Student's t of their spread, all objectives of a cell together). A cell with one seed
has no spread to draw from: its interval is of the questions alone, and says so.

A cell is barred from the frontier if a run of it could be a constant answer on an objective that
gates: what reads nothing gains nothing. `dominated` names a cell only where one and the same other
cell is at least as good on every objective in nearly every round (Bonferroni over the others). The
volume's interval is the basic bootstrap's, because a maximum over noisy cells is too large: the
excess is told as `bias`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from normwright import stats
from normwright.records import Estimate, Fault, InputError, Interval

Floats: TypeAlias = NDArray[np.float64]

ROUNDS: Final = 2000
LEVEL: Final = 0.95
AXES: Final = ("size", "method", "beta", "mix", "seed")


@dataclass(frozen=True)
class Objective:
    """One thing that is wanted."""

    name: str
    better: Literal["higher", "lower"]
    reference: float
    """What is no better than this counts for nothing in the volume."""
    gate: bool = True
    """Whether a cell that is degenerate here is barred."""

    @property
    def sign(self) -> float:
        """1 if more is better, else -1."""
        return 1.0 if self.better == "higher" else -1.0


@dataclass(frozen=True)
class Measured:
    """One run on one objective: the weighted mean over its items."""

    items: Mapping[str, float]
    clusters: Mapping[str, str] = field(default_factory=dict)
    """What each item is drawn with; itself where it is not named."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """What is left out together to see whether the frontier stays."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """How much each item counts, 1 where it is not named."""
    degenerate: bool = False
    why: str = ""


@dataclass(frozen=True)
class Run:
    """One cell with one seed."""

    cell: str
    axes: Mapping[str, Any]
    seed: int
    measured: Mapping[str, Measured]


@dataclass(frozen=True)
class CellResult:
    """One cell of the sweep."""

    name: str
    axes: Mapping[str, Any]
    seeds: tuple[int, ...]
    values: Mapping[str, Estimate]
    barred: str
    """Why it may not be on the frontier; empty if it may."""
    on_frontier: bool
    probability: float | None
    """Share of rounds in which it is on the frontier; None if it is barred."""
    dominated: tuple[str, ...]
    """Cells that are better for certain."""

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {
            "cell": self.name, "axes": dict(self.axes), "seeds": list(self.seeds),
            "values": {k: v.as_json() for k, v in self.values.items()},
            "barred": self.barred or None, "on_frontier": self.on_frontier,
            "frontier_probability": self.probability, "dominated_by": list(self.dominated),
        }  # fmt: skip


@dataclass(frozen=True)
class Without:
    """The frontier with one group left out."""

    kind: str
    """`size`, `method`, `beta`, `mix`, `seed`, or `items`."""
    group: str
    entered: tuple[str, ...]
    left: tuple[str, ...]
    alike: float
    """Cells on both frontiers over those on either, among the cells that remain."""
    hypervolume: float

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {
            "kind": self.kind, "group": self.group, "entered": list(self.entered),
            "left": list(self.left), "jaccard": self.alike, "hypervolume": self.hypervolume,
        }  # fmt: skip


@dataclass(frozen=True)
class Frontier:
    """A sweep's trade-off."""

    objectives: tuple[Objective, ...]
    cells: tuple[CellResult, ...]
    hypervolume: Estimate
    bias: float
    """Mean volume over rounds less the volume: what noise adds to a maximum."""
    without: tuple[Without, ...]
    notes: tuple[str, ...]
    rounds: int
    seed: int

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {
            "objectives": [
                {"name": o.name, "better": o.better, "reference": o.reference, "gate": o.gate}
                for o in self.objectives
            ],
            "cells": [c.as_json() for c in self.cells],
            "frontier": [c.name for c in self.cells if c.on_frontier],
            "hypervolume": {**self.hypervolume.as_json(), "bias": self.bias},
            "without": [w.as_json() for w in self.without],
            "notes": list(self.notes), "rounds": self.rounds, "seed": self.seed,
        }  # fmt: skip


def frontier(
    runs: Sequence[Run], objectives: Sequence[Objective], *, seed: int = 0, pooled: bool = False,
    rounds: int = ROUNDS,
) -> Frontier:  # fmt: skip
    """Return the frontier of finished runs.

    Args:
        runs: every cell with every seed.
        objectives: two or three of them.
        seed: seed of the rounds.
        pooled: take the spread of seeds to be the same in every cell: narrower, and wrong where a
            method is less steady than another.
        rounds: of the bootstrap.

    Raises:
        InputError: with every fault: runs that were asked other items, cells twice, objectives that
            are missing, or not 2 or 3.
    """
    _check(runs, objectives)
    table = _Table(runs, objectives)
    rng = np.random.default_rng(seed)
    point = table.cell_means(table.run_means(None))
    drawn = table.rounds(rng, rounds, pooled=pooled)
    barred = {name: table.barred(name) for name in table.cells}
    may = np.array([not barred[name] for name in table.cells])
    on = _frontier(point, may)
    chances = np.mean([_frontier(p, may) for p in drawn], axis=0)
    reference = np.array([o.reference * o.sign for o in objectives])
    volume, bias = _volume(point[may], drawn[:, may], reference, int(may.sum()), seed)
    cells = tuple(
        CellResult(
            name, table.axes[name], table.seeds[name],
            {o.name: table.estimate(k, i, point, drawn, seed) for k, o in enumerate(objectives)},
            barred[name], bool(on[i]), None if barred[name] else float(chances[i]),
            tuple(table.cells[j] for j in _dominators(drawn, i, may)),
        )
        for i, name in enumerate(table.cells)
    )  # fmt: skip
    return Frontier(tuple(objectives), cells, volume, bias,
                    tuple(_without(runs, objectives, table, on, barred, reference)),
                    _notes(table, pooled), rounds, seed)  # fmt: skip


def _check(runs: Sequence[Run], objectives: Sequence[Objective]) -> None:
    faults = []
    if len(objectives) not in (2, 3):
        faults.append(Fault(where="objectives", expected="2 or 3", seen=str(len(objectives))))
    if len({run.cell for run in runs}) < 2:
        faults.append(Fault(where="cells", expected="at least 2", seen=str(len(runs))))
    seen: set[tuple[str, int]] = set()
    for run in runs:
        where = f"{run.cell}, seed {run.seed}"
        if (run.cell, run.seed) in seen:
            faults.append(Fault(where=where, expected="each cell and seed once", seen="twice"))
        seen.add((run.cell, run.seed))
        for one in objectives:
            mine = run.measured.get(one.name)
            theirs = runs[0].measured.get(one.name)
            if mine is None or not mine.items:
                faults.append(Fault(where=where, expected=f"items of {one.name}", seen="none"))
            elif theirs is not None and set(mine.items) != set(theirs.items):
                faults.append(Fault(where=where, expected=f"{one.name}: the items of others",
                                    seen="other items"))  # fmt: skip
    if faults:
        raise InputError(faults)


class _Table:
    """Runs as arrays, each objective turned so that more is better."""

    def __init__(self, runs: Sequence[Run], objectives: Sequence[Objective]) -> None:
        self.runs, self.objectives = runs, objectives
        self.cells = list(dict.fromkeys(run.cell for run in runs))
        self.axes = {run.cell: run.axes for run in reversed(runs)}
        self.of = [np.array([i for i, r in enumerate(runs) if r.cell == c]) for c in self.cells]
        self.seeds = {c: tuple(runs[i].seed for i in at)
                      for c, at in zip(self.cells, self.of, strict=True)}  # fmt: skip
        self.ids = [sorted(runs[0].measured[o.name].items) for o in objectives]
        self.values = [self._values(o, ids) for o, ids in zip(objectives, self.ids, strict=True)]
        first = [runs[0].measured[o.name] for o in objectives]
        self.weights = [np.array([m.weights.get(i, 1.0) for i in ids])
                        for m, ids in zip(first, self.ids, strict=True)]  # fmt: skip
        self.clusters = [[m.clusters.get(i, i) for i in ids]
                         for m, ids in zip(first, self.ids, strict=True)]  # fmt: skip
        self.groups = [[m.groups.get(i, "") for i in ids]
                       for m, ids in zip(first, self.ids, strict=True)]  # fmt: skip

    def _values(self, one: Objective, ids: Sequence[str]) -> Floats:
        return one.sign * np.array(
            [[r.measured[one.name].items[i] for i in ids] for r in self.runs]
        )

    def barred(self, cell: str) -> str:
        said = dict.fromkeys(
            f"{o.name}: {m.why or 'degenerate'}"
            for run in self.runs if run.cell == cell
            for o in self.objectives if o.gate and (m := run.measured[o.name]).degenerate
        )  # fmt: skip
        return "; ".join(said)

    def run_means(self, keep: Sequence[NDArray[np.bool_]] | None) -> Floats:
        """Shape (runs, objectives)."""
        columns = []
        for k, values in enumerate(self.values):
            w = self.weights[k] * (1.0 if keep is None else keep[k])
            columns.append(np.round(values @ w / w.sum(), 12))  # equal sums are equal means
        return np.stack(columns, axis=1)

    def cell_means(self, means: Floats) -> Floats:
        """Shape (..., cells, objectives) of shape (..., runs, objectives)."""
        return np.stack([means[..., at, :].mean(-2) for at in self.of], axis=-2)

    def rounds(self, rng: np.random.Generator, rounds: int, *, pooled: bool) -> Floats:
        """Cells as they might have come out, shape (rounds, cells, objectives)."""
        means = np.stack(self._resampled(rng, rounds), axis=-1)
        return self.cell_means(means) + self._seed_noise(rng, rounds, pooled)

    def _resampled(self, rng: np.random.Generator, rounds: int) -> list[Floats]:
        """Means of each objective over resampled clusters, each of shape (rounds, runs)."""
        drawn: dict[tuple[str, ...], Floats] = {}
        out = []
        for k, values in enumerate(self.values):
            names = tuple(sorted(set(self.clusters[k])))
            place = {name: i for i, name in enumerate(names)}
            codes = np.array([place[name] for name in self.clusters[k]])
            if names not in drawn:  # objectives on the same clusters are drawn together
                n = len(names)
                drawn[names] = rng.multinomial(n, np.full(n, 1 / n), size=rounds).astype(float)
            weights = drawn[names][:, codes] * self.weights[k]
            whole = np.maximum(weights.sum(1, keepdims=True), 1e-300)
            out.append(np.round(weights @ values.T / whole, 12))
        return out

    def _seed_noise(self, rng: np.random.Generator, rounds: int, pooled: bool) -> Floats:
        """By how much the means of few seeds may be off: Student's t, objectives together."""
        means = self.run_means(None)
        apart = [means[at] - means[at].mean(0) for at in self.of]
        degrees = [len(a) - 1 for a in apart]
        every = np.concatenate([a for a in apart if len(a) > 1] or [np.zeros((1, means.shape[1]))])
        out = np.zeros((rounds, len(self.cells), means.shape[1]))
        for c, own in enumerate(apart):
            spread, free = (every, sum(degrees)) if pooled else (own, degrees[c])
            if free < 1:
                continue
            normal = rng.normal(size=(rounds, len(spread))) @ spread / np.sqrt(free * len(own))
            scale = np.sqrt(rng.chisquare(free, size=(rounds, 1)) / free)
            out[:, c] = normal / scale
        return out

    def estimate(self, k: int, i: int, point: Floats, drawn: Floats, seed: int) -> Estimate:
        sign = self.objectives[k].sign
        found = stats.percentile_interval(sign * drawn[:, i, k], LEVEL)
        one = len(self.of[i]) == 1
        method = "clusters" if one else "clusters and seeds (t)"
        return Estimate(
            value=float(sign * point[i, k]), n=len(self.of[i]), seed=seed,
            interval=found.model_copy(update={"method": method}),
        )  # fmt: skip


def _frontier(points: Floats, may: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Who is on the frontier among those that may be."""
    out = np.zeros(len(points), dtype=np.bool_)
    out[may] = stats.on_frontier(points[may])
    return out


def _dominators(drawn: Floats, i: int, may: NDArray[np.bool_]) -> list[int]:
    """Cells that dominate one in so many rounds that each of the others may be asked."""
    others = [j for j in range(drawn.shape[1]) if j != i and may[j]]
    least = 1 - (1 - LEVEL) / max(1, len(others))
    return [j for j in others if stats.dominates(drawn[:, j], drawn[:, i]).mean() >= least]


def _volume(
    point: Floats, drawn: Floats, reference: Floats, n: int, seed: int
) -> tuple[Estimate, float]:
    if not n:
        return Estimate(value=None, interval=None, n=0, seed=seed), 0.0
    value = stats.hypervolume(point, reference)
    found = stats.hypervolumes(drawn, reference)
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    ends = [max(0.0, 2 * value - float(end)) for end in (high, low)]
    interval = Interval(low=ends[0], high=ends[1], level=LEVEL, method="bootstrap-basic")
    return Estimate(value=value, interval=interval, n=n, seed=seed), float(found.mean() - value)


def _without(
    runs: Sequence[Run], objectives: Sequence[Objective], table: _Table, on: NDArray[np.bool_],
    barred: Mapping[str, str], reference: Floats,
) -> list[Without]:  # fmt: skip
    """The frontier without each level of each axis, and without each group of items."""
    first = {name for name, flag in zip(table.cells, on, strict=True) if flag}
    out = []
    for axis in AXES:
        levels = list(dict.fromkeys(_level(run, axis) for run in runs))
        for level in levels if len(levels) > 1 else ():
            kept = [run for run in runs if _level(run, axis) != level]
            if len({run.cell for run in kept}) < 2:
                continue
            part = _Table(kept, objectives)
            points = part.cell_means(part.run_means(None))
            out.append(_compared(axis, level, part.cells, points, first, barred, reference))
    names = sorted({g for groups in table.groups for g in groups if g})
    for name in names if len(names) > 1 else ():
        keep = [np.array([g != name for g in groups]) for groups in table.groups]
        if all(k.any() for k in keep):
            points = table.cell_means(table.run_means(keep))
            out.append(_compared("items", name, table.cells, points, first, barred, reference))
    return out


def _level(run: Run, axis: str) -> str:
    return str(run.seed if axis == "seed" else run.axes.get(axis))


def _compared(
    kind: str, group: str, cells: Sequence[str], points: Floats, first: set[str],
    barred: Mapping[str, str], reference: Floats,
) -> Without:  # fmt: skip
    may = np.array([not barred[name] for name in cells])
    flags = _frontier(points, may)
    now = {name for name, flag in zip(cells, flags, strict=True) if flag}
    before = first & set(cells)
    either = now | before
    return Without(
        kind, group, tuple(sorted(now - before)), tuple(sorted(before - now)),
        len(now & before) / len(either) if either else 1.0,
        stats.hypervolume(points[may], reference) if may.any() else 0.0,
    )  # fmt: skip


def _notes(table: _Table, pooled: bool) -> tuple[str, ...]:
    single = [c for c, at in zip(table.cells, table.of, strict=True) if len(at) == 1]
    notes = []
    if single:
        notes.append(f"One seed only, so that the interval is of the questions alone: "
                     f"{', '.join(single)}.")  # fmt: skip
    if pooled:
        notes.append("The spread of seeds was taken to be the same in every cell.")
    return tuple(notes)
