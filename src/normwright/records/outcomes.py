"""What was concluded from ballots. Every estimate carries n, an interval and, if random, a seed."""

from __future__ import annotations

from typing import Any, Literal

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
    n is the number of resamples to which the method applies."""
    places: Interval
    """The places it takes in resamples; 1 is the best, and level alternatives share the better.
    Where the method does not apply to a resample, any place is possible."""


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


class AxiomFinding(Frozen):
    """What came of looking for breaches of one axiom by one method."""

    axiom: str
    """Slug of the axiom."""
    method: str
    """Slug of the method."""
    rate: float | None
    """Share of breaches among what `counted` says; None where the search asks for the smallest
    breach, which has no rate, or where nothing could be counted."""
    interval: Interval | None
    """Of the rate; None without one. Its method is `all-tried` where nothing was left to chance."""
    n: int
    """What the rate is a share of, and for a search the changed profiles that were tried."""
    counted: str
    """In words: what n counts."""
    seed: int | None = None
    """Seed of what was drawn; None: nothing was."""
    exhaustive: bool
    """Whether everything was tried that the axiom speaks of. Only then does no witness mean that
    these ballots hold none."""
    witness: Witness | None = None
    """A breach on these very ballots; of those found by coalitions the smallest."""


class MajorityCycles(Frozen):
    """Whether majorities go round in circles, and how much it would take to break them."""

    smith: tuple[str, ...]
    """The smallest set whose members each beat everything outside it; one if there is a Condorcet
    winner."""
    condorcet_winner: str | None
    """What beats every other alternative."""
    has_winner: Estimate
    """Share of resamples of the voters in which there is a Condorcet winner."""
    cycle: tuple[str, ...] = ()
    """The strongest cycle, each beating the next and the last the first; empty: there is none."""
    weakest: tuple[str, str] | None = None
    """Its weakest majority: above, below."""
    margin: int | None = None
    """Voters by which that majority is ahead: no other cycle holds with more on its weakest."""
    share: float | None = None
    """The same as a share of the voters."""


class RuleDependence(Frozen):
    """How much of the outcome is the voters' and how much the method's."""

    winners: dict[str, tuple[str, ...]]
    """Slug of each method -> its winners."""
    leading: dict[str, tuple[str, ...]]
    """Slug of each method -> its first `top` places, the tie at the end whole."""
    top: int
    """How many places `leading` holds."""
    agreed: float | None
    """Share of pairs that all methods rank alike, ties as ties; None without pairs."""
    agreement: dict[str, dict[str, float]]
    """Share of pairs that two methods rank alike."""


class Perturbation(Frozen):
    """How far the outcome of one method hangs on a few voters, or on their weights."""

    change: str
    """`delete-1-percent` (drawn voters), `delete-most-active-1-percent` (those who rank most), or
    `reweight` (each voter counts for between one half and one and a half)."""
    method: str
    winners_change: Estimate
    """Share of trials in which the set of winners is another."""
    pairs_turned: Estimate
    """Mean share of pairs ranked the other way round."""


class Audit(Frozen):
    """What the axioms say about one profile: what a hostile reader would try, tried."""

    voters: int
    alternatives: int
    seed: int
    rounds: int
    """Resamples of the voters."""
    budget: float
    """Seconds that it might take, at the prices of methods by size; never the clock's."""
    rankings: tuple[Ranking, ...]
    """Of every method that takes these ballots."""
    cycles: MajorityCycles
    dependence: RuleDependence
    robust_core: tuple[tuple[str, str], ...]
    """Above, below: pairs that every method in `resampled` ranks so in at least `robust_at` of the
    resamples, all of them in the same resample."""
    robust_at: float = 0.95
    resampled: tuple[str, ...]
    """The methods that the robust core rests on."""
    findings: tuple[AxiomFinding, ...]
    perturbations: tuple[Perturbation, ...]
    left_out: dict[str, str] = {}
    """Slug of a method or axiom -> why it is not in the audit, or not in all of it. Nothing is left
    out without a word."""


class ViolationRate(Frozen):
    """One point of a curve: how often a method breaks an axiom on profiles of one population."""

    axiom: str
    method: str
    population: str
    over: str
    """What varies along the curve: `voters`, `alternatives`, or a parameter of the population."""
    value: float
    """Its value at this point."""
    voters: int
    alternatives: int
    rate: Estimate
    """Share of the profiles with a breach, with its Wilson interval; n is the profiles that the
    axiom could be asked about."""
    exhaustive: int
    """Profiles of which the answer is certain: a breach was found, or everything was tried. With
    fewer than n the rate is a lower bound."""


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
    targets: Targets | None = None
    """What learning is given of `pairs` by the rule that was chosen, and how far the others differ.
    None where nothing was compared."""
    grouping: Grouping
    witnesses: tuple[Witness, ...] = ()
    undecided: tuple[str, ...] = ()
    """Statements whose support interval straddles one half."""
