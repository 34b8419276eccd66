"""The evidence one gate run looks at, and how a criterion finds its own piece of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Literal, TypeAlias

from normwright.records import (
    Adjudication,
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


State: TypeAlias = Literal["pass", "fail", "inconclusive"]

_EPS = 1e-12
"""How inexact a bound may be: a limit that is met exactly counts as met."""


def state_of(upper: float, lower: float, limit: float) -> State:
    """Return pass if the upper bound is at or under the limit, fail if the lower one is over it."""
    if upper <= limit + _EPS:
        return "pass"
    return "fail" if lower > limit + _EPS else "inconclusive"


@dataclass(frozen=True)
class Found:
    """What one criterion kind found, before it becomes a `CriterionResult`."""

    state: State
    reason: tuple[Said, ...]
    observed: float | None = None
    bound: float | None = None
    """The bound that decides: the far one for a pass, the near one for a fail."""
    side: Literal["upper", "lower"] = "upper"
    limit: float = 0.0
    n: int = 0
    n_needed: int | None = None
    evidence: tuple[Digest, ...] = ()
    labels: Adjudication | None = None
    """The flags that people should look at, where that would decide."""


@dataclass(frozen=True)
class Expected:
    """What evidence that was brought as rows has to be about; what is None or empty is not asked.

    Times are texts in one form, in UTC, so that they compare as texts.
    """

    charter: str | None = None
    since: str | None = None
    """When the criteria were registered: evidence is later."""
    made: str | None = None
    """When the model was made: evidence about it is later."""
    until: str | None = None
    """When it is decided: evidence is earlier."""
    guard: str | None = None
    evalsets: Mapping[str, str] = field(default_factory=dict)
    """Metric -> digest of the items that must have been asked."""
    used: frozenset[str] = frozenset()
    """Item sets that other candidates were seen on, where a fresh one must confirm."""
    fresh: bool = False
    """Whether the one released must have been measured on items that no other candidate saw."""
    judges: Mapping[str, Digest] = field(default_factory=dict)
    """Name of a judge -> digest of its record."""


@dataclass(frozen=True)
class Evidence:
    """Everything a criterion may look at in one mode (or for one control)."""

    measurements: tuple[Measurement, ...]
    contrasts: tuple[Contrast, ...]
    policy: Policy | None
    """The charter enacted; None where evidence is decided on outside a project."""
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
    languages: tuple[str, ...] = ()
    """The languages that are asked about."""
    expected: Expected = field(default_factory=Expected)
    """What rows have to be about."""

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
            for m in self._about(criterion, role)
            if m.lang == criterion.lang and m.slice == criterion.slice
        }
        named = {"suite": suite_words(criterion.suite), "model": role_words(role)}
        if not found:
            raise Missing(Said("missing.measurement", {**named, "scope": asked_of(criterion)}))
        if len(found) > 1:
            counted = {**named, "count": len(found)}
            raise Missing(Said("missing.several", counted), tuple(sorted(found)))
        measurement = next(iter(found.values()))
        self.check(measurement, criterion)
        return measurement

    def cells(
        self,
        criterion: Criterion,
        *,
        role: str | None = None,
        asked: Iterable[str] = (),
        free: bool = False,
    ) -> dict[str | None, tuple[Measurement, ...]]:
        """Return the measurements a criterion is about, by language; None is all languages at once.

        Where there is none of all languages at once, every language that is asked about has to be
        there: what holds in each holds in all. Parts by any other key cannot stand for the whole,
        because nobody says that they are all of it.

        Args:
            criterion: what is asked.
            role: whose measurements; None: the criterion's own.
            asked: keys of slices by which the kind itself takes the parts apart.
            free: whether parts by other keys count too, as those of an attack that was varied.

        Raises:
            Missing: if there is none, a language is missing, two say different things about one
                part, or one is stale.
        """
        role = self.role(criterion.model) if role is None else role
        keys = {*criterion.slice, *asked}
        within = [
            m
            for m in self._about(criterion, role)
            if criterion.lang in (None, m.lang)
            and all(m.slice.get(key) == value for key, value in criterion.slice.items())
            and (free or set(m.slice) <= keys)
        ]
        found: dict[str | None, dict[tuple[tuple[str, str], ...], Measurement]] = {}
        named = {"suite": suite_words(criterion.suite), "model": role_words(role)}
        for m in within:
            part = tuple(sorted(m.slice.items()))
            kept = found.setdefault(m.lang, {}).setdefault(part, m)
            # A digest of many items takes a while, so that it is made only where it decides.
            if kept is not m and kept.digest != m.digest:
                both = tuple(sorted((kept.digest, m.digest)))
                raise Missing(Said("missing.several", {**named, "count": 2}), both)
        if not found:
            raise Missing(Said("missing.measurement", {**named, "scope": asked_of(criterion)}))
        langs = (None,) if criterion.lang is None and None in found else tuple(found)
        lost = set(self.languages) - set(found)
        if criterion.lang is None and None not in found and lost:
            told = {**named, "scope": _scope(min(lost))}
            raise Missing(
                Said("missing.measurement", told), tuple(sorted(m.digest for m in within))
            )
        for lang in langs:
            for m in found[lang].values():
                self.check(m, criterion)
        return {
            lang: tuple(found[lang][part] for part in sorted(found[lang]))
            for lang in sorted(langs, key=lambda one: one or "")
        }

    def _about(self, criterion: Criterion, role: str) -> Iterable[Measurement]:
        """Measurements of what a criterion asks, whatever part of it they are about."""
        named = by_name(criterion)
        for m in self.measurements:
            norm = m.norm == criterion.norm or (named and m.norm is None)
            asked = (m.suite, m.model) == (criterion.suite, role) and norm
            if asked and criterion.metric in (None, m.metric):
                yield m

    def current(self, measurement: Measurement) -> bool:
        """Say whether a measurement is of these weights, and its row about what is asked."""
        try:
            self.check(measurement)
        except Missing:
            return False
        return True

    def check(self, measurement: Measurement, criterion: Criterion | None = None) -> None:
        """Refuse a measurement of other weights, or whose row is about something else.

        Raises:
            Missing: which says of what.
        """
        role = measurement.model
        named = {"suite": suite_words(measurement.suite), "model": role_words(role)}
        if measurement.model_digest != self.digests.get(role, measurement.model_digest):
            raise Missing(Said("missing.stale", named), (measurement.digest,))
        if criterion and criterion.cluster and measurement.cluster != criterion.cluster:
            told = {
                **named,
                "unit": Said(
                    f"unit.{criterion.cluster}", {"name": criterion.cluster}, "unit.other"
                ),
                "seen": unit_words(measurement),
            }
            raise Missing(Said("missing.cluster", told), (measurement.digest,))
        if measurement.basis is not None:
            expected = self.expected
            if role != self.subject or role.startswith("control:"):
                # When the candidate was made, and on what others were seen, is no matter of theirs.
                expected = replace(expected, made=None, fresh=False)
            for what, wanted, seen in _stale(measurement, criterion, expected):
                about: dict[str, str | Said] = {**named, "wanted": wanted, "seen": seen}
                about["what"] = Said(f"basis.{what}")
                raise Missing(Said("missing.basis", about), (measurement.digest,))

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
            raise Missing(Said("missing.contrast", {**named, "scope": asked_of(criterion)}))
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
        langs = (measurement.lang,) if measurement.lang else self.languages
        counts: list[tuple[int, int]] = []
        if not langs:
            told = {"suite": suite_words(measurement.suite), "scope": _scope(None)}
            raise Missing(Said("missing.judge_lang", told), (measurement.digest,))
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


def part_text(value: object) -> str:
    """Return the value of a key of a slice in the one form in which values are compared.

    Numbers are written the same however they were given: 1e-05, 0.00001 and "1e-5".
    """
    try:
        return f"{float(str(value)):.12g}"
    except (ValueError, OverflowError):
        return str(value)


def by_name(criterion: Criterion) -> bool:
    """Say whether evidence is found by the metric's name alone, whatever norm it speaks for."""
    return criterion.metric is not None and criterion.metric == criterion.suite


