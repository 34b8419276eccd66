"""What was concluded from ballots. Every estimate carries n, an interval and, if random, a seed."""

from __future__ import annotations

from typing import Any

from normwright.records.base import Digest, Frozen, Layer, ProcessKind, Record
from normwright.records.voices import Unranked


class Interval(Frozen):
    """A two-sided interval; the level is part of the claim."""

    low: float
    high: float
    level: float = 0.95
    method: str
    """For example `wilson`, `clopper-pearson`, `bootstrap`."""


class Estimate(Frozen):
    """A number with what is needed to believe it. `value` is None where there is no evidence."""

    value: float | None
    interval: Interval | None
    n: int
    """Number of independent units behind the value."""
    seed: int | None = None
    """Seed of the bootstrap, if one was used."""


class Group(Frozen):
    """An opinion group found in the votes, or a declared one."""

    id: str
    size: int
    members: Digest
    """Digest of the sorted member list (the list itself stays in the store)."""


class Grouping(Record):
    """Opinion groups with the evidence for them. `groups` is empty when none are supported."""

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


class PairShare(Frozen):
    """How people split between doing and declining one norm's act, from comparisons."""

    norm: str
    perform: float
    decline: float
    """Counts, ties counted half to each."""
    p_decline: Estimate
    """Share preferring the declining answer, with its interval."""
    groups: dict[str, Estimate] = {}


class Witness(Frozen):
    """What exactly goes wrong: the profile, the outcome, the breach."""

    axiom: str
    detail: str
    data: dict[str, Any] = {}


class CohesiveGroup(Frozen):
    """People who agree on something, measured by what a slate gives them. They are not named."""

    lacks: str
    """An alternative outside the slate that all of them approve of."""
    supports: tuple[str, ...] = ()
    """Everything that all of them approve of. Told of groups that were left without their share
    only: of a small group it would give away what single people think."""
    voters: int
    """Their number; weighted, where voters are."""
    share: float
    """Their part of all voters."""
    deserves: int
    """Places of the slate that so many are owed."""
    has: int
    """The most members of the slate that any one of them approves of."""
    fill: float
    """Their number divided by the number that would be owed one place more than `has`; a group is
    left without its share from 1 on."""
    informed: int | None
    """Those of them who were asked about every member of the slate; what the others would say of a
    member is not known. None where ballots do not tell who was asked what."""


class RepresentationAudit(Frozen):
    """Whether a slate gives every large group that agrees on something its share."""

    axiom: str
    """`jr` (somebody in the group has a member) or `ejr-plus` (somebody has as many as is owed)."""
    satisfied: bool
    witness: CohesiveGroup | None
    """The group that is worst off, by `fill`; None where nobody is left without."""
    closest: CohesiveGroup | None
    """The group with the largest `fill`, satisfied or not; None where nobody approves of anything
    outside the slate that would be owed to them."""
    quota: float
    """Voters that are owed one place: all voters divided by the size."""
    settled: bool | None
    """Whether the verdict is the same whatever people would say of what they were not asked about.
    None where ballots do not tell what that is."""
    least: float | None
    """The `fill` of the worst-off group if unasked people approved of every member; sharp."""
    most: float | None
    """The same if they approved of everything but members; sharp."""
    exposure: float | None
    """Share of voters and alternatives of which it is known that the voter was asked. What is said
    here is about approvals that were given; unseen is not approval. None: not known."""


class VetoClaim(Frozen):
    """The coalition with the largest claim to veto one alternative, in proportion to its size."""

    alternative: str
    epsilon: float
    """How far the coalition's share of voters exceeds the share that a veto takes; 0: nobody can
    veto the alternative, it is in the proportional veto core."""
    voters: int
    """Voters in the coalition; 0 where there is none."""
    share: float
    """Their part of all voters."""
    prefers: tuple[str, ...]
    """What every one of them puts above it."""


