"""The evidence one gate run looks at, and how a criterion finds its own piece of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Literal

from normwright.records import (
    Contrast,
    Criterion,
    Digest,
    Estimate,
    Judge,
    Measurement,
    Permit,
    Policy,
)
from normwright.release.wording import Number, Said, language_words, role_words, suite_words
from normwright.stats import lower_bound

CANDIDATE = "candidate"
"""In a criterion: the model that the mode would release."""

SUITES: dict[str, Literal["higher", "lower"]] = {
    "help": "higher",
    "permitted": "higher",
    "harm": "lower",
    "over-refusal": "lower",
    "bits-per-byte": "lower",
    "degeneracy": "lower",
    "attack": "lower",
    "attack-over-refusal": "lower",
}
"""Every suite a criterion may ask about, and which direction is better."""

ROLES: tuple[str, ...] = ("base", "tuned", "aligned", "guarded")
"""Roles a model may have in a criterion, beside the candidate."""


class Missing(Exception):
    """There is no evidence that could be used; the criterion becomes `missing`, never a pass."""

    def __init__(self, said: Said, evidence: tuple[Digest, ...] = ()) -> None:
        super().__init__(said.key)
        self.said = said
        self.evidence = evidence


@dataclass(frozen=True)
class Found:
    """What one criterion kind found, before it becomes a `CriterionResult`."""

    state: Literal["pass", "fail", "inconclusive"]
    reason: tuple[Said, ...]
    observed: float | None = None
    bound: float | None = None
    """The bound that decides: the far one for a pass, the near one for a fail."""
    side: Literal["upper", "lower"] = "upper"
    limit: float = 0.0
    n: int = 0
    n_needed: int | None = None
    evidence: tuple[Digest, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """Everything a criterion may look at in one mode (or for one control)."""

    measurements: tuple[Measurement, ...]
    contrasts: tuple[Contrast, ...]
    policy: Policy
    judges: Mapping[Digest, Judge]
    alpha: float
    """One-sided error of each criterion, already divided by the candidates tested."""
    mode: str
    subject: str
    """The role that `candidate` stands for."""
    digests: Mapping[str, Digest] = field(default_factory=dict)
    """Digest of the weights each role has now; evidence about others is stale."""
    permit: Permit | None = None
    """The permit that the models were trained under; None: the policy alone says what it covers."""
    unpermitted: tuple[str, ...] = ()
    """Models that were trained without a permit, by role."""
    resting: tuple[str, ...] = ()
    """Models that rest on rows of people who withdrew, by role."""

    def role(self, name: str) -> str:
        """Return the role a criterion's model stands for here."""
        return self.subject if name == CANDIDATE else name

    def measurement(self, criterion: Criterion) -> Measurement:
        """Return the one measurement a criterion asks for.

        Raises:
            Missing: if there is none, more than one, or it was made on other weights.
        """
        role = self.role(criterion.model)
        found = {
            m.digest: m
            for m in self.measurements
            if (m.suite, m.model, m.lang, m.norm)
            == (criterion.suite, role, criterion.lang, criterion.norm)
            and criterion.metric in (None, m.metric)
        }
        named = {"suite": suite_words(criterion.suite), "model": role_words(role)}
        if not found:
            raise Missing(Said("missing.measurement", {**named, "scope": _asked_of(criterion)}))
        if len(found) > 1:
            counted = {**named, "count": len(found)}
            raise Missing(Said("missing.several", counted), tuple(sorted(found)))
        digest, measurement = next(iter(found.items()))
        if measurement.model_digest != self.digests.get(role, measurement.model_digest):
            raise Missing(Said("missing.stale", named), (digest,))
        return measurement

    def contrast(self, criterion: Criterion) -> Contrast:
        """Return the one paired comparison a criterion asks for.

        Raises:
            Missing: if there is none or more than one.
        """
        role = self.role(criterion.model)
        found = {
            c.digest: c
            for c in self.contrasts
            if (c.suite, c.better, c.worse, c.lang, c.norm)
            == (criterion.suite, role, criterion.baseline, criterion.lang, criterion.norm)
        }
        named = {
            "suite": suite_words(criterion.suite),
            "model": role_words(role),
            "baseline": role_words(criterion.baseline),
        }
        if not found:
            raise Missing(Said("missing.contrast", {**named, "scope": _asked_of(criterion)}))
        if len(found) > 1:
            counted = {**named, "count": len(found)}
            raise Missing(Said("missing.several", counted), tuple(sorted(found)))
        return next(iter(found.values()))

    def judged_by(self, measurement: Measurement) -> Judge | None:
        """Return the judge that made a measurement's count, None where the check was exact.

        Raises:
            Missing: if a judge was used whose errors are not at hand.
        """
        if measurement.judge is None:
            return None
        judge = self.judges.get(measurement.judge)
        if judge is None:
            raise Missing(
                Said("missing.judge", {"suite": suite_words(measurement.suite)}),
                (measurement.digest,),
            )
        return judge

    def worst_rate(
        self,
        rates: Mapping[str, Estimate],
        measurement: Measurement,
        alpha: float,
    ) -> tuple[int, int]:
        """Return (hits, n) of a judge's rate in the language where its lower bound is least.

        A measurement over all languages is a mixture; the worst of them bounds the mixture.

        Raises:
            Missing: if the judge was never checked in one of the languages.
        """
        langs = (measurement.lang,) if measurement.lang else self.policy.charter.languages
        counts: list[tuple[int, int]] = []
        for lang in langs:
            rate = rates.get(lang)
            if rate is None or rate.value is None or rate.n == 0:
                said = Said(
                    "missing.judge_lang",
                    {"suite": suite_words(measurement.suite), "scope": _scope(lang)},
                )
                raise Missing(said, (measurement.digest,))
            counts.append((round(rate.value * rate.n), rate.n))
        return min(counts, key=lambda c: lower_bound(c[0], c[1], alpha))


