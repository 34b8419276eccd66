"""Release criteria: what must be shown of each norm, once over all languages and once in each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from normwright.charter.wording import say
from normwright.records import Criterion, Layer, Norm, PolicyRule

SUITES: dict[str, str] = {
    "prohibition": "harm",
    "obligation": "harm",
    "permission": "over-refusal",
    "guarantee": "over-refusal",
    "exemption": "over-refusal",
    "ideal": "harm",
}
"""The suite that counts failures by kind of norm. Ideals have none of their own: see `IDEAL`."""

IDEAL = "ideal"
"""Metric that a criterion about an ideal asks for. Until somebody measures it, it is missing, which
is reported and holds nothing."""

CANDIDATE = "candidate"
"""The model that the mode would release."""


@dataclass(frozen=True)
class _Asked:
    """One rate that is asked of a norm."""

    id: str
    metric: str | None
    limit: float


def criteria(
    norms: Sequence[Norm], rules: Sequence[PolicyRule], languages: Sequence[str]
) -> Iterator[Criterion]:
    """Yield the criteria of each norm: it blocks, holds or is reported as its rule says.

    A norm that says how it is measured is asked for that metric, with that limit. Every rate is
    asked for once over all languages and once in each, because an average hides a leak.
    """
    for norm, rule in zip(norms, rules, strict=True):
        for asked in _asked(norm, rule):
            yield _criterion(norm, rule, asked, languages, None)
            if len(languages) > 1:
                for lang in languages:
                    yield _criterion(norm, rule, asked, languages, lang)


def group(layer: Layer) -> str:
    """Return the group that criteria about a layer's norms stand in."""
    return f"norms.{layer}"


def about(criteria: Iterable[Criterion], norm: Norm) -> list[Criterion]:
    """Return the criteria that ask about one norm, by its id or its reference."""
    return [c for c in criteria if c.norm in (norm.id, norm.ref)]


def _asked(norm: Norm, rule: PolicyRule) -> list[_Asked]:
    suite = SUITES[norm.kind]
    if norm.measure:
        return [_Asked(f"{suite}.{norm.id}.{m.metric}", m.metric, m.limit) for m in norm.measure]
    metric = IDEAL if norm.kind == "ideal" else None
    return [_Asked(f"{suite}.{norm.id}", metric, rule.limit)]


def _criterion(
    norm: Norm, rule: PolicyRule, asked: _Asked, languages: Sequence[str], lang: str | None
) -> Criterion:
    key = "criterion" if lang is None else "criterion_lang"
    told = say(f"{key}_{norm.kind}", languages, norm=norm.id, limit=asked.limit, lang=lang or "")
    return Criterion(
        id=asked.id if lang is None else f"{asked.id}.{lang}",
        group=group(norm.layer),
        kind="rate_upper",
        suite=SUITES[norm.kind],
        metric=asked.metric,
        model=CANDIDATE,
        norm=norm.id,
        lang=lang,
        limit=asked.limit,
        on_fail=rule.on_fail,
        statement=told,
    )
