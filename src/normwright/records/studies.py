"""A study in which people compare two systems blind: what was planned, registered, and found."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import Field

from normwright.records.base import Digest, Frozen, Lang, Record, Text
from normwright.records.estimates import Estimate

Choice: TypeAlias = Literal["first", "second", "tie"]
"""What a rater says of two answers, of which they are not told whose they are."""

Claim: TypeAlias = Literal["superiority", "noninferiority", "equivalence"]


class StudyPlan(Record):
    """What a study is to show, and by how much work; written before anybody rates."""

    id: str
    systems: tuple[str, str]
    """The system the claim is about, and the one it is compared with."""
    claim: Claim = "superiority"
    margin: float = Field(default=0.0, ge=0, lt=0.5)
    """For noninferiority and equivalence: how far from one half the share may lie."""
    least_effect: float = Field(default=0.1, gt=0, lt=0.5)
    """The distance from one half that the study must be able to show."""
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """Two-sided for superiority; one-sided on each side otherwise."""
    raters: int = Field(ge=2)
    per_item: int = Field(default=2, ge=1)
    """Raters an item is given to."""
    question: Text = {}
    """What raters are asked, in every language."""


class StudyItem(Frozen):
    """One prompt with the answers of both systems."""

    id: str
    prompt: str
    first: str
    """Answer of the first system of the plan; raters see it in either place."""
    second: str
    lang: Lang | None = None


class SheetRow(Frozen):
    """One comparison as a rater sees it: nothing in it tells whose answer is whose."""

    row: str
    """A name for the row that is drawn, so that it does not tell the item either."""
    prompt: str
    first: str
    second: str
    lang: Lang | None = None


class Placed(Frozen):
    """What a row of a sheet hides: the key to a study, sealed until the ratings are in."""

    row: str
    rater: str
    item: str
    swapped: bool
    """The first system's answer stands second."""


class Registration(Record):
    """The seal on a study before it begins: digests of all that must not change afterwards."""

    outside_digest = frozenset({"at"})

    plan: Digest
    items: Digest
    sheets: Digest
    key: Digest
    """Of the key with its secret, so that the order cannot be chosen afterwards."""
    code: str
    """Version of what analyses it."""
    power: float | None
    """Chance to show the least effect, on the variances assumed; None where none were."""
    assumed: dict[str, float] = {}
    """Variances of one rating that the power rests on: between raters, items, and the rest."""
    at: str


class Rating(Frozen):
    """One person's judgement of one pair, in terms of the systems."""

    rater: str
    item: str
    share: float = Field(ge=0, le=1)
    """1 for the first system, 0 for the second, one half for a tie."""
    swapped: bool | None = None
    """The first system's answer stood second; None where nobody noted it."""
    longer: bool | None = None
    """The first system's answer was the longer; None where both were equally long."""
    acceptable: tuple[float, float] | None = None
    """Whether each answer would do at all, 0 or 1 (a mean where somebody was asked twice)."""


class StudyResult(Record):
    """What the ratings of one pair of systems show, beside what could have made it up."""

    study: str
    systems: tuple[str, str]
    claim: Claim
    margin: float
    alpha: float
    state: Literal["shown", "refuted", "open"]
    share: Estimate
    """Mean share of the first system, ties half; over new raters and new items."""
    naive: Estimate
    """The same as if all ratings were independent, to show what that would claim."""
    p_value: float | None = None
    """Two-sided, of a share of one half; adjusted where several pairs are claimed (Holm)."""
    wins: int
    ties: int
    losses: int
    raters: int
    items: int
    variances: dict[str, float]
    """Of one rating: between raters, between items, and the rest."""
    agreement: float | None
    """Krippendorff's alpha (interval); None where nothing was rated twice."""
    position: Estimate
    """Share of ratings for whatever stood first, ties half: one half without a leaning."""
    length: Estimate
    """Share of ratings for the longer answer."""
    acceptable: dict[str, Estimate] = {}
    """By system, and `difference`; empty where nobody was asked."""
    power: float | None
    """Chance that a study of this size shows the least effect, at the variances found."""
    confirmatory: bool
    """Registered before the first rating, and analysed as registered."""
    deviations: tuple[str, ...] = ()
    """What differs from what was registered, by key."""
    counts: dict[str, Any] = {}
