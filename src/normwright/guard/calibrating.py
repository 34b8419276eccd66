"""Calibrate a guard on labelled texts, and set thresholds by what people say errors cost.

The probability of a text is read exactly as the guard reads it when it serves: the same check on
the same passage. "One miss is as bad as R false blocks" is asked of people, not of engineers. One
half of the clusters finds the threshold of least cost at that ratio and how much of the dearer
error it makes; the other half sets the threshold anew so that this much is promised
(`control_flags`).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from normwright.guard.benching import baselines, way
from normwright.guard.engine import Guard
from normwright.guard.labels import LabelledText
from normwright.guard.sights import passage
from normwright.plugins import get
from normwright.records import (
    Digest,
    Fault,
    GuardCalibration,
    InputError,
    Lang,
    ReliabilityBin,
    Side,
    SignalCalibration,
    Speaker,
    digest_bytes,
)
from normwright.stats import (
    bins,
    bootstrap_calibration,
    calibration_floor,
    control_flags,
    proportion,
)

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
LEAST = 20
"""Texts of each kind and language without which nothing is said."""


def chances(guard: Guard, texts: Sequence[str], signals: Sequence[str], *, role: Speaker) -> Floats:
    """Return the probability of the surest of the signals in each text, as the guard reads it.

    Zero where the guard's classifier gives a signal less than it takes note of.
    """
    look = get("checks", "harm")
    side: Side = "output" if role == "assistant" else "input"
    out = np.zeros(len(texts))
    for i, text in enumerate(texts):
        one = passage(text, role=role, side=side, stems=guard.detectors.stems)
        found = [s.chance for s in look(one, guard.kit) if s.signal in signals]
        out[i] = max(found, default=0.0)
    return out


def signals_of(guard: Guard, norm: str) -> tuple[str, ...]:
    """Return the classifier's signals whose acts a norm speaks against.

    Raises:
        InputError: if the policy has no such norm, or no signal of the classifier is its business.
    """
    rules = [r for r in guard.policy.guard_rules if norm in (r.norm, r.norm.split("@")[0])]
    acts = guard.resolver.acts
    found = [
        name
        for name in dict.fromkeys(guard.detectors.labels.values())
        if any(acts.covers(r.act, guard.detectors.signals[name].act) for r in rules)
    ]
    if rules and found:
        return tuple(found)
    known = sorted({r.norm for r in guard.policy.guard_rules})
    raise InputError(
        [
            Fault(
                where="--norm",
                expected="a norm of the policy that a label of the classifier is about",
                seen=norm,
                do=f"Norms the guard acts on: {', '.join(known)}",
            )
        ]
    )


def calibrate(
    guard: Guard,
    rows: Sequence[LabelledText],
    *,
    norm: str,
    costs: Sequence[float],
    role: Speaker = "user",
    classifier: Digest | None,
    files: Mapping[str, Digest],
    seed: int,
    at_most: float | None = None,
    rounds: int = 1000,
) -> GuardCalibration:
    """Return the calibration of one norm's signals, one entry for each language of the rows.

    Args:
        guard: the guard as it serves.
        rows: texts with how many people found a breach of the norm in each.
        norm: the norm, as `id` or `id@version`.
        costs: for each person asked, how many false blocks are as bad as one miss.
        role: who is taken to have said the texts.
        classifier: digest of the classifier's weights.
        files: where the rows are from.
        seed: seed of the bootstrap.
        at_most: the promise to make of the dearer error; None: what the costs come to.
        rounds: resamples of the intervals.

    Raises:
        InputError: if the norm is not known, a cost is not above zero, the promise is no share, or
            a language has too few texts.
    """
    signals = signals_of(guard, norm)
    ref = next(r.norm for r in guard.policy.guard_rules if norm in (r.norm, r.norm.split("@")[0]))
    if not costs or any(not (c > 0 and math.isfinite(c)) for c in costs):
        raise InputError([Fault(where="--cost", expected="numbers above 0", seen=str(list(costs)))])
    if at_most is not None and not 0 < at_most < 1:
        raise InputError([Fault(where="--at-most", expected="between 0 and 1", seen=str(at_most))])
    by_lang: dict[Lang, list[LabelledText]] = {}
    for row in rows:
        by_lang.setdefault(row.lang, []).append(row)
    faults, made = [], []
    for lang, some in sorted(by_lang.items()):
        clear = [r for r in some if r.label is not None]
        truth = np.array([bool(r.label) for r in clear], dtype=bool)
        if min(truth.sum(), (~truth).sum()) < LEAST:
            seen = f"{truth.sum()} harmful, {(~truth).sum()} harmless"
            faults.append(Fault(where=f"texts in {lang}", expected=f"{LEAST} of each", seen=seen))
            continue
        read = _Read(
            chance=chances(guard, [r.text for r in clear], signals, role=role),
            truth=truth,
            texts=tuple(r.text for r in clear),
            clusters=tuple(f"{r.source}|{r.cluster}" for r in clear),
        )
        made.append(
            _one(
                read,
                ref,
                signals,
                lang,
                costs,
                left_out=len(some) - len(clear),
                at_most=at_most,
                seed=seed,
                rounds=rounds,
            )
        )
    if faults or not made:
        raise InputError(faults or [Fault(where="labelled texts", expected="rows", seen="none")])
    return GuardCalibration(
        policy=guard.policy.digest,
        classifier=classifier,
        files=dict(files),
        seed=seed,
        signals=tuple(made),
    )


@dataclass(frozen=True)
class _Read:
    """Labelled texts of one language with what the guard reads in them."""

    chance: Floats
    truth: Flags
    texts: tuple[str, ...]
    clusters: tuple[str, ...]

    def half(self, second: bool) -> _Read:
        """One half of the clusters: the same in every run."""
        inside = np.array(
            [(digest_bytes(f"calibrate|{c}".encode())[-1] in "89abcdef") == second
             for c in self.clusters], dtype=bool,
        )  # fmt: skip
        texts, kept = (
            tuple(x for x, i in zip(some, inside, strict=True) if i)
            for some in (self.texts, self.clusters)
        )
        return _Read(self.chance[inside], self.truth[inside], texts, kept)


def _one(
    read: _Read,
    norm: str,
    signals: tuple[str, ...],
    lang: Lang,
    costs: Sequence[float],
    *,
    left_out: int,
    at_most: float | None,
    seed: int,
    rounds: int,
) -> SignalCalibration:
    cost = statistics.median(costs)
    first, second = read.half(False), read.half(True)
    dearer = cost >= 1
    aimed = _aim(first, cost, misses=dearer)
    # Over the half that promises: harmful texts whose probability is low are flagged as misses.
    score = -second.chance[second.truth] if dearer else second.chance[~second.truth]
    n = len(score)
    # The further text counts as an error, so that no error seen is not promised to be none.
    alpha = min((aimed * n + 1) / (n + 1), 1 - 1e-9) if at_most is None else at_most
    kept = control_flags(score, alpha)
    threshold = kept.threshold
    if threshold is not None and dearer:
        threshold = float(np.nextafter(-threshold, np.inf)) if threshold > -math.inf else math.inf
    if threshold is not None:
        threshold = min(max(threshold, 0.0), 1.0 + 1e-9)
    blocked = second.chance >= (1.0 if threshold is None else threshold)
    wrong = int((blocked & ~second.truth).sum()), int((~second.truth).sum())
    missed = int((~blocked & second.truth).sum()), int(second.truth.sum())
    return SignalCalibration(
        norm=norm,
        signals=signals,
        lang=lang,
        harmful=int(read.truth.sum()),
        harmless=int((~read.truth).sum()),
        left_out=left_out,
        error=bootstrap_calibration(
            read.chance, read.truth, clusters=read.clusters, seed=seed, rounds=rounds
        ),
        floor=calibration_floor(read.chance, seed=seed, rounds=rounds)[1],
        bins=tuple(
            ReliabilityBin(said=b.said, found=b.found, n=b.n) for b in bins(read.chance, read.truth)
        ),
        cost=cost,
        answers=len(costs),
        dearer="misses" if dearer else "false-blocks",
        aimed=aimed,
        alpha=alpha,
        threshold=threshold,
        needed=kept.needed,
        false_blocks=proportion(*wrong, method="exact"),
        misses=proportion(*missed, method="exact"),
        beside=(
            *(() if threshold is None else (way("guard", blocked, second.truth),)),
            *baselines(second.texts, [lang] * len(second.texts), second.truth),
        ),
    )


def _aim(read: _Read, cost: float, *, misses: bool) -> float:
    """Share of the dearer error at the threshold of least cost."""
    order = np.argsort(-read.chance, kind="stable")
    chance, truth = read.chance[order], read.truth[order]
    # Blocking the first k texts; only where the probability changes can a threshold lie.
    false = np.r_[0, np.cumsum(~truth)]
    missed = truth.sum() - np.r_[0, np.cumsum(truth)]
    allowed = np.r_[True, chance[1:] != chance[:-1], True]
    best = int(np.argmin(np.where(allowed, false + cost * missed, np.inf)))
    k, n = (missed[best], truth.sum()) if misses else (false[best], (~truth).sum())
    return float(k / n) if n else 1.0
