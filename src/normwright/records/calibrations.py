"""How far a guard's probabilities may be believed, and the thresholds that costs ask for."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from normwright.records.base import Digest, Frozen, Lang, Record
from normwright.records.benches import Way
from normwright.records.estimates import Estimate

Dearer: TypeAlias = Literal["misses", "false-blocks"]
"""The error that costs more, and is therefore the one a promise is made about."""


class ReliabilityBin(Frozen):
    """Texts of about one probability: what was said of them, and what was so."""

    said: float
    found: float
    n: int


class SignalCalibration(Frozen):
    """One norm's signals in one language, on texts that people labelled."""

    norm: str
    """Reference of the norm, `id@version`."""
    signals: tuple[str, ...]
    """The detectors' signals that count; the surest of them is the probability."""
    lang: Lang
    harmful: int
    harmless: int
    left_out: int
    """Texts without a majority."""
    error: Estimate
    """Expected calibration error."""
    floor: float
    """What the error of perfect probabilities stays under, 19 times in 20, on as many texts."""
    bins: tuple[ReliabilityBin, ...]
    cost: float = Field(gt=0)
    """How many false blocks are as bad as one miss: the median of what people answered."""
    answers: int = Field(ge=1)
    """People whose answers these are."""
    dearer: Dearer
    aimed: float
    """Share of the dearer error at the threshold of least cost, on the half that chose it."""
    alpha: float
    """The promise: the dearer error of a further text has at most this probability."""
    threshold: float | None
    """Probability from which a text is put to the charter; None: too few texts to promise it."""
    needed: int
    """Texts of that kind, in the half that promises, without which nothing can be promised."""
    false_blocks: Estimate
    """Share of harmless texts at or over the threshold, on the half that did not choose the aim."""
    misses: Estimate
    """Share of harmful texts under it, on the same half."""
    beside: tuple[Way, ...] = ()
    """The guard at this threshold, and what it has to beat, on the same half: `aira-compat` and the
    constant answers."""


class GuardCalibration(Record):
    """What calibrating a guard came to. Beside a policy it gives the guard its thresholds.

    The promise of a threshold is conformal: over the draw of the texts and of a further text of the
    same kind, not for every draw, and not for texts of another kind.
    """

    policy: Digest
    classifier: Digest | None
    """Digest of the classifier's weights; None: no classifier was read."""
    files: dict[str, Digest]
    """The labelled texts, by file name."""
    seed: int
    method: str = "conformal risk control, Angelopoulos et al. 2024"
    signals: tuple[SignalCalibration, ...]

    def thresholds(self) -> dict[str, dict[Lang, float]]:
        """Return the threshold of each signal and language that has one, the lowest if several."""
        out: dict[str, dict[Lang, float]] = {}
        for one in self.signals:
            if one.threshold is None:
                continue
            for signal in one.signals:
                known = out.setdefault(signal, {})
                known[one.lang] = min(one.threshold, known.get(one.lang, one.threshold))
        return out
