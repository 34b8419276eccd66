"""Grades for rules that compare levels: on the common scale if there is one, else in each range."""

from __future__ import annotations

from typing import Any

from normwright.aggregate.compromises import Exact, Theories

SHARED = "the scale that all theories share"
RANGES = "each theory from 0 for its worst option to 1 for its best"


def graded(theories: Theories, *, what: str) -> tuple[Theories, tuple[Exact, ...], dict[str, Any]]:
    """Return the theories that tell options apart, their grades, and the facts of how it was done.

    Raises:
        Inapplicable: where a believed theory only orders options: a place in an order is no grade.
    """
    theories.cardinal(what)
    held, level = theories.discerning()
    grades = held.worth if held.comparable else held.spanned
    facts: dict[str, Any] = {"scale": SHARED if held.comparable else RANGES, "indifferent": level}
    return held, grades, facts
