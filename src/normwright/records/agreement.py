"""How far rules agree on one question."""

from __future__ import annotations

from typing import Any

from normwright.records.base import Frozen, Record
from normwright.records.estimates import Estimate


class RuleAnswer(Frozen):
    """What one rule makes of a question, or why it does not answer."""

    rule: str
    """Slug of the rule."""
    tiers: tuple[tuple[str, ...], ...] = ()
    """Best first, those level together; empty where the rule refuses."""
    scores: dict[str, float] = {}
    facts: dict[str, Any] = {}
    """What a critic of the rule would ask for."""
    refused: str = ""
    """Why the rule does not apply; empty where it does."""


class Camp(Frozen):
    """Rules that choose the same winners."""

    winners: tuple[str, ...]
    rules: tuple[str, ...]


class Agreement(Record):
    """How far rules agree on one question, and whether the choice depends on the rule."""

    kind: str
    """Kind of the rules: `methods` or `compromises`."""
    alternatives: tuple[str, ...]
    n: int
    """Voters, or theories that are believed."""
    rows: tuple[RuleAnswer, ...]
    """Every rule that was asked, those that refuse among them."""
    pairs: int
    """Pairs of alternatives."""
    agreed: Estimate
    """Share of pairs that all rules which answer put in the same order, or all hold level. None
    where fewer than two rules answer, or there is no pair. In a resample to which a rule does not
    apply any share is possible, so that the interval is never narrower than what is known."""
    core: tuple[tuple[str, str], ...] = ()
    """Pairs that all rules which answer put in the same order, the better one first."""
    compared: tuple[str, ...] = ()
    """Rules that answer, in the order of `tau`."""
    tau: tuple[tuple[float | None, ...], ...] = ()
    """Kendall's tau-b between any two of `compared`; None where one holds everything level."""
    camps: tuple[Camp, ...] = ()
    """Rules by the winners they choose, the largest camp first."""
    depends: bool | None = None
    """Whether rules choose different winners; None where fewer than two answer."""
    depends_share: Estimate | None = None
    """Share of resamples of the voters in which they do; n is the number of resamples to which all
    rules apply. None where nothing was resampled."""
