"""What is chosen under normative uncertainty, what would turn it, and why not to act on it."""

from __future__ import annotations

from typing import Literal, TypeAlias

from normwright.records.agreement import Agreement
from normwright.records.base import Frozen, Record
from normwright.records.estimates import Estimate

DoubtKind: TypeAlias = Literal[
    "tie",
    "unanswered",
    "vetoed",
    "veto-unknown",
    "rules-differ",
    "little-turns",
    "copies-turn",
    "people-turn",
]


class Believed(Frozen):
    """One theory and how far it is believed."""

    theory: str
    credence: float
    scale: str
    """What its numbers mean: `ordinal`, `interval` or `ratio`, as somebody said."""


class TurningPoint(Frozen):
    """How far the credence of one theory may move before the choice turns.

    The others share what it gains or loses in proportion to what they are believed.
    """

    theory: str
    credence: float
    """What it is believed."""
    at: float | None
    """Credence at which the choice turns, to within 1e-6; None: nowhere on this side, or, on the
    lower side of a theory that is believed alone, nobody says who is believed instead."""
    move: float | None
    """`at` less `credence`: above 0 if it has to be believed more."""
    side: Literal["more", "less"]
    winners: tuple[str, ...] = ()
    """What is chosen just beyond; several where they are level."""


class CopyTurn(Frozen):
    """A choice that turns where an option is listed twice."""

    option: str
    winners: tuple[str, ...]
    """What is chosen then, without the copy's name."""


class RuleChoice(Frozen):
    """What one rule chooses, and what it would take to turn that."""

    rule: str
    counts: bool
    """Whether the rule counts for acting: its card claims that no theory which is hardly believed
    overturns its choice."""
    winners: tuple[str, ...] = ()
    """Several where they are level; none where the rule refuses."""
    refused: str = ""
    turns: tuple[TurningPoint, ...] = ()
    """Of rules that count and choose one option: each theory, believed more and less."""
    room: float | None = None
    """Credence at which a theory nobody named, whatever its numbers, could turn the choice, to
    within 1e-6 from below; None where there is no single choice, or nothing else to choose."""
    copies: tuple[CopyTurn, ...] = ()
    """Options that turn the choice if they are listed twice."""


class Doubt(Frozen):
    """One reason not to act on the choice."""

    kind: DoubtKind
    rules: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


class UncertainChoice(Record):
    """What is chosen under normative uncertainty, and whether it is robust enough to act on."""

    options: tuple[str, ...]
    theories: tuple[Believed, ...]
    comparable: bool
    """Whether somebody said that a unit of worth is the same in all theories."""
    rule: str
    """Slug of the rule whose choice is told."""
    veto: str
    """Slug of the rule that may forbid it."""
    chosen: tuple[str, ...]
    """What the rule chooses; several where they are level, none where it does not answer."""
    act: str | None
    """The option to act on; None: people have to decide, for the reasons in `doubts`."""
    doubts: tuple[Doubt, ...] = ()
    little: float
    """Credence up to which no theory nobody named may turn a choice that is acted on."""
    rules: tuple[RuleChoice, ...]
    """Every rule that was asked, those that refuse among them."""
    stays: Estimate | None = None
    """Share of resamples of the people whose beliefs the credences are that choose the same; n is
    the number of resamples. None where nobody said how many people they are, or options are
    level."""
    people: int | None = None
    agreement: Agreement
    """How far the rules agree, those that do not count among them."""


__all__ = ["Believed", "CopyTurn", "Doubt", "DoubtKind", "RuleChoice", "TurningPoint",
           "UncertainChoice"]  # fmt: skip