class SlateAudit(Frozen):
    """What a slate means for minorities, without any grouping of people beforehand."""

    members: tuple[str, ...]
    size: int
    """The places that shares are measured by."""
    jr: RepresentationAudit | None
    ejr_plus: RepresentationAudit | None
    vetoes: tuple[VetoClaim, ...] | None
    """Who could veto each member; None where ballots do not rank every alternative."""
    not_audited: tuple[str, ...] = ()
    """Why something above is None, in words."""


class Slate(Frozen):
    """So many alternatives chosen together by one rule, with its audit."""

    method: str
    size: int
    members: tuple[str, ...]
    """In the order they were chosen where `sequential`, else in the order of the ballots."""
    sequential: bool
    """Whether the order of the members means anything."""
    tied: bool
    """Whether the rule would as well have chosen another slate, or that was not settled."""
    voters: int
    """Their number; the sum of weights in millionths, where voters are weighted."""
    exposure: float | None
    """Share of voters and alternatives of which it is known that the voter was asked."""
    audit: SlateAudit
    facts: dict[str, Any] = {}
    """What the rule says of its choice: scores, a certificate, how ties went."""


class ShareInfluence(Frozen):
    """What single voters can do to one share of support, exactly."""

    statement: str
    agree: int
    seen: int
    removed: float
    """The largest change of the share when any one voter is taken out."""
    turned: float
    """The largest change of the share when any one voter says the opposite."""
    threshold: float
    flips_turned: int | None
    """The least number of voters who, turned, put the share on the other side of the threshold;
    None where not even all of them do."""
    flips_removed: int | None
    """The least number of voters who, taken out, do the same; None where none left proves it."""


class RankInfluence(Frozen):
    """What taking out any one voter does to the place of one statement among all, by support."""

    statement: str
    place: int
    """1 is the best; statements of exactly equal shares share the better place."""
    best: int
    worst: int
    """The best and worst place it takes when any one voter is taken out."""
    moved_by: int
    """Voters any one of whom, taken out, changes its place."""
    voters: int


class SlateInfluence(Frozen):
    """What taking out any one voter does to a slate."""

    method: str
    size: int
    stable: Estimate
    """Share of voters who can be taken out without changing the slate; n is how many were tried.
    All voters, and then there is no interval; or a random sample of them, with its seed."""
    most: int
    """The most members that taking out one voter replaced."""
    replaced: dict[str, int]
    """For each member that was ever replaced: by how many of the voters tried, one at a time."""


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


class Ranking(Frozen):
    """A social ranking with ties, best first, and the scores behind it."""

    method: str
    tiers: tuple[tuple[str, ...], ...]
    scores: dict[str, float] = {}


class Standing(Frozen):
    """Where one alternative of the ballots stands, and how sure that is."""

    alternative: str
    """Id of its statement."""
    ranked: int
    """Ballots that rank it at all."""
    first: Estimate
    """Share of voters who put it first; a first place that several share is divided."""
    leads: Estimate
    """Share of resamples in which the method that counts ranks it first, alone or with others;
    n is the number of resamples."""
    places: Interval
    """The places it takes in resamples; 1 is the best, and level alternatives share the better."""


class Margin(Frozen):
    """How far voters put one alternative above another."""

    above: str
    below: str
    prefer: int
    """Voters who put `above` above `below`."""
    oppose: int
    """Voters who put `below` above `above`. All others have them level, or do not compare them."""
    margin: Estimate
    """(prefer - oppose) / voters, in [-1, 1], with its interval."""


class Outcome(Record):
    """What one polity's ballots say at its layer. One outcome a layer and authority."""

    process: str
    kind: ProcessKind
    layer: Layer
    authority: str
    participants: int
    votes: int
    support: tuple[Support, ...]
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
    grouping: Grouping
    witnesses: tuple[Witness, ...] = ()
    undecided: tuple[str, ...] = ()
    """Statements whose support interval straddles one half."""
