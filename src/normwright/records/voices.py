"""What people said: statements, votes, comparisons, rankings, judgements and annotations."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Self, TypeAlias

from pydantic import Field

from normwright.records.base import Digest, Frozen, Lang, Layer, ProcessKind, Record, Text
from normwright.records.crowds import Crowd, Runs
from normwright.records.scenes import Message

Stance: TypeAlias = Literal["agree", "disagree", "pass"]
"""A vote. A statement that was not seen has no vote at all: missing is not pass."""


class Statement(Record):
    """A sentence people vote on."""

    id: str
    """Slug, unique in the process."""
    text: Text
    """The statement in every language it was shown in."""
    layer: Layer
    """The layer at which it is decided."""
    authority: str
    """The polity whose participants decide it."""
    norm: str | None = None
    """The norm id this statement speaks about, if it speaks about one."""
    endorses: bool = True
    """True if agreeing supports the norm as written, False if agreeing opposes it."""
    concern: str | None = None
    """A concern tag, for example `privacy`."""


class Vote(Record):
    """One participant's answer to one statement. The last one counts."""

    participant: str
    statement: str
    value: Stance
    at: int = 0
    """Seconds since the epoch; 0 when the source did not record it."""


class Comparison(Record):
    """One participant's choice between two answers to the same scene."""

    participant: str
    scene: str
    """Id of the scene whose two answers were compared."""
    norm: str
    """The norm the two answers differ on."""
    authority: str
    """The polity in whose name the comparison was asked."""
    choice: Literal["perform", "decline", "tie"]
    """Which answer was preferred: the one that does the act, the one that declines, or neither."""
    at: int = 0


RankedTiers: TypeAlias = tuple[tuple[str, ...], ...]
"""Alternatives in tiers, best first; those in one tier are level."""

Unranked: TypeAlias = Literal["last", "apart"]
"""What an alternative that a ballot leaves out is: below all that it ranks, or not compared."""


class Ballot(Record):
    """A ranking with ties: tiers of alternatives, best first. What is left out is unranked."""

    participant: str
    tiers: RankedTiers


@dataclass(frozen=True)
class Ballots:
    """Many rankings at once: every order once, and for each ballot its voter and its order.

    Few of many voters have an order of their own, so this stays small where one `Ballot` each
    would not.
    """

    orders: tuple[RankedTiers, ...] = ()
    voters: Sequence[str] = ()
    """The participant of each ballot; one may have given several, as in paired comparisons."""
    chosen: Sequence[int] = ()
    """The number of the order of each ballot."""
    categories: tuple[str, ...] = ()
    """Names of the categories people sorted into, the first the best: tier k of every order is
    category k, and an empty tier is one into which nothing was put. None: tiers are ranks, and no
    tier is empty."""

    @classmethod
    def of(cls, ballots: Iterable[tuple[str, RankedTiers]]) -> Self:
        """Return the ballots given as voter and tiers, in their order."""
        number: dict[RankedTiers, int] = {}
        voters, chosen = [], []
        for voter, tiers in ballots:
            voters.append(voter)
            chosen.append(number.setdefault(tiers, len(number)))
        return cls(tuple(number), tuple(voters), tuple(chosen))

    @classmethod
    def counted(
        cls, counts: Mapping[RankedTiers, int], *, categories: tuple[str, ...] = ()
    ) -> Self:
        """Return ballots of anonymous voters, one each, from how many gave each order."""
        given = tuple(counts.values())
        chosen = Runs(tuple(range(len(given))), given)
        return cls(tuple(counts), Crowd(sum(given)), chosen, categories)

    @property
    def counts(self) -> tuple[int, ...] | None:
        """How many gave each order, where nobody is named; None where voters have names.

        What is counted needs no voter looked at, however many there are.
        """
        if not (isinstance(self.voters, Crowd) and isinstance(self.chosen, Runs)):
            return None
        told = [0] * len(self.orders)
        for number, count in zip(self.chosen.values, self.chosen.counts, strict=True):
            told[number] += count
        return tuple(told)

    def without(self, gone: Callable[[str], bool], alternatives: Collection[str]) -> Self:
        """Return the ballots of all other voters, without some alternatives.

        Args:
            gone: says of a voter whether their ballots go.
            alternatives: what is taken out of the ballots that stay.
        """
        if not len(self):
            return self
        stays = bool(self.categories)
        kept = (
            (voter, tuple(t for t in (_left(tier, alternatives) for tier in tiers) if t or stays))
            for voter, tiers in self
            if not gone(voter)
        )
        left = self.of((voter, tiers) for voter, tiers in kept if any(tiers))
        return replace(left, categories=self.categories)

    def __len__(self) -> int:
        return len(self.voters)

    def __iter__(self) -> Iterator[tuple[str, RankedTiers]]:
        return ((v, self.orders[k]) for v, k in zip(self.voters, self.chosen, strict=True))


def _left(tier: tuple[str, ...], alternatives: Collection[str]) -> tuple[str, ...]:
    return tuple(one for one in tier if one not in alternatives)


