"""A charter compiled for one deployment: what every stage below obeys."""

from __future__ import annotations

from typing import Any, Literal

from normwright.records.base import Frozen, Layer, Record, Text
from normwright.records.norms import Charter


class PolicyRule(Frozen):
    """One norm, compiled for a deployment."""

    norm: str
    """Reference of the norm."""
    layer: Layer
    force: Literal["constraint_hard", "constraint", "weight", "style"]
    """How learning treats it: hard constraint, constraint with a limit, reward weight, or style."""
    weight: float
    """severity x support, for pairs and rewards; in (0, 5]."""
    guard: Literal["deny", "ask", "transform", "none"]
    on_fail: Literal["block", "hold", "report"]
    limit: float
    """Highest violation rate the release criterion accepts."""
    statement: Text


class Policy(Record):
    """The charter compiled for one deployment: what every stage below obeys."""

    charter: Charter
    deployment: dict[str, Any]
    """Deployment profile: polities, languages, closed-world acts."""
    rules: tuple[PolicyRule, ...]
    system_prompt: Text
    permit_modes: tuple[str, ...]
    """Release modes the permit covers. A simulated process permits `internal` only."""
    permit_reason: Text
    """Why no more modes are permitted, in every charter language."""
    coverage: dict[str, dict[str, bool]]
    """Norm reference -> {guard, reward, evaluation, criterion} -> covered."""
