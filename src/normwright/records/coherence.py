"""Verdicts on linked statements: whether they can all stand, and how to mend them if not."""

from __future__ import annotations

from typing import Any, Literal

from normwright.records.base import Frozen, Record
from normwright.records.estimates import Estimate


class Judgement(Frozen):
    """What a majority makes of one statement."""

    statement: str
    agree: int
    disagree: int
    open: int
    """People who voted on some statement and neither agree nor disagree with this one: passes, and
    those who did not see it. They do not count as rejecting it."""
    verdict: Literal["accepted", "rejected", "open"]
    """`open`: the votes do not reach the majority asked for either way."""
    support: Estimate
    """agree / (agree + disagree), with its interval."""


class Dilemma(Frozen):
    """Verdicts that cannot all stand, and of which any one less could."""

    verdicts: dict[str, bool]
    """Statement -> whether it was accepted."""
    constraints: tuple[int, ...]
    """Numbers of links, from 0, that suffice to exclude these verdicts together."""
    weakest: tuple[str, ...]
    """Statements among them with the least margin."""
    margin: int
    """That margin: agreements less disagreements, either way."""


class Repair(Frozen):
    """Verdicts that can all stand, and what it takes to have them."""

    rule: Literal["distance", "premises"]
    verdicts: dict[str, bool | None]
    """None: open, for nothing settles it."""
    flipped: tuple[str, ...]
    """Statements whose verdict is not that of the majority."""
    cost: int
    """Margins of those added up: how many single judgements of people it goes against, net."""


class Coherence(Record):
    """Whether majority verdicts on linked statements can all stand, and how to mend them if not."""

    constraints: tuple[Any, ...]
    """The links, as data."""
    quota: str
    """The share of agreements among agreements and disagreements that a verdict must exceed."""
    voters: int
    """People who agree or disagree with at least one statement that stands in a link."""
    judgements: tuple[Judgement, ...]
    consistent: bool
    dilemmas: tuple[Dilemma, ...] = ()
    """Every minimal set of verdicts that cannot all stand."""
    all_dilemmas: bool = True
    """False: there are more than the limit that was asked for."""
    repairs: tuple[Repair, ...] = ()
    """Every set of verdicts that can stand and goes against the least margins: all of them if the
    majority's own verdicts can stand, which then are the only one."""
    all_repairs: bool = True
    premises: Repair | None = None
    """The majority's verdicts on the premises, with what follows; None where none were named, or
    they cannot all stand themselves."""
    individuals: Estimate
    """Share of the voters whose own judgements can all stand."""
    individuals_whole: Estimate
    """The same among those who agree or disagree with every statement that stands in a link."""
    inconsistent: Estimate
    """Share of resamples of the voters in which the verdicts cannot all stand; n is the number of
    resamples."""
