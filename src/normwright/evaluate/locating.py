"""Where a difference between two models of one shape sits: weights, what states say, what they do.

Three views, because each alone misleads. **Weight deltas** say where tensors moved, not whether it
matters. **Probes** say what a state lets a linear reader tell, not whether the model uses it; a
reader strong enough tells anything, so that beside its accuracy stands that on a control task whose
labels are random per word type (Hewitt and Liang, EMNLP 2019): selectivity is the accuracy less
that. **Activation patching** (Vig et al., NeurIPS 2020) puts B's states into A at one layer, at the
tokens from which the answer is predicted (the last of the question, those of the answer), and sees
how much of the difference in their margins follows: 0 none, 1 all. The least-squares share over
questions is taken, as the ratio of one question has no expectation; the same state from another
question is the control. A share grows with depth by construction, up to what the last state leaves
of it; what a layer adds is its `step`. `swapped` is A with one block of B.

Intervals hold for all layers of a view at once (Bonferroni), so that "the first layer at which" may
be read off. Items of one cluster are never in both parts of a fold, and are resampled whole.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from normwright import stats
from normwright.records import Estimate, Fault, InputError, json_rows

if TYPE_CHECKING:
    from pathlib import Path

    from normwright.models.activations import WeightDelta

Floats: TypeAlias = NDArray[np.float64]

FOLDS: Final = 5
DRAWS: Final = 5
"""Control tasks, each with other random labels."""
STRENGTH: Final = 0.1
"""Inverse of the ridge of a probe on standardised states."""
LEAST: Final = 20
"""Rows and clusters a probe needs."""
ROUNDS: Final = 4000


@dataclass(frozen=True)
class LayerDelta:
    """How far the tensors of one kind in one layer moved."""

    layer: int | None
    """From 1; None for embeddings, the last norm and the head."""
    kind: str
    parameters: int
    relative: float | None
    """Norm of the change over the norm before; None where that was zero and something changed."""
    share: float
    """Of the squared norm of all changes."""
    top: float | None
    """Share of a matrix's squared change in its greatest singular value, averaged by squared
    change: 1 is rank one."""

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {
            "layer": self.layer, "kind": self.kind, "parameters": self.parameters,
            "relative": self.relative, "share": self.share, "top_singular_share": self.top,
        }  # fmt: skip


@dataclass(frozen=True)
class ProbeRow:
    """What a linear reader tells from one layer of one model."""

    model: str
    layer: int
    accuracy: Estimate
    control: float
    """Mean accuracy on the control tasks."""
    selectivity: Estimate
    majority: float
    """Share of the commonest label."""

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {
            "model": self.model, "layer": self.layer, "accuracy": self.accuracy.as_json(),
            "control": self.control, "selectivity": self.selectivity.as_json(),
            "majority": self.majority,
        }  # fmt: skip


@dataclass(frozen=True)
class ProbeGap:
    """Accuracy of the probe on B less that on A, by layer, item by item."""

    layer: int
    difference: Estimate


@dataclass(frozen=True)
class PatchRow:
    """What putting B's state into A does at one layer."""

    layer: int
    recovered: Estimate
    control: Estimate
    """The same with the state of another question."""
    step: Estimate | None
    """What this layer adds to the one before; None of layer 0."""
    swapped: Estimate | None
    """With the block of B in A; None of layer 0."""

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {
            "layer": self.layer, "recovered": self.recovered.as_json(),
            "control": self.control.as_json(),
            "step": None if self.step is None else self.step.as_json(),
            "swapped": None if self.swapped is None else self.swapped.as_json(),
        }  # fmt: skip


@dataclass(frozen=True)
class ProbeItem:
    """A text with the label that a probe is to read from its last state."""

    text: str
    label: str
    cluster: str


