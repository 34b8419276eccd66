"""What was concluded from ballots. Every estimate carries n, an interval and, if random, a seed."""

from __future__ import annotations

from normwright.records.audits import Witness
from normwright.records.base import Digest, Frozen, Layer, ProcessKind, Record
from normwright.records.estimates import Estimate
from normwright.records.rankings import Margin, Ranking, Standing
from normwright.records.targets import Targets
from normwright.records.voices import Unranked


class Group(Frozen):
    """An opinion group found in the votes, or a declared one."""

    id: str
    size: int
    members: Digest
    """Digest of the sorted member list (the list itself stays in the store)."""


class Grouping(Record):
    """Opinion groups with the evidence for them.

    `groups` holds the groups that the votes support, or the sides of a spectrum, as `verdict` says;
    it is empty where a split does not repeat, or is no more than chance.
    """

    groups: tuple[Group, ...]
    method: str
    silhouette: float | None = None
    stability: Estimate | None = None
    """Adjusted Rand index between the groups and those of bootstrap subsamples."""
    null_p: float | None = None
    """p-value of the test that the votes hold no groups at all."""
    verdict: str | None = None
    """`groups`, or `spectrum` where no gap lies between them; otherwise why there are none."""
    gap_p: float | None = None
    """p-value of the test that between some two of the groups there is no gap."""
    reason: str
    """In words: why these groups, or why none."""


class Support(Frozen):
    """How many agree with one statement, in all and group by group."""

    statement: str
    agree: int
    disagree: int
    passed: int
    seen: int
    support: Estimate
    """agree / (agree + disagree + pass), with its interval."""
    groups: dict[str, Estimate] = {}
    """The same share within each opinion group."""
    groups_disagree: dict[str, Estimate] = {}
    """disagree / (agree + disagree + pass) within each group; empty where it was not counted."""
    consensus: float | None = None
    """Group-aware consensus: product over groups of (agree + 1) / (seen + 2)."""


class RobustSupport(Frozen):
    """What stays of the support when other people are drawn and votes are counted otherwise.

    Rules of counting: `votes` pools all votes on the statements, `people` takes the mean of each
    person's own share; `-decided` leaves passes out of either, where they otherwise count as not
    for it; `-weighted` counts participants by their weights; `groups` takes the mean of the opinion
    groups whatever their size, `consensus` their geometric mean; `group:A` looks at one group.
    Groups stay as they were found; they are not sought anew in a resample.
    """

    norm: str | None
    """Id of the norm the statements speak about; None: one statement by itself."""
    statements: tuple[str, ...]
    """Pooled with their sign: disagreement with one that opposes the norm is support."""
    people: int
    """How many people voted on at least one of them."""
    shares: dict[str, Estimate]
    """Rule -> share for it, with people drawn anew for the interval."""
    opposed: bool = False
    """Whether it is the support for the opposite: for doing without the norm."""
    kept: dict[str, float | None]
    """Rule -> the largest share that at least `held` of the resamples reach; a resample in which
    nobody voted reaches none. None: there is no such share."""
    held: float
    rounds: int


class PairShare(Frozen):
    """How people split between doing and declining one norm's act, from comparisons."""

    norm: str
    perform: float
    decline: float
    """Counts, ties counted half to each."""
    p_decline: Estimate
    """Share preferring the declining answer, with its interval."""
    groups: dict[str, Estimate] = {}


class Outcome(Record):
    """What one polity's ballots say at its layer. One outcome a layer and authority."""

    process: str
    kind: ProcessKind
    layer: Layer
    authority: str
    participants: int
    votes: int
    support: tuple[Support, ...]
    robust: tuple[RobustSupport, ...] = ()
    """For each norm asked about, and each other statement that half or more agree with: what stays
    of its support in resamples and under other rules of counting."""
    rankings: tuple[Ranking, ...]
    """By each method, the one that counts first: from ballots where there are any, else votes."""
    voters: int = 0
    """Participants whose ballots rank at least one alternative."""
    unranked: Unranked | None = None
    """What an alternative that a ballot leaves out counted as; None without ballots."""
    standings: tuple[Standing, ...] = ()
    """Each alternative of the ballots, in the order of the ranking that counts."""
    margins: tuple[Margin, ...] = ()
    """Pairs of alternatives: all of up to 20, of more only neighbours in the ranking and the first
    against each other one."""
    pairs: tuple[PairShare, ...] = ()
    targets: Targets | None = None
    """What learning is given of `pairs` by the rule that was chosen, and how far the others differ.
    None where nothing was compared."""
    grouping: Grouping
    witnesses: tuple[Witness, ...] = ()
    undecided: tuple[str, ...] = ()
    """Statements whose support interval straddles one half."""