def failed_units(measurement: Measurement) -> tuple[int, int] | None:
    """Return (units with at least one failure, units), or None if the measurement has no counts.

    The unit is the measurement's cluster, counted by `failed_units` and `units` in its details:
    answers to one template are not independent. Without a cluster every answer is a unit.
    """
    details = measurement.details
    if "failed_units" in details and "units" in details:
        return int(details["failed_units"]), int(details["units"])
    if measurement.count is not None and not measurement.cluster:
        return measurement.count, measurement.estimate.n
    return None


def bound_at(
    estimate: Estimate, alpha: float, side: Literal["upper", "lower"], *, least: float = 0.0
) -> float | None:
    """Return a one-sided bound from a two-sided interval, None where there is no interval.

    Where the interval's own tail is not wider than `alpha` its end is used as it is, which is
    conservative. A smaller `alpha` stretches the distance between value and end by the ratio of
    the normal quantiles, which is a plan for bootstrap intervals and kept within the possible.

    Args:
        estimate: the value with its interval.
        alpha: one-sided error.
        side: which bound.
        least: the least possible value, 0 for a rate and -1 for a difference of rates.
    """
    if estimate.value is None or estimate.interval is None:
        return None
    interval = estimate.interval
    end = interval.high if side == "upper" else interval.low
    tail = (1 - interval.level) / 2
    if tail <= alpha + 1e-12:
        return end
    stretch = NormalDist().inv_cdf(1 - alpha) / NormalDist().inv_cdf(1 - tail)
    return min(1.0, max(least, estimate.value + (end - estimate.value) * stretch))


def unit_words(measurement: Measurement) -> Said:
    """Return the word for a measurement's unit of independence."""
    return Said(f"unit.{measurement.cluster}", default="unit.")


def need(n_needed: int | None, unit: Said) -> Said:
    """Return the sentence that says how many units would settle a criterion."""
    if n_needed is None:
        return Said("need.none", {"unit": unit})
    return Said("need.more", {"n_needed": Number(n_needed, "count"), "unit": unit})


def _asked_of(criterion: Criterion) -> Said:
    """The languages a criterion asks about, and the norm if it asks about one alone."""
    scope = _scope(criterion.lang)
    if criterion.norm is None:
        return scope
    return Said("scope.norm", {"scope": scope, "norm": criterion.norm})


def _scope(lang: str | None) -> Said:
    return Said("scope.all") if lang is None else Said("scope.lang", {"lang": language_words(lang)})