def layer_deltas(deltas: Sequence[WeightDelta]) -> list[LayerDelta]:
    """Return the changes of a model by layer and kind, layers in order, what is outside last."""
    groups: dict[tuple[int | None, str], list[WeightDelta]] = {}
    for one in deltas:
        groups.setdefault((one.layer, one.kind), []).append(one)
    whole = sum(one.squared for one in deltas)
    out = []
    for (layer, kind), found in groups.items():
        squared, base = sum(d.squared for d in found), sum(d.base for d in found)
        ranked = [d for d in found if d.top is not None]
        weight = sum(d.squared for d in ranked)
        relative = math.sqrt(squared / base) if base else (0.0 if not squared else None)
        out.append(LayerDelta(
            layer, kind, sum(d.parameters for d in found), relative,
            squared / whole if whole else 0.0,
            sum((d.top or 0.0) * d.squared for d in ranked) / weight if weight else None,
        ))  # fmt: skip
    return sorted(out, key=lambda d: (d.layer is None, d.layer or 0, d.kind))


def read_probe_items(path: Path) -> list[ProbeItem]:
    """Return the rows of a file: `text`, `label`, and perhaps `cluster`, as JSON lines.

    Raises:
        InputError: with every fault, also if a probe cannot be fitted on them.
    """
    faults: list[Fault] = []
    items = []
    for number, row in json_rows(path, str(path), faults):
        text, label = row.get("text"), row.get("label")
        good = isinstance(label, str | int) and str(label).strip()
        if not isinstance(text, str) or not text.strip() or not good:
            faults.append(Fault(where=f"{path}:{number}", expected="a `text` and a `label`",
                                seen=", ".join(map(str, row))[:80] or "nothing"))  # fmt: skip
            continue
        items.append(ProbeItem(text, str(label), str(row.get("cluster", number))))
    labels = [item.label for item in items]
    clusters = len({item.cluster for item in items})
    rare = [name for name in sorted(set(labels)) if labels.count(name) < FOLDS]
    if not faults and (clusters < LEAST or len(set(labels)) < 2 or rare):
        faults.append(Fault(
            where=str(path), expected=f"{LEAST} clusters and two labels with {FOLDS} rows each",
            seen=f"{clusters} clusters; {', '.join(f'{n}: {labels.count(n)}' for n in set(labels))}"
        ))  # fmt: skip
    if faults:
        raise InputError(faults)
    return items


def probe(
    states: Mapping[str, Floats], items: Sequence[ProbeItem], *, seed: int
) -> tuple[list[ProbeRow], list[ProbeGap], str]:
    """Return what linear readers tell from each layer, and how control labels were drawn.

    Args:
        states: of each model, A first, shape (layers + 1, items, width).
        items: what was read.
        seed: seed of folds, control labels and resampling.
    """
    labels = np.unique([item.label for item in items], return_inverse=True)[1]
    clusters = [item.cluster for item in items]
    folds = _folds(clusters, seed)
    types, by = _types(items)
    rng = np.random.default_rng(seed)
    controls = [_control(labels, types, rng) for _ in range(DRAWS)]
    majority = float(np.bincount(labels).max() / len(labels))
    rows, right = [], {}
    for name, layers in states.items():
        level = 1 - 0.05 / len(layers)
        for layer, x in enumerate(layers):
            hits = _hits(x, labels, folds)
            chance = np.mean([_hits(x, c, folds) for c in controls], axis=0)
            right[name, layer] = hits
            rows.append(ProbeRow(
                name, layer, _mean(hits, clusters, seed, level, (0.0, 1.0)), float(chance.mean()),
                _mean(hits - chance, clusters, seed, level, (-1.0, 1.0)), majority,
            ))  # fmt: skip
    names = list(states)
    count = len(states[names[0]])
    gaps = [
        ProbeGap(k, _mean(right[names[1], k] - right[names[0], k], clusters, seed,
                          1 - 0.05 / count, (-1.0, 1.0)))
        for k in range(count)
    ] if len(names) > 1 else []  # fmt: skip
    return rows, gaps, by


def _mean(
    values: Floats, clusters: Sequence[str], seed: int, level: float, bounds: tuple[float, float]
) -> Estimate:
    return stats.bootstrap_mean(values, clusters=clusters, seed=seed, rounds=ROUNDS, level=level,
                                bounds=bounds)  # fmt: skip


def _folds(clusters: Sequence[str], seed: int) -> NDArray[np.int64]:
    order = sorted(set(clusters), key=lambda n: hashlib.sha256(f"{seed}|{n}".encode()).digest())
    place = {name: k % FOLDS for k, name in enumerate(order)}
    return np.array([place[name] for name in clusters])


