"""A reader of one norm's breaches that learns from texts people labelled.

Linear on hashed n-grams (`features`), calibrated (Platt, in Smola et al., Advances in Large Margin
Classifiers, 2000) on texts it did not learn from, and measured on a third part beside what must not
work: the same fit on shuffled labels, and the length of the text alone. A source named `unseen` is
measured and never learned from, because what is learned from one collection often stays in it.

A label is a share: `yes` of the people who read the text called it a breach. The majority decides
what is learned; texts without a majority are left out, and counted.
"""

from __future__ import annotations

import io
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from normwright.guard.features import BUCKETS, Rows, featurise
from normwright.records import (
    Digest,
    Fault,
    InputError,
    IntegrityError,
    Lang,
    MadeBy,
    Measurement,
    digest_bytes,
    json_rows,
)
from normwright.stats import bootstrap_auc, bootstrap_mean

FORM = "label-reader/v1"
WEIGHTS, CARD = "labels.npz", "labels.json"
SUITE = "labels"

_LEARN, _CALIBRATE = 0.7, 0.85
"""Texts with a lower number of their cluster are learned from, then calibrated on, then tested."""
_RIDGE = 4.0
"""Inverse strength of the ridge penalty of the logistic regression."""
_BLOCK = 2_000
Floats = NDArray[np.float64]
Part = Literal["learn", "calibrate", "test"]


@dataclass(frozen=True)
class LabelledText:
    """One text, and how many people found that it breaches the norm."""

    text: str
    yes: int
    no: int
    lang: Lang
    source: str
    licence: str
    cluster: str
    """Texts that share it stay on one side of every split."""

    @property
    def label(self) -> bool | None:
        """What most people found; None without a majority."""
        return None if self.yes == self.no else self.yes > self.no

    @property
    def part(self) -> Part:
        """Which part of the split the text belongs to: the same in every run."""
        number = int(digest_bytes(f"{self.source}|{self.cluster}".encode())[7:15], 16) / 2**32
        return "learn" if number < _LEARN else "calibrate" if number < _CALIBRATE else "test"


@dataclass(frozen=True)
class LabelReader:
    """P(a text breaches the norm), by one row of weights."""

    norm: str
    columns: NDArray[np.int64]
    """Sorted columns that carry weight, shape (k,)."""
    weights: NDArray[np.float32]
    """Shape (k,)."""
    bias: float
    slope: float
    offset: float
    """P = 1 / (1 + exp(-(slope * score + offset)))."""
    threshold: float
    """Probability from which a text counts as a breach."""
    card: dict[str, Any] = field(default_factory=dict)
    """What it learned from: rows and licences by source, what was left out, seed."""

    @cached_property
    def _places(self) -> NDArray[np.int32]:
        places = np.full(2 * BUCKETS, -1, dtype=np.int32)
        places[self.columns] = np.arange(len(self.columns), dtype=np.int32)
        return places

    def scores(self, texts: Sequence[str]) -> Floats:
        """Return the uncalibrated score of each text, shape (len(texts),)."""
        found = [self._block(texts[i : i + _BLOCK]) for i in range(0, len(texts), _BLOCK)]
        return np.concatenate(found) if found else np.zeros(0)

    def _block(self, texts: Sequence[str]) -> Floats:
        rows = featurise(texts)
        places = self._places[rows.columns]
        seen = places >= 0
        each = self.weights[places[seen]].astype(np.float64) * rows.values[seen]
        sums = np.bincount(rows.rows[seen], weights=each, minlength=rows.count)
        return sums.astype(np.float64) + self.bias

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """Return the calibrated probability of a breach of each text, shape (len(texts),)."""
        return _sigmoid(self.slope * self.scores(texts) + self.offset)

    def breaches(self, texts: Sequence[str]) -> list[bool]:
        """Say of each text whether it counts as a breach."""
        return [bool(p >= self.threshold) for p in self.probabilities(texts)]

    def save(self, folder: Path) -> None:
        """Write weights and card into a folder; nothing in them is pickled."""
        folder.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        np.savez(buffer, columns=self.columns, weights=self.weights)
        data = buffer.getvalue()
        (folder / WEIGHTS).write_bytes(data)
        about = {
            "form": FORM,
            "norm": self.norm,
            "bias": self.bias,
            "slope": self.slope,
            "offset": self.offset,
            "threshold": self.threshold,
            "weights": digest_bytes(data),
            "card": self.card,
        }
        text = json.dumps(about, indent=1, sort_keys=True, ensure_ascii=False)
        (folder / CARD).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> LabelReader:
        """Read what `save` wrote.

        Raises:
            IntegrityError: if the weights are not those the card speaks of.
        """
        about = json.loads((folder / CARD).read_text(encoding="utf-8"))
        data = (folder / WEIGHTS).read_bytes()
        if about["form"] != FORM or digest_bytes(data) != about["weights"]:
            raise IntegrityError(f"{folder / WEIGHTS} is not what its card speaks of")
        arrays = np.load(io.BytesIO(data), allow_pickle=False)
        return cls(
            about["norm"],
            arrays["columns"],
            arrays["weights"],
            about["bias"],
            about["slope"],
            about["offset"],
            about["threshold"],
            about["card"],
        )


