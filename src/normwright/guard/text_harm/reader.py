"""The harm classifier of any text, in English and Portuguese: linear, calibrated, embedded.

A head is linear in hashed n-grams (`grams`). A label has one head for both languages or one for
each; what is said of a text is then the mean over the languages it may be in. Probabilities are
calibrated (Platt, 2000) on folds the weights had not seen, for each language apart. Weights are
eight-bit, and only columns that carry weight are kept. Serving needs numpy alone.

What it was fitted on and what was measured of it stands in its card. It reads one text at a time
and knows nothing of who speaks to whom: a verdict rests on norms and facts, not on this alone.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from math import tanh
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normwright.guard.text_harm.grams import BUCKETS, CHARS, Grams, form, kinds_digest
from normwright.guard.text_harm.scoring import Scorer
from normwright.records import Digest, Fault, InputError, IntegrityError, digest_bytes

FORM = "text-harm/v1"
WEIGHTS, CARD = "text_harm.npz", "text_harm.json"
LANGUAGE = "lang:pt"
"""Name of the head that tells Portuguese from English."""
AIRA = "aira-compat"
"""Label of the baseline's heads, whose raw scores are read by `aira` alone."""
_PROBES = (
    "Olá, VOCÊ não é 1d1ota!!!! n\u200bão\u00a0\u00bc",
    "b i c h a @someone https://a.b/c soooo g00d ﬁne",
    "Straße 2026-11-30 10% “quoted” ¿qué? ÀÉÎ",
)
"""Texts whose form stands for the function that makes it: another function, another digest."""
_APART = ("lang", AIRA)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TextHead:
    """One label's weights, in the order of the columns of the weight matrix."""

    label: str
    lang: str | None
    """Language it reads; None: both."""
    bias: float
    scale: float
    """A weight is its eight-bit number times this."""
    slopes: Mapping[str, tuple[float, float]]
    """Language -> slope and offset: P = 1 / (1 + exp(-(slope * score + offset)))."""

    @property
    def name(self) -> str:
        """The label, and the language if it has one."""
        return self.label if self.lang is None else f"{self.label}:{self.lang}"