def _types(items: Sequence[ProbeItem]) -> tuple[list[str], str]:
    """What items share a control label: the last word, where enough of them recur."""
    words = [item.text.split()[-1].casefold() for item in items]
    if 10 <= len(set(words)) <= len(items) / 2:
        return words, "last word"
    return [str(i) for i in range(len(items))], "item"


def _control(
    labels: NDArray[np.int64], types: Sequence[str], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Random labels, the same for all items of a type, as frequent as the true ones."""
    names = list(dict.fromkeys(types))
    if len(names) == len(labels):
        return rng.permutation(labels)
    drawn = dict(zip(names, rng.choice(labels, len(names)), strict=True))
    return np.array([drawn[name] for name in types])


def _hits(x: Floats, labels: NDArray[np.int64], folds: NDArray[np.int64]) -> Floats:
    """Whether each item's label was read by a probe that was fitted on the other folds."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    hits = np.zeros(len(labels))
    with threadpool_limits(1):
        for fold in range(FOLDS):
            test = folds == fold
            if not test.any():
                continue
            train = labels[~test]
            if len(np.unique(train)) < 2:
                hits[test] = labels[test] == train[0]
                continue
            reader = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=500))
            reader.fit(x[~test], train)
            hits[test] = reader.predict(x[test]) == labels[test]
    return hits


@dataclass(frozen=True)
class Patched:
    """Margins of the same questions, in nats: of both models, and of A with something of B."""

    before: Floats
    after: Floats
    states: Sequence[Floats]
    """A with B's state at each layer, from 0."""
    others: Sequence[Floats]
    """A with B's state of another question at each layer, from 0."""
    blocks: Sequence[Floats]
    """A with one block of B, from 1."""
    clusters: Sequence[str]


def patching(found: Patched, *, seed: int) -> list[PatchRow]:
    """Return how much of the difference in margins follows B's state, layer by layer."""
    count = len(found.states)
    share = _Shares(found, seed, 1 - 0.05 / count)
    rows = []
    for layer in range(count):
        here = found.states[layer]
        rows.append(PatchRow(
            layer, share(here), share(found.others[layer]),
            None if layer == 0 else share(here, found.states[layer - 1]),
            None if layer == 0 else share(found.blocks[layer - 1]),
        ))  # fmt: skip
    return rows


class _Shares:
    """Least-squares shares of the difference between A and B, on the same resampled questions."""

    def __init__(self, found: Patched, seed: int, level: float) -> None:
        self.seed, self.level, self.start = seed, level, found.before
        self.gap = found.after - found.before
        index = {name: k for k, name in enumerate(dict.fromkeys(found.clusters))}
        self.codes = np.array([index[name] for name in found.clusters])
        self.n = len(index)
        rng = np.random.default_rng(seed)
        self.weights = rng.multinomial(self.n, np.full(self.n, 1 / self.n), size=ROUNDS)

    def __call__(self, margins: Floats, less: Floats | None = None) -> Estimate:
        """The share that follows margins, beyond what follows others."""
        moved = margins - (self.start if less is None else less)
        top, below = self._sums(moved * self.gap), self._sums(self.gap**2)
        if below.sum() <= 1e-18 or self.n < 2:
            return Estimate(value=None, interval=None, n=self.n, seed=self.seed)
        drawn, scale = self.weights @ top, self.weights @ below
        kept = scale > 1e-18
        return Estimate(
            value=float(top.sum() / below.sum()), n=self.n, seed=self.seed,
            interval=stats.percentile_interval(drawn[kept] / scale[kept], self.level),
        )  # fmt: skip

    def _sums(self, values: Floats) -> Floats:
        return np.bincount(self.codes, weights=values, minlength=self.n).astype(np.float64)


def elsewhere(n: int, *, seed: int) -> NDArray[np.int64]:
    """Return for each of n questions another one, by a random turn of a random order."""
    if n < 2:
        raise ValueError("another question needs two")
    order = np.random.default_rng(seed).permutation(n)
    out = np.empty(n, dtype=np.int64)
    out[order] = np.roll(order, 1)
    return out