# Reading


def read_labels(paths: Iterable[Path]) -> list[LabelledText]:
    """Return the labelled texts of JSON-lines files, packed (`.gz`) or not, in their order.

    Raises:
        InputError: with every fault of every file. No text is repeated in a message.
    """
    faults: list[Fault] = []
    found = [row for path in paths for row in _file(path, faults)]
    if faults:
        raise InputError(faults)
    return found


def _file(path: Path, faults: list[Fault]) -> Iterator[LabelledText]:
    for number, row in json_rows(path, path.name, faults):
        text = _labelled(f"{path.name}:{number}", row, faults)
        if text is not None:
            yield text


_WORDS = ("text", "lang", "source", "licence", "cluster")


def _labelled(where: str, row: dict[str, Any], faults: list[Fault]) -> LabelledText | None:
    known = len(faults)
    faults += [
        Fault(where=f"{where}: {name}", expected="text", seen=_kind(row, name))
        for name in _WORDS
        if not isinstance(row.get(name), str) or not row[name].strip()
    ]
    for name in ("yes", "no"):
        value = row.get(name)
        if type(value) is not int or value < 0:
            seen = _kind(row, name)
            faults.append(Fault(where=f"{where}: {name}", expected="a count of people", seen=seen))
    if len(faults) > known:
        return None
    return LabelledText(**{name: row[name] for name in (*_WORDS, "yes", "no")})


def _kind(row: dict[str, Any], name: str) -> str:
    return type(row[name]).__name__ if name in row else "nothing"


# Fitting


@dataclass(frozen=True)
class FittedLabels:
    """A reader, the controls beside it, and what all of them are measured on."""

    reader: LabelReader
    shuffled: LabelReader
    """The same fit on labels dealt out at random."""
    test: tuple[LabelledText, ...]
    """Texts of all sources that nothing was learned from or calibrated on."""
    longer: float
    """Slope of the length shortcut: +1 if breaching texts are the longer ones, else -1."""