def _stale(
    measurement: Measurement, criterion: Criterion | None, expected: Expected
) -> Iterable[tuple[str, str, str | Said]]:
    """What a row is about that is not what is asked: what, expected, seen."""
    basis, unsaid = measurement.basis, Said("basis.unsaid")
    assert basis is not None
    evalset = expected.evalsets.get(measurement.metric)
    pairs = [("charter", expected.charter, basis.charter), ("evalset", evalset, basis.evalset)]
    if basis.guard is not None:
        pairs.append(("guard", expected.guard, basis.guard))
    for what, wanted, found in pairs:
        if wanted is not None and found != wanted:
            yield what, wanted, found or unsaid
    judge = None if criterion is None else criterion.judge
    if judge is not None and measurement.judge != expected.judges.get(judge):
        yield "judge", judge, basis.judge or unsaid
    since = max((t for t in (expected.since, expected.made) if t), default=None)
    if since is not None and (basis.at is None or basis.at < since):
        yield "at", f"≥ {_moment(since)}", _moment(basis.at) if basis.at else unsaid
    if expected.until is not None and basis.at is not None and basis.at > expected.until:
        yield "at", f"≤ {_moment(expected.until)}", _moment(basis.at)
    if expected.fresh and (basis.evalset is None or basis.evalset in expected.used):
        yield "fresh", "–", basis.evalset or unsaid


def _moment(text: str) -> str:
    """Return a moment to the second."""
    return f"{text[:19]}Z"


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
    return Said(f"unit.{measurement.cluster}", {"name": measurement.cluster}, default="unit.other")


def need(n_needed: int | None, unit: Said) -> Said:
    """Return the sentence that says how many units would settle a criterion."""
    if n_needed is None:
        return Said("need.none", {"unit": unit})
    return Said("need.more", {"n_needed": Number(n_needed, "count"), "unit": unit})


def asked_of(criterion: Criterion) -> Said:
    """Return the words for the languages and part that a criterion asks about, and its norm."""
    scope = _scope(criterion.lang)
    if criterion.slice:
        parts = ", ".join(f"{key} {value}" for key, value in sorted(criterion.slice.items()))
        scope = Said("scope.slice", {"scope": scope, "slice": parts})
    if criterion.norm is None or by_name(criterion):
        return scope
    return Said("scope.norm", {"scope": scope, "norm": criterion.norm})


def _scope(lang: str | None) -> Said:
    return Said("scope.all") if lang is None else Said("scope.lang", {"lang": language_words(lang)})