NO_BALLOTS = Ballots()
"""Nobody ranked anything."""


class Annotation(Record):
    """What one person said of one thing in one respect, for example how toxic a text is."""

    rater: str | None
    """Who said so; None where the source names nobody."""
    item: str
    aspect: str
    """In which respect, for example `toxicity`."""
    value: str
    """The label or number, as the source writes it."""
    count: int = Field(default=1, ge=1)
    """How many said so, where nobody is named."""


def _numbers() -> array[int]:
    return array("q")


@dataclass(frozen=True)
class Annotations:
    """Many annotations at once, as columns of numbers: a million are a few arrays.

    Annotation k was made by `raters[rater[k]]` (-1: nobody is named), of `items[item[k]]`, in the
    respect `aspects[aspect[k]]`, with `values[value[k]]`. The arrays are not changed once made.
    """

    raters: tuple[str, ...]
    items: tuple[str, ...]
    aspects: tuple[str, ...]
    values: tuple[str, ...]
    """Every label or number that occurs, once, as the source writes it."""
    rater: array[int] = field(default_factory=_numbers, repr=False)
    item: array[int] = field(default_factory=_numbers, repr=False)
    aspect: array[int] = field(default_factory=_numbers, repr=False)
    value: array[int] = field(default_factory=_numbers, repr=False)
    counts: array[int] = field(default_factory=_numbers, repr=False)
    """How many said so: 1 where a rater is named."""
    traits: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """What is told of raters, for example `gender` -> one value a rater; empty: not told."""
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Item -> its text, where the source has it."""

    def __len__(self) -> int:
        return len(self.item)

    def __iter__(self) -> Iterator[Annotation]:
        columns = (self.rater, self.item, self.aspect, self.value, self.counts)
        for rater, item, aspect, value, count in zip(*columns, strict=True):
            yield Annotation(
                rater=None if rater < 0 else self.raters[rater],
                item=self.items[item],
                aspect=self.aspects[aspect],
                value=self.values[value],
                count=count,
            )


Weighing: TypeAlias = Literal["wins", "margins", "majority", "unstated"]
"""What the weight of a pair counts: voters who put the one above the other; by how many more these
are than the others; nothing but that they are more; or something that the source does not state."""


@dataclass(frozen=True)
class Majorities:
    """Weighted pairs of alternatives, where nobody's own ballot is known.

    Pair k goes from `alternatives[above[k]]` to `alternatives[below[k]]`. A pair that is not there
    has no weight, which is not the weight 0 unless `weighing` makes it so.
    """

    alternatives: tuple[str, ...]
    names: tuple[str, ...]
    """What each alternative is called in the source."""
    above: array[int] = field(default_factory=_numbers, repr=False)
    below: array[int] = field(default_factory=_numbers, repr=False)
    weight: array[float] = field(default_factory=lambda: array("d"), repr=False)
    weighing: Weighing = "unstated"
    voters: int | None = None
    """How many people it comes from, where the source says so."""

    def __len__(self) -> int:
        return len(self.above)


class JudgedPair(Record):
    """Two answers to one prompt, and how many people preferred which. Nobody is named."""

    id: str
    """Unique in its source."""
    source: str
    """Slug of the data set it comes from, for example `hh-rlhf-helpful`."""
    lang: Lang
    prompt: tuple[Message, ...]
    """The conversation up to the answers; the last turn is the user's."""
    first: str
    second: str
    prefer_first: int = Field(ge=0)
    """People who preferred `first`."""
    prefer_second: int = Field(ge=0)
    """People who preferred `second`."""
    ties: int = Field(default=0, ge=0)
    """People who found neither better."""
    cluster: str
    """The unit of independence, for example the first turn: pairs that share it stay together."""
    licence: str
    """Licence of the row, as its source states it; `unknown` where none is stated."""


class IntegrityFault(Frozen):
    """One thing found while importing."""

    kind: str
    """Slug of the check, for example `duplicate-votes`."""
    count: int
    """How many rows it concerns."""
    policy: str
    """What was done about it, in words."""
    examples: tuple[str, ...] = ()
    """Up to five places, as `file:line`."""


class Consultation(Record):
    """The import receipt: what was read, what was found, and the Merkle roots of the rows."""

    process: str
    kind: ProcessKind
    sources: dict[str, Digest]
    """Digest of every file read, by path relative to the project."""
    participants: int
    statements: int
    votes: int
    """Votes that count (the last one of each participant on each statement)."""
    comparisons: int
    ballots: int = 0
    """Rankings, one for each participant or several."""
    unranked: Unranked | None = None
    """What an alternative that a ballot leaves out counts as; None without ballots."""
    roots: dict[str, Digest]
    """Merkle root of each table of rows, by table (`votes`, `comparisons`, `ballots`)."""
    faults: tuple[IntegrityFault, ...] = ()
    """The integrity report."""
    coverage: float = Field(default=0.0, ge=0, le=1)
    """Share of participant-statement cells that carry a vote."""