def fit_labels(
    rows: Sequence[LabelledText],
    *,
    norm: str,
    seed: int,
    per_source: int | None = None,
    unseen: Sequence[str] = (),
) -> FittedLabels:
    """Return a reader of a norm's breaches, with its controls and test texts.

    Args:
        rows: labelled texts.
        norm: id of the norm.
        seed: draws the texts and shuffles the labels of the control.
        per_source: texts taken of each source and language; None takes all.
        unseen: sources that are only measured on.

    Raises:
        InputError: if an unseen source is not there, or one side has no text to learn from.
    """
    lacking = sorted(set(unseen) - {row.source for row in rows})
    faults = [
        Fault(where="sources.labels.unseen", expected="a source among the labelled texts", seen=one)
        for one in lacking
    ]
    kept, left_out = _kept(rows, per_source, seed)
    parts: dict[Part, list[LabelledText]] = {"learn": [], "calibrate": [], "test": []}
    for row in kept:
        parts["test" if row.source in unseen else row.part].append(row)
    for part, found in parts.items():
        sides = Counter(row.label for row in found)
        faults += [
            Fault(
                where=f"sources.labels: {part}",
                expected="texts of both kinds",
                seen=f"{sides[True]} that breach and {sides[False]} that do not",
            )
            for _ in (1,)
            if not (sides[True] and sides[False])
        ]
    if faults:
        raise InputError(faults)
    truth = [bool(row.label) for row in parts["learn"]]
    mixed = list(truth)
    random.Random(seed).shuffle(mixed)
    card = {
        "rows": dict(sorted(Counter(f"{r.source}/{r.lang}" for r in parts["learn"]).items())),
        "licences": dict(sorted(Counter(r.licence for r in parts["learn"]).items())),
        "left_out": dict(sorted(left_out.items())),
        "unseen": sorted(unseen),
        "seed": seed,
    }
    design = _matrix([row.text for row in parts["learn"]])
    real, control = (
        _fit(design, labels, parts["calibrate"], norm, card) for labels in (truth, mixed)
    )
    sizes = np.array([len(row.text) for row in parts["learn"]])
    longer = sizes[np.array(truth)].mean() >= sizes[~np.array(truth)].mean()
    return FittedLabels(real, control, tuple(parts["test"]), 1.0 if longer else -1.0)


def _kept(
    rows: Sequence[LabelledText], per_source: int | None, seed: int
) -> tuple[list[LabelledText], Counter[str]]:
    """Return texts with a majority, each once, so many of each source and language."""
    left_out: Counter[str] = Counter()
    order = sorted(rows, key=lambda r: digest_bytes(f"{seed}|{r.source}|{r.text}".encode()))
    taken: Counter[tuple[str, str]] = Counter()
    seen: set[str] = set()
    kept = []
    for row in order:
        group = (row.source, row.lang)
        if row.label is None:
            left_out["no majority"] += 1
        elif _plain(row.text) in seen:
            left_out["the same text again"] += 1
        elif per_source is not None and taken[group] >= per_source:
            left_out["not drawn"] += 1
        else:
            seen.add(_plain(row.text))
            taken[group] += 1
            kept.append(row)
    return kept, left_out


def _plain(text: str) -> str:
    """A text as texts are told apart: what is learned in capitals is not new in small letters."""
    return " ".join(text.lower().split())


def _matrix(texts: Sequence[str]) -> Any:
    from scipy.sparse import csr_array

    found: list[Rows] = [featurise(texts[i : i + _BLOCK]) for i in range(0, len(texts), _BLOCK)]
    starts = np.cumsum([0, *(part.count for part in found)])[:-1]
    rows = np.concatenate([part.rows + start for part, start in zip(found, starts, strict=True)])
    columns = np.concatenate([part.columns for part in found])
    values = np.concatenate([part.values for part in found])
    return csr_array((values, (rows, columns)), shape=(len(texts), 2 * BUCKETS))


def _fit(
    design: Any,
    labels: Sequence[bool],
    calibration: Sequence[LabelledText],
    norm: str,
    card: dict[str, Any],
) -> LabelReader:
    from sklearn.linear_model import LogisticRegression

    # Columns nobody uses carry no weight; leaving them out makes the fit as small as its texts.
    columns = np.unique(design.indices).astype(np.int64)
    with threadpool_limits(1):
        fitted = LogisticRegression(
            C=_RIDGE, solver="lbfgs", max_iter=200, class_weight="balanced"
        ).fit(design[:, columns], labels)
    raw = LabelReader(
        norm, columns, fitted.coef_[0].astype(np.float32), float(fitted.intercept_[0]),
        1.0, 0.0, 0.5, card,
    )  # fmt: skip
    truth = np.array([bool(row.label) for row in calibration])
    scores = raw.scores([row.text for row in calibration])
    with threadpool_limits(1):
        platt = LogisticRegression(C=1e6).fit(scores[:, None], truth)
    slope, offset = float(platt.coef_[0, 0]), float(platt.intercept_[0])
    threshold = _balanced(_sigmoid(slope * scores + offset), truth)
    return LabelReader(norm, raw.columns, raw.weights, raw.bias, slope, offset, threshold, card)


