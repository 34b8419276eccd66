"""Weights of participants, what they cost and what they change."""

from __future__ import annotations

from normwright.records.base import Frozen
from normwright.records.estimates import Estimate


class MarginCheck(Frozen):
    """One value of one trait: its share in the population, among participants, and weighted."""

    trait: str
    value: str | None
    """None: those whose trait is not known. Nothing is declared of them and nothing imputed."""
    participants: int
    declared: float | None
    """Share of the population; None where `value` is."""
    unweighted: float
    """Share of the participants whose trait is known; of all, where `value` is None."""
    weighted: float
    """The same of their weights."""


class Weighting(Frozen):
    """How weights were made from declared margins, what they cost and what they cannot do."""

    participants: int
    margins: tuple[MarginCheck, ...]
    unreached: tuple[MarginCheck, ...]
    """Declared values that no participant has. No weight can represent them; their share was
    divided among the other values of the trait, in proportion."""
    cap: float | None
    """The largest weight allowed, the mean being 1; None: no cap."""
    capped: int
    """Participants whose weight is at the cap."""
    largest: float
    """The largest weight, the mean being 1."""
    smallest: float
    design_effect: float
    """Kish's n (sum of squared weights) / (sum of weights)^2: by how much weighting raises the
    variance of a share; 1 is no cost."""
    effective_n: float
    """participants / design_effect: what intervals of weighted shares have to be made from."""
    converged: bool
    """Whether the weights meet every margin that can be met, to one in a million."""
    gap: float
    """The largest difference between a weighted share and the one it should have."""
    rounds: int


class WeightedSupport(Frozen):
    """Support of one statement as it was given, and under weights beside it."""

    statement: str
    unweighted: Estimate
    """Share of those who saw the statement who agree."""
    weighted: Estimate
    """The same by weights; its interval is made from `effective_n`. n is the number of people."""
    effective_n: float
    """Kish's effective number of those who saw the statement."""
