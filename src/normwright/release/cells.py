"""A criterion over several parts of the items: the worst of them decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias, TypeVar

from normwright.records import Digest, Measurement
from normwright.release.evidence import Found, Missing
from normwright.release.wording import Said, language_words

Part = TypeVar("Part")


def worst(
    cells: Iterable[Part],
    decide: Callable[[Part], Found],
    words: Callable[[Part], Said | str],
    *,
    absent: Iterable[str] = (),
) -> Found:
    """Return what is found over several parts: the worst one, with the evidence of all.

    A part that fails decides, whatever the others are; then one without evidence; then the one
    that is furthest from its limit. A claim about the worst part is one about every part, so each
    is tested at the full error (intersection-union, Berger 1982).

    Args:
        cells: the parts; at least one.
        decide: what is found of one alone.
        words: what one is called.
        absent: parts that had to be there and are not, in words.

    Raises:
        Missing: if no part fails, and one of them has no evidence that could be used.
    """
    found: list[tuple[Part, Found]] = []
    missing: list[Missing] = []
    for cell in cells:
        try:
            found.append((cell, decide(cell)))
        except Missing as one:
            missing.append(one)
    digests = tuple(dict.fromkeys(d for _, one in found for d in one.evidence))
    failed = [(cell, one) for cell, one in found if one.state == "fail"]
    if not failed:
        if missing:
            raise missing[0]
        if lost := list(absent):
            raise Missing(Said("missing.cells", {"cells": ", ".join(lost)}), digests)
    cell, tightest = min(failed or found, key=lambda pair: _rank(pair[1]))
    if len(found) == 1:
        return tightest
    said = (Said("cells.worst", {"cell": words(cell), "count": len(found)}),)
    return replace(tightest, reason=(*said, *tightest.reason), evidence=_all(digests, tightest))


Group: TypeAlias = tuple[str | None, tuple[Measurement, ...]]
"""A language, or all of them, with the measurements in it."""


def over_languages(
    cells: Mapping[str | None, tuple[Measurement, ...]],
    decide: Callable[[tuple[Measurement, ...]], Found],
) -> Found:
    """Return what is found in the worst language.

    Args:
        cells: the measurements by language.
        decide: what is found of those of one language.

    Raises:
        Missing: as `worst` does.
    """
    groups: list[Group] = list(cells.items())
    return worst(groups, lambda group: decide(group[1]), _language)


def _language(group: Group) -> Said | str:
    return Said("scope.all") if group[0] is None else language_words(group[0])


def part_words(measurement: Measurement) -> Said | str:
    """Return the words for the part of the items that a measurement is of."""
    parts = [f"{key} {value}" for key, value in sorted(measurement.slice.items())]
    if measurement.lang is None:
        return ", ".join(parts) or Said("scope.all")
    if not parts:
        return language_words(measurement.lang)
    return Said(
        "scope.slice", {"scope": language_words(measurement.lang), "slice": ", ".join(parts)}
    )


def _rank(found: Found) -> tuple[int, float]:
    order = {"fail": 0, "inconclusive": 1, "pass": 2}[found.state]
    if found.bound is None:
        return order, 0.0
    over = found.bound - found.limit
    # The further an upper bound lies over its limit, or a lower one under it, the worse.
    return order, -over if (found.side == "upper") == (found.state != "fail") else over


def _all(digests: tuple[Digest, ...], found: Found) -> tuple[Digest, ...]:
    return tuple(dict.fromkeys((*digests, *found.evidence)))