def _balanced(probabilities: Floats, truth: NDArray[np.bool_]) -> float:
    """Return the threshold at which sensitivity and specificity add up to most."""
    order = np.argsort(-probabilities, kind="stable")
    hits = np.cumsum(truth[order]) / truth.sum()
    alarms = np.cumsum(~truth[order]) / (~truth).sum()
    # A threshold lies between two probabilities, so ties are taken whole.
    last = np.r_[np.diff(probabilities[order]) != 0, True]
    best = int(np.argmax(np.where(last, hits - alarms, -2.0)))
    return float(probabilities[order][best])


def _sigmoid(x: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -60, 60)))


# Measuring


def measure_labels(
    fitted: FittedLabels, *, digests: dict[str, Digest], seed: int, rounds: int = 1_000
) -> list[Measurement]:
    """Return what the reader and its controls see in texts nothing was learned from.

    | metric | is |
    |---|---|
    | `auc` | P(a breach scores above another text), 0.5 by chance |
    | `sensitivity`, `specificity` | at the reader's threshold |
    | `brier` | mean squared difference of probability and truth; lower is better |

    for every source and language and, with language None, for all together. Roles are `labels`,
    `control:shuffled-labels` and `control:length`.

    Args:
        fitted: from `fit_labels`.
        digests: of the readers, by role.
        seed: of the resampling, by cluster.
        rounds: resamples behind each interval of an area.
    """
    rows = fitted.test
    texts = [row.text for row in rows]
    lengths = fitted.longer * np.array([float(len(t)) for t in texts])
    scores = {
        "labels": fitted.reader.probabilities(texts),
        "control:shuffled-labels": fitted.shuffled.probabilities(texts),
        "control:length": lengths,
    }
    groups = sorted({(row.source, row.lang) for row in rows})
    out: list[Measurement] = []
    for role, found in scores.items():
        for group in [None, *groups]:
            chosen = [i for i, r in enumerate(rows) if group in (None, (r.source, r.lang))]
            out += _measured(fitted, role, found, group, chosen, digests, seed, rounds)
    return out


def _measured(
    fitted: FittedLabels,
    role: str,
    scores: Floats,
    group: tuple[str, str] | None,
    chosen: Sequence[int],
    digests: dict[str, Digest],
    seed: int,
    rounds: int,
) -> list[Measurement]:
    rows = [fitted.test[i] for i in chosen]
    truth = np.array([bool(row.label) for row in rows])
    found = scores[list(chosen)]
    source, lang = group or (None, None)
    breaching = float(truth.mean())
    made: Callable[..., Measurement] = lambda metric, estimate, **more: Measurement(  # noqa: E731
        suite=SUITE if source is None else f"{SUITE}.{source}",
        metric=metric,
        model=role,
        model_digest=digests[role],
        lang=lang,
        norm=fitted.reader.norm,
        estimate=estimate,
        cluster="cluster of its source",
        details={
            "breaching": round(breaching, 4),
            "unseen": source in fitted.reader.card["unseen"] if source else None,
        },
        made_by=MadeBy(stage="guard", plugin=SUITE, seed=seed),
        **more,
    )
    clusters = [f"{r.source}|{r.cluster}" for r in rows]
    area = bootstrap_auc(found, truth, clusters=clusters, seed=seed, rounds=rounds)
    out = [made("auc", area, baselines={"chance": 0.5})]
    if role == "labels":
        flagged = found >= fitted.reader.threshold
        for metric, side, hits, constant in (
            ("sensitivity", truth, flagged, 1.0),
            ("specificity", ~truth, ~flagged, 0.0),
        ):
            share = bootstrap_mean(
                hits[side].astype(float),
                clusters=[c for c, kept in zip(clusters, side, strict=True) if kept],
                seed=seed,
            )
            told = {"constant-yes": constant}
            out.append(made(metric, share, count=int(hits[side].sum()), baselines=told))
        error = bootstrap_mean((found - truth) ** 2, clusters=clusters, seed=seed)
        told = {"constant-share": breaching * (1 - breaching)}
        out.append(made("brier", error, baselines=told))
    return out
