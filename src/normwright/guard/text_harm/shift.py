"""Tell whether texts are of a kind the harm classifier was fitted on, one by one and as a stream.

A classifier's probability means what it was measured to mean on texts like those it was measured
on. The score of a text is its mean surprise: how rare its n-grams were among the texts that were
learned from, blocks of characters, words and classes alike, less what its length explains. Its
p-value compares it with texts of the same sources that were held out. A stream is watched by a
test that multiplies evidence and starts anew, whose false alarms are bounded on average.

High surprise is not harm, and a text in a known style on an unknown subject need not surprise.
"""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from normwright.guard.text_harm.fit import HarmRow, features_of
from normwright.guard.text_harm.grams import BUCKETS, Grams, form, grams
from normwright.records import Digest, IntegrityError, digest_bytes
from normwright.stats.conformal import bet, conformal_p, lasting_p

WEIGHTS = "shift.npz"
EACH = 300
"""Most held-out texts of one source in the reference, so that no source decides what is usual."""
RARE = 3
"""Columns met in fewer texts count as never met."""
DELTA = 0.01
"""Chance, over the draw of the reference, that the p-values of a stream do not hold."""
_HELD = 3
"""Fold that the reference is drawn from; the others are counted."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Shift:
    """Surprise of texts against those that were learned from."""

    levels: NDArray[np.uint8]
    """Twice the binary logarithm of one plus the number of texts, for each bucket."""
    texts: int
    """Texts that were counted."""
    curve: tuple[float, float, float]
    """Mean surprise by 1, log length, and its square."""
    spread: float
    """Standard deviation around it."""
    reference: Floats
    """Scores of held-out texts, ascending."""

    @classmethod
    def embedded(cls) -> Shift:
        """Return the detector that is shipped beside the classifier.

        Raises:
            IntegrityError: if the file is not what was shipped.
        """
        return _embedded()

    def score(self, texts: Sequence[str]) -> Floats:
        """Return how surprising each text is for its length, in standard deviations."""
        return self.score_of(grams([form(t) for t in texts]))

    def score_of(self, rows: Grams) -> Floats:
        """Return the score of texts whose n-grams are at hand."""
        return (_surprise(rows, self.levels, self.texts) - _by_length(rows, self.curve)) / (
            self.spread
        )

    def p(self, texts: Sequence[str]) -> Floats:
        """Return the conformal p-value of each text; see `stats.conformal_p` for what holds."""
        return conformal_p(self.reference, self.score(texts))

    def evidence(self, texts: Sequence[str]) -> Floats:
        """Return the e-value of each text of a stream, to be given to `stats.alarms`."""
        return self.evidence_of(self.score(texts))

    def evidence_of(self, scores: Floats) -> Floats:
        """Return the e-values of scores."""
        return bet(lasting_p(self.reference, scores, delta=DELTA))

    def save(self, directory: Path) -> dict[str, Digest]:
        """Write the arrays and return their digest by file name."""
        directory.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            levels=self.levels,
            texts=np.int64(self.texts),
            curve=np.array([*self.curve, self.spread]),
            reference=self.reference,
        )
        (directory / WEIGHTS).write_bytes(buffer.getvalue())
        return {WEIGHTS: digest_bytes(buffer.getvalue())}

    @classmethod
    def load(cls, directory: Path | Traversable, digest: Digest) -> Shift:
        """Return the detector saved in a directory.

        Raises:
            IntegrityError: if the file is not the one of that digest.
        """
        blob = (directory / WEIGHTS).read_bytes()
        if digest_bytes(blob) != digest:
            raise IntegrityError(f"{WEIGHTS} is not the recorded file")
        with np.load(io.BytesIO(blob), allow_pickle=False) as arrays:
            a, b, c, spread = arrays["curve"].tolist()
            return cls(
                levels=arrays["levels"],
                texts=int(arrays["texts"]),
                curve=(a, b, c),
                spread=spread,
                reference=arrays["reference"],
            )


@cache
def _embedded() -> Shift:
    room = files("normwright.guard.text_harm") / "embedded"
    digests = json.loads((room / "digests.json").read_text(encoding="utf-8"))
    return Shift.load(room, digests[WEIGHTS])


def fit_shift(
    rows: Sequence[HarmRow],
    *,
    leave_out: frozenset[str] = frozenset(),
    features: Grams | None = None,
) -> Shift:
    """Return the detector fitted on the learned part of the rows, without the sources left out.

    Three folds are counted, the fourth is the reference. Sentences written to be learned from are
    no sample of anything and are left out as well.
    """
    whole = features or features_of(rows)
    counted: list[int] = []
    held: dict[str, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        if row.part != "learn" or not row.measured or row.source in leave_out:
            continue
        if row.fold != _HELD:
            counted.append(i)
        elif len(held[row.source]) < EACH:
            held[row.source].append(i)
    found = whole.taken(counted)
    df = np.bincount(found.columns, minlength=BUCKETS)
    df[df < RARE] = 0
    levels = np.rint(2 * np.log2(1 + df)).astype(np.uint8)
    usual = whole.taken([i for one in held.values() for i in one])
    surprise = _surprise(usual, levels, len(counted))
    basis = _basis(usual)
    curve = np.linalg.lstsq(basis, surprise, rcond=None)[0]
    rest = surprise - basis @ curve
    spread = float(rest.std()) or 1.0
    a, b, c = curve.tolist()
    return Shift(
        levels=levels,
        texts=len(counted),
        curve=(a, b, c),
        spread=spread,
        reference=np.sort(rest / spread),
    )


def _surprise(rows: Grams, levels: NDArray[np.uint8], texts: int) -> Floats:
    """Mean of -log2 of the share of texts a column was met in, blocks weighing alike."""
    most = np.log2(texts + 1)
    each = rows.values.astype(np.float64) ** 2
    sums = np.zeros((2, len(rows.starts) - 1))
    owner = np.repeat(np.arange(len(rows.starts) - 1), np.diff(rows.starts))
    rare = most - levels[rows.columns] / 2
    sums[0] = np.bincount(owner, weights=each * rare, minlength=sums.shape[1])
    sums[1] = np.bincount(owner, weights=each, minlength=sums.shape[1])
    # A text without any n-gram says nothing; it is as surprising as can be.
    mean = sums[0] / np.maximum(sums[1], 1e-12)
    return np.asarray(np.where(sums[1] > 0, mean, most), dtype=np.float64)


def _basis(rows: Grams) -> Floats:
    size = np.log1p(np.diff(rows.starts))
    return np.stack([np.ones_like(size), size, size**2], axis=1)


def _by_length(rows: Grams, curve: tuple[float, float, float]) -> Floats:
    return np.asarray(_basis(rows) @ np.array(curve))
