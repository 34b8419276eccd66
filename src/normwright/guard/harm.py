"""The linear classifier of the guard: what is asked for, which norm an answer breaks, the language.

Every head is linear in hashed n-grams (`features`) and calibrated (Platt, in Smola et al., Advances
in Large Margin Classifiers, 2000). A linear model cannot tell two requests apart that differ only
in a mark on a sheet; there its calibrated probability stays near the base rate and decides nothing.
That is what the rules of `facts` are for.

Heads by name: `act:NAME` which act a piece of text asks for, `fact:NAME=VALUE` which fact it
states, `lang:TAG` its language, `norm:ID` whether the answer breaks the norm, `does:NAME` whether
it does the act, `declines` whether it declines.
"""

from __future__ import annotations

import io
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normwright.guard.canonical import learnable
from normwright.guard.features import BUCKETS, CHARS, WORDS, Rows, featurise
from normwright.records import (
    Digest,
    Estimate,
    FactValue,
    Fault,
    InputError,
    IntegrityError,
    digest_bytes,
)

FORM = "harm-classifier/v1"
WEIGHTS, CARD = "harm.npz", "harm.json"

_KEPT = 20_000
"""Texts whose scores are kept, so that a conversation is not read anew at every turn."""


@dataclass(frozen=True)
class Head:
    """One yes-or-no question with its calibration and what was measured of it."""

    name: str
    slope: float
    offset: float
    """P(yes) = 1 / (1 + exp(-(slope * score + offset)))."""
    threshold: float | None
    """Probability from which the head counts as yes; None: it never decides by itself."""
    positives: int
    """Rows on which the answer was yes."""
    sensitivity: Mapping[str, Estimate]
    """Per language, on templates the head had not seen: P(yes | it is so)."""
    specificity: Mapping[str, Estimate]
    """Per language, on templates the head had not seen: P(no | it is not so)."""

    @property
    def sound(self) -> bool:
        """Whether it is shown, in every language, to be better than a coin of any bias."""
        if self.threshold is None or not self.sensitivity:
            return False
        for lang, found in self.sensitivity.items():
            clear = self.specificity.get(lang)
            if clear is None or found.interval is None or clear.interval is None:
                return False
            if found.interval.low + clear.interval.low <= 1.0:
                return False
        return True


@dataclass(frozen=True)
class Side:
    """The weights of one text: hashed columns in use, and one row of weights for each."""

    columns: NDArray[np.int64]
    """Sorted columns that carry weight, shape (k,)."""
    weights: NDArray[np.float32]
    """Shape (k, outputs)."""
    _places: NDArray[np.int32] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places = np.full(2 * BUCKETS, -1, dtype=np.int32)
        places[self.columns] = np.arange(len(self.columns), dtype=np.int32)
        object.__setattr__(self, "_places", places)

    def scores(self, rows: Rows) -> NDArray[np.float64]:
        """Return the score of every row and output, shape (rows.count, outputs)."""
        places = self._places[rows.columns]
        seen = places >= 0
        out = np.zeros((rows.count, self.weights.shape[1]))
        if seen.any():
            each = self.weights[places[seen]].astype(np.float64) * rows.values[seen, None]
            owner = rows.rows[seen]
            starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
            out[owner[starts]] = np.add.reduceat(each, starts, axis=0)
        return out


@dataclass(frozen=True)
class Reading:
    """What the classifier reads in one piece of text, in its context."""

    text: str
    acts: dict[str, float]
    """Act -> probability that the piece asks for it."""
    facts: dict[str, dict[FactValue, float]]
    """Fact -> value -> probability that the piece states it."""
    part: NDArray[np.float64]
    """Score of the request's part of each norm and does head; an answer's part is added to it."""


