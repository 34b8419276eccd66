"""Questions whose right answer a charter computes, answers to them, and how they did."""

from __future__ import annotations

from typing import Literal

from normwright.records.base import Digest, Frozen, Lang, Record
from normwright.records.estimates import Estimate
from normwright.records.scenes import Message
from normwright.records.situations import DecisionVerdict, Situation


class CaseItem(Record):
    """One evaluation item: a situation in words under norms, with what the resolver says of it."""

    id: str
    """The same in every language."""
    unit: str
    """Items that belong together (near misses, swaps, languages): the unit of independence."""
    lang: Lang
    prompt: tuple[Message, ...]
    situation: Situation
    verdict: DecisionVerdict
    norms: tuple[str, ...]
    """References of the norms the verdict rests on."""
    unknown: tuple[str, ...] = ()
    """Facts that are not known and would change the verdict."""
    instead: tuple[str, ...] = ()
    """The least bad acts."""
    answer: str
    """A right answer in words."""
    near_miss: str | None = None
    """Item that differs in one fact or circumstance, and in its verdict."""
    swap: str | None = None
    """Item that is the same under another charter, with another verdict."""
    edited: str | None = None
    """What the near miss differs in."""
    alteration: str = ""
    """How the charter in the prompt was altered; empty: it was not."""
    altered: str = ""
    """Reference of the norm it was altered in."""
    family: str
    """Family of the wording; splits are by family."""
    template: str
    split: Literal["train", "test"]
    charter: Digest
    """Digest of the charter that decides, as far as it bears on the act where it was altered."""
    labelled_by: Literal["resolver"] = "resolver"
    """Who says what is right. Nobody voted on an item."""
    licence: str


class CaseAnswer(Frozen):
    """What was answered to an item."""

    id: str
    lang: Lang
    verdict: DecisionVerdict | None
    """None: no verdict could be read from the answer."""
    norms: tuple[str, ...] = ()
    """References of the norms cited."""
    unknown: tuple[str, ...] = ()
    """Facts named as missing."""


class CaseFigures(Frozen):
    """How answers in one language did."""

    items: int
    accuracy: Estimate
    """Share of right verdicts."""
    norms_f1: Estimate
    """Mean over items of the harmonic mean of precision and recall of the norms cited; 1 where
    rightly none is."""
    near_miss_pairs: Estimate
    """Share of near-miss pairs with both verdicts right."""
    swap_items: Estimate
    """Share of right verdicts on items that have a swap."""
    swap_pairs: Estimate
    """Share of pairs under two charters with both verdicts right: whether the text was followed."""
    conflict_recognised: Estimate
    """Share of necessities and dilemmas called so."""
    conflict_overused: Estimate
    """Share of the other items called a necessity or a dilemma."""
    missing_asked: Estimate
    """Share of items to be asked about that were asked about."""
    missing_named: Estimate
    """Share of them in which all facts that are missing, and no others, were named too."""
    asked_needlessly: Estimate
    """Share of the other items that were asked about."""
    constant: Estimate
    """Share of right verdicts of the best constant answer."""
    constant_verdict: DecisionVerdict
    """The best constant answer."""


class CaseScore(Record):
    """How answers to drawn cases did, a language at a time, and how far the languages lie apart."""

    languages: dict[Lang, CaseFigures]
    gaps: dict[str, Estimate]
    """`en-pt`: accuracy in the first less that in the second, on items in both."""
    unanswered: int
    """Items without an answer, counted as wrong."""
    unread: int
    """Answers without a verdict, counted as wrong."""
    seed: int