@dataclass(frozen=True, eq=False)
class TextHarm:
    """Probability of each harm label for any text; see the module's first lines."""

    heads: tuple[TextHead, ...]
    columns: NDArray[np.int64]
    """Sorted buckets that carry weight, shape (k,)."""
    weights: NDArray[np.int8]
    """Shape (k, heads)."""
    card: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def embedded(cls) -> TextHarm:
        """Return the classifier that is shipped, read once and checked against its digests.

        Raises:
            IntegrityError: if a file of the installation is not what was shipped.
        """
        return _embedded()

    @cached_property
    def digest(self) -> Digest:
        """Digest of weights and calibration: what a record says was read."""
        told = json.dumps([[h.name, h.bias, h.scale, sorted(h.slopes.items())] for h in self.heads])
        return digest_bytes(
            self.columns.astype("<i8").tobytes() + self.weights.tobytes() + told.encode()
        )

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Harm labels, in the order of the heads."""
        return tuple(dict.fromkeys(h.label for h in self.heads if h.label not in _APART))

    @cached_property
    def _places(self) -> NDArray[np.int32]:
        """Bucket -> row of the weights; the row after the last, of zeros, for one without any."""
        places = np.full(BUCKETS, len(self.columns), dtype=np.int32)
        places[self.columns] = np.arange(len(self.columns), dtype=np.int32)
        return places

    @cached_property
    def _rows(self) -> NDArray[np.int8]:
        return np.concatenate([self.weights, np.zeros((1, len(self.heads)), dtype=np.int8)])

    @cached_property
    def _scale(self) -> Floats:
        return np.array([h.scale for h in self.heads])

    @cached_property
    def _bias(self) -> Floats:
        return np.array([h.bias for h in self.heads])

    def read(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Return the calibrated probability of each label for each text, in any language or form.

        A language other than English and Portuguese is read as the nearer of the two, and poorly.
        """
        return [
            dict(zip(self.labels, self._chances(row), strict=True))
            for row in self.raw(texts).tolist()
        ]

    def chances(self, texts: Sequence[str]) -> Floats:
        """Return the probabilities as an array, shape (texts, labels)."""
        found = [self._chances(row) for row in self.raw(texts).tolist()]
        return np.array(found, dtype=np.float64).reshape(len(found), len(self.labels))

    def _chances(self, scores: list[float]) -> list[float]:
        """The probability of each label, by the raw scores of one text.

        In plain numbers: there are so few that numpy takes longer to begin than to be done.
        """
        share = self._shares(scores)
        found = [0.0] * len(self.labels)
        for head, lang, slope, offset, place in self._curves:
            found[place] += share[lang] * _sigmoid(slope * scores[head] + offset)
        return found

    @cached_property
    def _curves(self) -> tuple[tuple[int, str, float, float, int], ...]:
        """All calibrations in a row: head, language, slope, offset, and the label it counts for."""
        place = {label: i for i, label in enumerate(self.labels)}
        return tuple(
            (j, lang, slope, offset, place[head.label])
            for j, head in enumerate(self.heads)
            if head.label not in _APART
            for lang, (slope, offset) in head.slopes.items()
        )

    def languages(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Return the probability of each language for each text."""
        return [self._shares(row) for row in self.raw(texts).tolist()]

    def raw(self, texts: Sequence[str]) -> Floats:
        """Return the raw score of each text and head, shape (texts, heads).

        They are those that `scores` gives for the rows of the texts, but for what 32 bits round
        there.
        """
        return self._scorer.sums(texts) * self._scale + self._bias

    @cached_property
    def _scorer(self) -> Scorer:
        return Scorer(self.columns, self.weights)

    def scores(self, rows: Grams) -> Floats:
        """Return the raw score of each row and head, shape (rows, heads)."""
        out = np.zeros((len(rows.starts) - 1, len(self.heads)))
        for i, (start, end) in enumerate(zip(rows.starts, rows.starts[1:], strict=False)):
            if end > start:
                weights = self._rows[self._places[rows.columns[start:end]]]
                out[i] = rows.values[start:end] @ weights.astype(np.float32)
        return out * self._scale + self._bias

    @cached_property
    def _language(self) -> tuple[int, float, float]:
        """Head, slope and offset of what tells Portuguese from English.

        Raises:
            ValueError: if there is none.
        """
        for j, head in enumerate(self.heads):
            if head.name == LANGUAGE:
                (slope, offset), *_ = head.slopes.values()
                return j, slope, offset
        raise ValueError("the classifier has no language head")

    def _shares(self, scores: list[float]) -> dict[str, float]:
        """The probability of each language, by the raw scores of one text."""
        head, slope, offset = self._language
        pt = _sigmoid(slope * scores[head] + offset)
        return {"en": 1 - pt, "pt": pt}

    def save(self, directory: Path) -> dict[str, Digest]:
        """Write weights and card, plain arrays and JSON; return their digests by file name."""
        directory.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        steps = np.diff(self.columns, prepend=0)
        if len(steps) and steps.max() >= 2**16:
            raise ValueError("columns lie too far apart for sixteen-bit steps")
        np.savez_compressed(buffer, steps=steps.astype(np.uint16), weights=self.weights.T.copy())
        arrays = buffer.getvalue()
        content = {
            "form": FORM,
            "grams": _recipe(),
            "weights": digest_bytes(arrays),
            "heads": [
                {
                    "label": h.label,
                    "lang": h.lang,
                    "bias": h.bias,
                    "scale": h.scale,
                    "slopes": {k: list(v) for k, v in h.slopes.items()},
                }
                for h in self.heads
            ],
            "card": dict(self.card),
        }
        text = (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
        (directory / WEIGHTS).write_bytes(arrays)
        (directory / CARD).write_bytes(text)
        return {WEIGHTS: digest_bytes(arrays), CARD: digest_bytes(text)}

    @classmethod
    def load(
        cls, directory: Path | Traversable, *, digests: Mapping[str, Digest] | None = None
    ) -> TextHarm:
        """Return the classifier saved in a directory.

        Args:
            directory: where `save` wrote.
            digests: what `save` returned, if the caller kept it; the files must match.

        Raises:
            InputError: if a file is missing or is not what `save` writes.
            IntegrityError: if a file is not what its digest says.
        """
        blobs = {name: _blob(directory, name) for name in (WEIGHTS, CARD)}
        for name, blob in blobs.items():
            if digests is not None and digests.get(name) != digest_bytes(blob):
                raise IntegrityError(f"{name} of the harm classifier is not the recorded file")
        content = _content(blobs[CARD])
        if content["weights"] != digest_bytes(blobs[WEIGHTS]):
            raise IntegrityError(f"{WEIGHTS} does not belong to {CARD}")
        try:
            with np.load(io.BytesIO(blobs[WEIGHTS]), allow_pickle=False) as arrays:
                columns = np.cumsum(arrays["steps"].astype(np.int64))
                weights = np.ascontiguousarray(arrays["weights"].T)
            heads = tuple(
                TextHead(
                    label=h["label"],
                    lang=h["lang"],
                    bias=h["bias"],
                    scale=h["scale"],
                    slopes={k: (v[0], v[1]) for k, v in h["slopes"].items()},
                )
                for h in content["heads"]
            )
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise InputError([_misread(str(error))]) from error
        return cls(heads=heads, columns=columns, weights=weights, card=content["card"])


def _sigmoid(x: float) -> float:
    return 0.5 * (1.0 + tanh(0.5 * x))


@cache
def _embedded() -> TextHarm:
    """The shipped classifier; its digests stand in a file beside it, so that damage is noticed."""
    room = files("normwright.guard.text_harm") / "embedded"
    digests = json.loads((room / "digests.json").read_text(encoding="utf-8"))
    return TextHarm.load(room, digests=digests)


def _recipe() -> dict[str, Any]:
    """What makes the features; weights are of use with the very same ones alone."""
    made = "\n".join(form(text) for text in _PROBES)
    return {
        "buckets": BUCKETS,
        "chars": list(CHARS),
        "words": kinds_digest(),
        "form": digest_bytes(made.encode()),
    }


def _blob(directory: Path | Traversable, name: str) -> bytes:
    try:
        return (directory / name).read_bytes()
    except OSError as error:
        fault = Fault(
            where=name,
            expected="a file of a saved text-harm classifier",
            seen=error.strerror or type(error).__name__,
            do="Install the package again, or fit the classifier again.",
        )
        raise InputError([fault]) from error


def _content(blob: bytes) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(blob)
        made = (content["form"], content["grams"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError([_misread(str(error))]) from error
    if made != (FORM, _recipe()):
        raise InputError([_misread(f"{made}")])
    return content


def _misread(seen: str) -> Fault:
    return Fault(
        where=CARD,
        expected=f"the card of a classifier of form {FORM} with this version's features",
        seen=seen,
        do="Fit it again with this version.",
    )