@dataclass(frozen=True, eq=False)
class HarmClassifier:
    """Linear heads on hashed n-grams, calibrated and measured; see the module's first lines."""

    heads: tuple[Head, ...]
    """In the order of the outputs: `act`, `fact`, `norm`, `does`, then `lang`, then `declines`."""
    asked: Side
    """Weights of the piece that may ask for something: outputs are the heads before `lang`."""
    around: Side
    """Weights of the text around it, same outputs."""
    answered: Side
    """Weights of the answer: outputs are the norm and does heads, then `declines`."""
    spoken: Side
    """Weights for languages, read with all words."""
    leave_out: frozenset[str]
    """Words that are left out of what is asked and its context."""
    bias: NDArray[np.float64]
    """Shape (len(heads),)."""
    card: Mapping[str, Any]
    """What it was fitted on: charter, scenes, splits, seed, act accuracy, uncovered norms."""
    _read: OrderedDict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = field(
        default_factory=OrderedDict, init=False, repr=False
    )
    _told: OrderedDict[str, NDArray[np.float64]] = field(
        default_factory=OrderedDict, init=False, repr=False
    )

    @cached_property
    def _joint(self) -> list[int]:
        """Outputs that request and answer feed together."""
        return [i for i, h in enumerate(self.heads) if h.name.startswith(("norm:", "does:"))]

    @cached_property
    def _kinds(self) -> dict[str, tuple[tuple[int, str], ...]]:
        found: dict[str, list[tuple[int, str]]] = {}
        for i, head in enumerate(self.heads):
            kind, _, name = head.name.partition(":")
            found.setdefault(kind, []).append((i, name))
        return {k: tuple(v) for k, v in found.items()}

    def head(self, name: str) -> Head:
        """Return one head by its name; KeyError if there is none."""
        for head in self.heads:
            if head.name == name:
                return head
        raise KeyError(name)

    def named(self, kind: str) -> tuple[tuple[int, str], ...]:
        """Return (output, rest of the name) of every head of a kind such as `norm`."""
        return self._kinds.get(kind, ())

    @property
    def sound(self) -> bool:
        """Whether it may be relied on: acts clearly above the majority guess, half its heads sound.

        A classifier fitted on shuffled labels is not.
        """
        accuracy = Estimate.model_validate(self.card["act_accuracy"])
        norms = [h for h in self.heads if h.name.startswith("norm:") and h.threshold is not None]
        return (
            accuracy.interval is not None
            and accuracy.interval.low > float(self.card["act_majority"])
            and bool(norms)
            and 2 * sum(h.sound for h in norms) >= len(norms)
            and self.head("declines").sound
        )

    def prime(self, texts: Sequence[str]) -> None:
        """Read texts in one pass, so that reading them one by one afterwards costs little."""
        if texts:
            self._scores(texts)

    def read(self, texts: Sequence[str], around: Sequence[str] | None = None) -> list[Reading]:
        """Return what each piece asks for and states.

        Args:
            texts: pieces of one turn, canonical or not.
            around: the text around them; default: for each piece the other pieces.
        """
        if not texts:
            return []
        own, near = self._scores(texts)
        if around is not None:
            other = self._scores(around)[1] if around else np.zeros((0, near.shape[1]))
            context = np.broadcast_to(
                other.mean(axis=0) if len(other) else np.zeros(near.shape[1]), near.shape
            )
        else:
            rest = max(len(texts) - 1, 1)
            context = (near.sum(axis=0) - near) / rest
        raw = own + context + self.bias[: near.shape[1]]
        chance = self._calibrated(raw, slice(0, near.shape[1]))
        joint = self._joint
        acts, facts = self.named("act"), self._fact_names
        return [
            Reading(
                text=text,
                acts={name: float(chance[row, i]) for i, name in acts},
                facts={
                    name: {value: float(chance[row, i]) for i, value in values}
                    for name, values in facts.items()
                },
                part=raw[row, joint],
            )
            for row, text in enumerate(texts)
        ]

    def judge(self, reading: Reading, answer: str) -> tuple[dict[str, float], dict[str, float]]:
        """Return P(the answer breaks the norm) and P(the answer does the act), by norm and by act.

        Only norms and acts that have a head are among them.
        """
        where = self._joint
        raw = reading.part + self._answer(answer)[:-1]
        chance = self._calibrated(raw[None, :], where)[0]
        by_head = dict(zip(where, chance.tolist(), strict=True))
        return (
            {name: by_head[i] for i, name in self.named("norm")},
            {name: by_head[i] for i, name in self.named("does")},
        )

    def declines(self, answer: str) -> float:
        """Return P(the answer declines to do what was asked)."""
        raw = self._answer(answer)[-1:] + self.bias[-1]
        return float(self._calibrated(raw[None, :], [len(self.heads) - 1])[0, 0])

    def languages(self, texts: Sequence[str]) -> dict[str, float]:
        """Return P(language) of texts taken together; longer texts weigh more."""
        named = self.named("lang")
        if not named or not texts:
            return {}
        where = [i for i, _ in named]
        raw = self.spoken.scores(featurise([learnable(t) for t in texts])) + self.bias[where]
        size = np.sqrt([max(len(t), 1) for t in texts])
        pooled = (raw * size[:, None]).sum(axis=0) / size.sum()
        chance = self._calibrated(pooled[None, :], where)[0]
        total = float(chance.sum())
        return {
            n: float(p) / total if total else 0.0 for (_, n), p in zip(named, chance, strict=True)
        }

    def save(self, directory: Path) -> dict[str, Digest]:
        """Write `harm.npz` and `harm.json` and return their digests by file name.

        Both are plain: arrays without pickled objects, and JSON naming the digest of the arrays.
        """
        directory.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            bias=self.bias,
            asked_columns=self.asked.columns,
            asked_weights=self.asked.weights,
            around_columns=self.around.columns,
            around_weights=self.around.weights,
            answered_columns=self.answered.columns,
            answered_weights=self.answered.weights,
            spoken_columns=self.spoken.columns,
            spoken_weights=self.spoken.weights,
        )
        arrays = buffer.getvalue()
        card = {
            "form": FORM,
            "features": {"buckets": BUCKETS, "words": WORDS, "chars": CHARS},
            "leave_out": sorted(self.leave_out),
            "weights": digest_bytes(arrays),
            "heads": [
                {
                    "name": h.name,
                    "slope": h.slope,
                    "offset": h.offset,
                    "threshold": h.threshold,
                    "positives": h.positives,
                    "sensitivity": {k: e.model_dump() for k, e in h.sensitivity.items()},
                    "specificity": {k: e.model_dump() for k, e in h.specificity.items()},
                }
                for h in self.heads
            ],
            "card": dict(self.card),
        }
        text = (json.dumps(card, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
        (directory / WEIGHTS).write_bytes(arrays)
        (directory / CARD).write_bytes(text)
        return {WEIGHTS: digest_bytes(arrays), CARD: digest_bytes(text)}

    @classmethod
    def load(
        cls, directory: Path, *, digests: Mapping[str, Digest] | None = None
    ) -> HarmClassifier:
        """Return the classifier saved in a directory.

        Args:
            directory: where `save` wrote.
            digests: what `save` returned, if the caller kept it; the files must match.

        Raises:
            InputError: if a file is missing or is not what `save` writes.
            IntegrityError: if a file is not what its digest says.
        """
        blobs: dict[str, bytes] = {}
        for name in (WEIGHTS, CARD):
            try:
                blobs[name] = (directory / name).read_bytes()
            except OSError as error:
                fault = Fault(
                    where=str(directory / name),
                    expected="a file of a saved harm classifier",
                    seen=error.strerror or type(error).__name__,
                    do="Fit it again.",
                )
                raise InputError([fault]) from error
            if digests is not None and digests.get(name) != digest_bytes(blobs[name]):
                raise IntegrityError(f"{directory / name} is not the file that was recorded")
        try:
            content = json.loads(blobs[CARD])
            form = content["form"]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError([_misread(directory / CARD, str(error))]) from error
        wanted = {"buckets": BUCKETS, "words": list(WORDS), "chars": list(CHARS)}
        if form != FORM or content["features"] != wanted:
            raise InputError([_misread(directory / CARD, f"{form}, {content.get('features')}")])
        if content["weights"] != digest_bytes(blobs[WEIGHTS]):
            raise IntegrityError(f"{directory / WEIGHTS} does not belong to {directory / CARD}")
        with np.load(io.BytesIO(blobs[WEIGHTS]), allow_pickle=False) as arrays:
            sides = {
                name: Side(columns=arrays[f"{name}_columns"], weights=arrays[f"{name}_weights"])
                for name in ("asked", "around", "answered", "spoken")
            }
            bias = arrays["bias"]
        heads = tuple(
            Head(
                name=h["name"],
                slope=h["slope"],
                offset=h["offset"],
                threshold=h["threshold"],
                positives=h["positives"],
                sensitivity={k: Estimate.model_validate(e) for k, e in h["sensitivity"].items()},
                specificity={k: Estimate.model_validate(e) for k, e in h["specificity"].items()},
            )
            for h in content["heads"]
        )
        leave_out = frozenset(content["leave_out"])
        return cls(heads=heads, leave_out=leave_out, bias=bias, card=content["card"], **sides)

    def _scores(self, texts: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Scores of texts as the piece itself and as context, each (texts, heads before `lang`)."""
        fresh = [t for t in dict.fromkeys(texts) if t not in self._read]
        found = {t: self._read[t] for t in texts if t in self._read}
        if fresh:
            rows = featurise([learnable(t, self.leave_out) for t in fresh])
            own, near = self.asked.scores(rows), self.around.scores(rows)
            found.update({t: (own[i], near[i]) for i, t in enumerate(fresh)})
            self._read.update({t: found[t] for t in fresh})
            while len(self._read) > _KEPT:
                self._read.popitem(last=False)
        return (
            np.array([found[t][0] for t in texts]),
            np.array([found[t][1] for t in texts]),
        )

    def _answer(self, text: str) -> NDArray[np.float64]:
        known = self._told.get(text)
        if known is None:
            known = self.answered.scores(featurise([learnable(text)]))[0]
            self._told[text] = known
            while len(self._told) > _KEPT:
                self._told.popitem(last=False)
        return known

    def _calibrated(
        self, raw: NDArray[np.float64], where: slice | list[int]
    ) -> NDArray[np.float64]:
        heads = self.heads[where] if isinstance(where, slice) else [self.heads[i] for i in where]
        slope = np.array([h.slope for h in heads])
        offset = np.array([h.offset for h in heads])
        return sigmoid(raw * slope + offset)

    @cached_property
    def _fact_names(self) -> dict[str, tuple[tuple[int, FactValue], ...]]:
        found: dict[str, list[tuple[int, FactValue]]] = {}
        for i, name in self.named("fact"):
            fact, value = name.split("=", 1)
            found.setdefault(fact, []).append((i, json.loads(value)))
        return {k: tuple(v) for k, v in found.items()}


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / (1 + exp(-x)) without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)), dtype=np.float64)


def _misread(path: Path, seen: str) -> Fault:
    return Fault(
        where=str(path),
        expected=f"the card of a harm classifier of form {FORM} with this version's features",
        seen=seen,
        do="Fit it again with this version.",
    )
