"""What learning is given of people's preferences, by a chosen rule."""

from __future__ import annotations

from typing import Literal

from normwright.records.base import Frozen, Record
from normwright.records.estimates import Estimate, Interval


class PairTarget(Frozen):
    """What a model is to learn of two alternatives: which is preferred, and how far."""

    about: str = ""
    """What the two are answers to: a norm, or a pair as its source names it; empty for ballots."""
    a: str
    b: str
    group: str | None = None
    """The group whose target it is; None: of all together."""
    probability: float | None
    """Probability that a is preferred, as the rule has it; None where it says nothing."""
    interval: Interval | None = None
    """Interval of that probability, people drawn again; None where they cannot be. A resample to
    which the rule does not apply leaves every probability possible; one in which it says nothing of
    the pair is passed over."""
    support: Estimate
    """Share of those who compared the two that prefer a, a tie counted half: the evidence itself,
    whatever the rule. Its n is the number of comparisons, or of people where they gave several."""
    weight: float
    """Comparisons of the two over the mean of all pairs: weighted so, a loss over pairs is the loss
    over single comparisons."""
    groups: dict[str, Estimate] = {}
    """The same share within each group."""


class GroupReward(Frozen):
    """What alternatives are worth to one group."""

    group: str | None
    """None: everybody."""
    rewards: dict[str, Estimate]
    """Share of its comparisons that an alternative wins, ties counted half: Borda's score where all
    rank all."""


class RuleDifference(Frozen):
    """How far another rule's targets are from those that were made."""

    rule: str
    refused: str = ""
    """Why it makes none here; empty where it does."""
    pairs: int = 0
    """Pairs of which both rules say something."""
    flipped: Estimate | None = None
    """Share of those whose preferred side is the other one."""
    moved: Estimate | None = None
    """Mean absolute difference of the probabilities."""
    variation: Estimate | None = None
    """Total variation distance of the two lotteries, where both are one."""


class Targets(Record):
    """What learning is given, by one rule, and how far other rules would have differed."""

    rule: str
    says: str
    """What the rule does with people's preferences, in words."""
    source: Literal["ballots", "comparisons", "outcome", "judged-pairs"]
    n: int
    """Voters, participants, or pairs where nobody is named."""
    targets: tuple[PairTarget, ...]
    rewards: tuple[GroupReward, ...] = ()
    lottery: dict[str, float] = {}
    """Probability of each alternative, where the rule makes a lottery."""
    differences: tuple[RuleDifference, ...] = ()
