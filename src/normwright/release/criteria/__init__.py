"""Criterion kinds, one file each. A kind looks at evidence and says pass, fail or inconclusive."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, cast

from normwright import plugins
from normwright.records import Criterion
from normwright.release.criteria import (
    attack_budget,
    comparing,
    elicitation_gap,
    equivalence,
    parity,
    predicate,
    rate_lower,
    rate_upper,
    sim_upper,
)
from normwright.release.evidence import Evidence, Found

__all__ = [
    "Rule",
    "attack_budget",
    "comparing",
    "elicitation_gap",
    "equivalence",
    "kinds",
    "parity",
    "predicate",
    "rate_lower",
    "rate_upper",
    "rule",
    "sim_upper",
]

Rule: TypeAlias = Callable[[Criterion, Evidence], Found]
"""What a criterion kind is: it finds its evidence and compares a bound with a limit."""


def kinds() -> tuple[str, ...]:
    """Return the names of all criterion kinds as a criteria file writes them, sorted."""
    return tuple(card.name.replace("-", "_") for card in plugins.cards("criteria"))


def rule(kind: str) -> Rule:
    """Return the rule of one kind.

    Raises:
        PluginError: if there is no such kind, or it is broken.
    """
    return cast(Rule, plugins.get("criteria", kind.replace("_", "-")))
