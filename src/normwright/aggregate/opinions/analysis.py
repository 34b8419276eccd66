"""The whole opinion analysis: the map, the groups and what speaks for them, and the consensus."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from normwright.aggregate.opinions import evidence, mixture, polis
from normwright.aggregate.opinions.cells import MIN_VOTES, Cells, Floats, Ints, places
from normwright.aggregate.opinions.plane import Plane, plane
from normwright.aggregate.opinions.tallying import MODES, Mode, Tally, tally, whole
from normwright.aggregate.profile import Profile
from normwright.records import Estimate, Fault, InputError, Interval
from normwright.stats import percentile_interval

Pipeline = Literal["mixture", "polis"]
PIPELINES: tuple[Pipeline, ...] = ("mixture", "polis")
Verdict = Literal["groups", "spectrum", "unrepeatable", "chance", "one", "untested", "too-few"]
Progress = Callable[[str, int, int], None]
"""Told what is being done, how many steps of it are done, and of how many."""

MIN_SIZE = 5
"""People in the smallest group that is looked at, or 2 % of all if that is more."""
MAX_GROUPS = 5
ALPHA = 0.05
"""Groups count only if chance does as well in at most this share of cases. For the gap it is
shared among the four numbers of groups that there may be."""
STABLE = 0.75
"""... and if the median adjusted Rand index over subsamples is at least this."""
NEAR = 0.05
"""Splits whose medians differ by no more than this repeat alike; subsamples tell no finer."""
SAMPLE = 2000
"""People at most, drawn at random, among whom starts, number of groups and tests are tried."""
MATRIX = 500
"""People up to whom it is kept how often each two were put together."""
_TURNS = 20
"""Turns of EM at most that carry groups of a sample over to everybody."""
_TOP = 10


@dataclass(frozen=True, eq=False)
class Candidate:
    """One way to split the people, and what became of it."""

    k: int
    sizes: tuple[int, ...]
    """People in each group among those it was tried on, the largest first."""
    gain: Estimate | None
    """Mean log-probability of a hidden vote above that of one group (mixture only)."""
    silhouette: float | None
    """Mean silhouette of the base clusters on the map (polis only)."""
    stability: Estimate | None
    """Median adjusted Rand index with splits of subsamples; None if none were drawn."""
    ari_p10: float | None
    """Its lower tenth."""
    gap_p: float | None
    """p-value that between some two of the groups there is no gap; None if not tested."""


@dataclass(frozen=True, eq=False)
class Agreed:
    """How one statement stands with all groups, or with everybody."""

    statement: str
    mode: Mode
    value: float
    """Product over groups of (A + 1) / (S + 2); of everybody where nobody is grouped."""
    interval: tuple[float, float]
    """At 95 %: of the beta posterior of the consensus, or Wilson's for the majority."""
    n: int
    """Votes on it."""
    agree: int
    disagree: int
    passed: int
    geometric: float
    """The value to the power of 1 / groups: a share again, comparable between numbers of groups."""
    groups: tuple[tuple[int, int, int], ...] = ()
    """Agreements, disagreements and passes of each group."""

    def as_json(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Return it in the shape of the command's output."""
        text = {"text": texts[self.statement]} if self.statement in texts else {}
        keys = ("agree", "disagree", "passed")
        return {
            "statement": self.statement,
            **text,
            "mode": self.mode,
            "value": self.value,
            "interval": list(self.interval),
            "n": self.n,
            "agree": self.agree,
            "disagree": self.disagree,
            "passed": self.passed,
            "geometric_mean": self.geometric,
            "groups": [dict(zip(keys, g, strict=True)) for g in self.groups],
        }


@dataclass(frozen=True, eq=False)
class Analysis:
    """What the votes say about opinions, and how sure that is."""

    pipeline: Pipeline
    seed: int
    rounds: int
    verdict: Verdict
    reason: str
    """The verdict in words."""
    k: int
    """Groups that consensus is taken over: 1 where everybody is one group."""
    sizes: tuple[int, ...]
    """People in each, the largest first."""
    shares: tuple[Estimate, ...]
    """Share of the placed people in each group; soft where memberships are."""
    split: Candidate | None
    """The split that the verdict is about; None if there was nothing to split."""
    candidates: tuple[Candidate, ...]
    null_p: float | None
    """p-value of the split against votes without groups; None if it was not tested."""
    tested: int
    """People that starts and tests were tried on: all who are placed, or a sample of them."""
    participants: int
    statements: tuple[str, ...]
    people: Ints
    """Numbers in the profile of those who have a place on the map, ascending, shape (placed,)."""
    points: Floats
    """Their places, shape (placed, 2)."""
    labels: Ints
    """Their groups, shape (placed,); all 0 where everybody is one group."""
    memberships: Floats
    """Probability that each belongs to each group, shape (placed, k)."""
    together: Floats | None
    """How often each two of them were put together over subsamples; None where they are many."""
    statement_points: Floats
    """Where somebody stood who agreed with one statement only, shape (statements, 2)."""
    extremity: Floats
    """How far out a single disagreement puts somebody, shape (statements,)."""
    explained: tuple[float, ...]
    """Share of the variation of all votes along each axis of the map."""
    consensus: tuple[Agreed, ...]
    """Statements by group-aware agreement, best first."""
    consensus_against: tuple[Agreed, ...]
    """Statements by group-aware disagreement, best first."""
    majority: tuple[Agreed, ...]
    """Statements by agreement of all who voted, groups or none, best first."""
    common: tuple[tuple[str, Mode], ...]
    """Statements that most of all people agree or disagree with, as Polis picks them."""
    representative: tuple[tuple[tuple[str, Mode], ...], ...]
    """For each group the statements that set it apart, as Polis picks them."""

    @property
    def supported(self) -> bool:
        """Whether the votes support groups: more than chance, repeatable, with a gap between."""
        return self.verdict == "groups"

    @property
    def shared_top(self) -> int:
        """How many of the ten best by consensus are among the ten best by majority."""
        best, plain = ({s.statement for s in top[:_TOP]} for top in (self.consensus, self.majority))
        return len(best & plain)

    def as_json(self, texts: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the answer in the shape of the command's output, without anybody's name."""
        words = texts or {}
        stability = self.split.stability if self.split else None
        return {
            "supported": self.supported,
            "verdict": self.verdict,
            "reason": self.reason,
            "pipeline": self.pipeline,
            "k": self.k,
            "sizes": list(self.sizes),
            "shares": [_estimate(s) for s in self.shares],
            "participants": self.participants,
            "placed": len(self.people),
            "tested_on": self.tested,
            "stability": {
                "ari_median": stability.value if stability else None,
                "ari_p10": self.split.ari_p10 if self.split else None,
                "rounds": self.rounds,
                "kept": evidence.KEPT,
                "seed": self.seed,
            },
            "null_p": self.null_p,
            "candidates": [_candidate(c) for c in self.candidates],
            "consensus": [s.as_json(words) for s in self.consensus],
            "consensus_against": [s.as_json(words) for s in self.consensus_against],
            "majority": [s.as_json(words) for s in self.majority],
            "shared_top": {"of": min(_TOP, len(self.statements)), "both": self.shared_top},
            "common": [{"statement": j, "mode": mode} for j, mode in self.common],
            "representative": [
                [{"statement": j, "mode": mode} for j, mode in group]
                for group in self.representative
            ],
            "explained": list(self.explained),
        }


def opinion_analysis(
    profile: Profile,
    *,
    pipeline: Pipeline = "mixture",
    seed: int = 0,
    rounds: int = 50,
    moderated_out: Collection[str] = (),
    progress: Progress | None = None,
) -> Analysis:
    """Return the opinion groups of a profile, what speaks for them, and what they agree on.

    Deterministic: the same votes, parameters and seed give the same answer, in whatever order the
    participants come and whatever anybody is called.

    Groups are supported if (1) they repeat: splits of 80 % of the people agree with the split of
    all, median adjusted Rand index at least .75; (2) votes that know nothing of each other are
    explained as well in at most 5 % of permutations; and (3) there is a gap between any two of
    them (dip test on people who had no part in drawing the line). Without (3) the split may be a
    cut through a spectrum: it is reported, and consensus is taken over its sides, but no groups
    are claimed. Few votes a person blur any gap, so that not finding one proves no spectrum.
    Without (1) or (2), or where hidden votes are foretold no better by two groups than by one,
    everybody is one group.

    Args:
        profile: the votes.
        pipeline: `mixture`, or `polis` for the formulas of Polis.
        seed: seed of every random step.
        rounds: number of subsamples; 0 tests nothing, and then nothing is claimed.
        moderated_out: names of statements that were rejected: their votes are not looked at.
        progress: told of every step of long work.

    Raises:
        InputError: for an unknown pipeline or statement, or a negative number of rounds.
    """
    _checked(profile, pipeline, rounds, moderated_out)
    from threadpoolctl import threadpool_limits

    # One thread, so that sums are taken in one order on every machine.
    with threadpool_limits(1, user_api="blas"):
        return _analysed(profile, pipeline, seed, rounds, set(moderated_out), progress)


def _checked(profile: Profile, pipeline: str, rounds: int, moderated_out: Collection[str]) -> None:
    faults = []
    if pipeline not in PIPELINES:
        expected = " or ".join(PIPELINES)
        faults.append(Fault(where="pipeline", expected=expected, seen=str(pipeline)))
    if rounds < 0:
        faults.append(Fault(where="rounds", expected="0 or more", seen=str(rounds)))
    unknown = sorted(set(moderated_out) - set(profile.statements))
    if unknown:
        seen = ", ".join(unknown[:5])
        faults.append(Fault(where="moderated_out", expected="statements voted on", seen=seen))
    if faults:
        raise InputError(faults)


def _analysed(
    profile: Profile,
    pipeline: Pipeline,
    seed: int,
    rounds: int,
    rejected: set[str],
    progress: Progress | None,
) -> Analysis:
    out = np.array([s in rejected for s in profile.statements], dtype=np.bool_)
    everyone = Cells.of(profile)
    needed = max(1, min(MIN_VOTES, len(profile.statements)))
    people = places(everyone, needed)
    kept = everyone.keeping(~out[everyone.columns]) if out.any() else everyone
    cells = kept.only(people)
    voted = int((cells.tallies.sum(axis=1) > 0).sum())
    work = _Work(cells, pipeline, seed, rounds, progress or _silent, int(out.sum()))
    if voted < 3 or cells.people < 2 * MIN_SIZE:
        reason = (
            f"No groups: {cells.people} participants with at least {needed} votes on {voted} "
            "statements are too few to look for any."
        )
        found = _Found("too-few", reason)
    elif not cells.varies():
        found = _Found("one", "No groups: everyone who voted on a statement agrees on it.")
    else:
        found = work.found()
    return _told(profile, work, kept, people, found, ~out)


def _silent(what: str, done: int, of: int) -> None:
    """Nobody asked."""


@dataclass(frozen=True, eq=False)
class _Found:
    """What came of looking for groups, people in the order of the cells."""

    verdict: Verdict
    reason: str
    space: Plane | None = None
    split: Candidate | None = None
    candidates: tuple[Candidate, ...] = ()
    memberships: Floats | None = None
    """None: everybody is one group."""
    null_p: float | None = None
    tested: int = 0
    together: Floats | None = None


@dataclass(frozen=True, eq=False)
class _Work:
    """One analysis under way."""

    cells: Cells
    pipeline: Pipeline
    seed: int
    rounds: int
    progress: Progress
    zeroed: int

    def rng(self, step: int) -> np.random.Generator:
        """Randomness of one step, which no other step moves."""
        return np.random.default_rng([self.seed, step])

    def found(self) -> _Found:
        """Look for groups, and weigh what speaks for them."""
        cells = self.cells
        zeroed = self.zeroed if self.pipeline == "polis" else 0
        space = plane(cells, zeroed=zeroed)
        some = np.arange(cells.people)
        if cells.people > SAMPLE:
            some = np.sort(self.rng(0).choice(cells.people, SAMPLE, replace=False))
        tried = cells.only(some) if len(some) < cells.people else cells
        if self.pipeline == "polis":
            labels, score = polis.split(space.points, self.rng(1))
            ways = [labels[some]]
            facts = [_Facts(None, score)]
            whole = [np.eye(int(labels.max()) + 1)[labels]]
            fitted: list[mixture.Mixture] = []
            best = 2
        else:
            fitted, facts, best = _mixtures(tried, self.rng(1), self.seed)
            ways = [f.labels for f in fitted]
            whole = []
        return self._weighed(space, tried, ways, facts, fitted, whole, best)

    def _weighed(
        self,
        space: Plane,
        tried: Cells,
        ways: Sequence[Ints],
        facts: Sequence[_Facts],
        fitted: Sequence[mixture.Mixture],
        whole: Sequence[Floats],
        best: int,
    ) -> _Found:
        smallest = max(MIN_SIZE, -(-tried.people // 50))
        fair = [i for i, w in enumerate(ways) if w.max() > 0 and np.bincount(w).min() >= smallest]
        if not fair:
            reason = f"No groups: every split leaves a group of fewer than {smallest}."
            return _Found("one", reason, space, tested=tried.people)
        splits = _splitter(self.pipeline, [int(ways[i].max()) + 1 for i in fair], self.zeroed)
        ways = [ways[i] for i in fair]
        repeated = self._repeats(tried, splits, ways)
        gap = evidence.gaps(tried, splits, ways, self.rng(3)) if self.rounds else None
        candidates = tuple(
            _candidate_of(w, facts[i], repeated, n, gap, self.seed)
            for n, (i, w) in enumerate(zip(fair, ways, strict=True))
        )
        number = _chosen(candidates) if self.rounds else _foretold(candidates, best)
        split = candidates[number]
        null_p = self._chance(tried, split.k) if self.rounds else None
        verdict = _verdict(split, null_p, best)
        memberships = None
        if verdict in ("groups", "spectrum", "untested"):
            if fitted:
                mixed = fitted[fair[number]]
                more = tried.people < self.cells.people
                memberships = (
                    mixture.spread(self.cells, mixed, turns=_TURNS) if more else mixed
                ).memberships
            else:
                memberships = whole[fair[number]]
        together = None
        if repeated is not None and repeated.together is not None:
            together = repeated.together[number]
        return _Found(
            verdict, _reason(verdict, split, null_p, tried.people), space, split, candidates,
            memberships, null_p, tried.people, together,
        )  # fmt: skip

    def _repeats(
        self, tried: Cells, splits: evidence.Splits, ways: Sequence[Ints]
    ) -> evidence.Repeats | None:
        if not self.rounds:
            return None
        tick = _Ticks(self.progress, "subsamples", self.rounds)
        few = tried.people <= MATRIX and tried.people == self.cells.people
        return evidence.repeats(
            tried, splits, ways, self.rng(2), rounds=self.rounds, matrix=few, tick=tick
        )

    def _chance(self, tried: Cells, k: int) -> float:
        tick = _Ticks(self.progress, "permutations", evidence.PERMUTATIONS)
        return evidence.chance(tried, k, self.rng(4), tick=tick)


class _Ticks:
    """Counts the steps of one kind of work."""

    def __init__(self, progress: Progress, what: str, of: int) -> None:
        self._progress, self._what, self._of, self._done = progress, what, of, 0

    def __call__(self) -> None:
        self._done += 1
        self._progress(self._what, self._done, self._of)


@dataclass(frozen=True)
class _Facts:
    gain: Estimate | None
    silhouette: float | None


def _room(cells: Cells, groups: int) -> Floats:
    """Places in as many dimensions as it takes to set so many groups apart."""
    dimensions = min(max(2, groups - 1), min(cells.people, cells.statements) - 1)
    return plane(cells, dimensions=dimensions).points


def _mixtures(
    cells: Cells, rng: np.random.Generator, seed: int
) -> tuple[list[mixture.Mixture], list[_Facts], int]:
    """Mixtures of 2 and more groups, the last one more than hidden votes speak for, and how many
    those are: whether one more lies apart and repeats is for the tests to say.
    """
    points = _room(cells, MAX_GROUPS)
    found = mixture.gains(cells, points, MAX_GROUPS, rng)
    best = mixture.enough(found)
    ks = range(2, min(MAX_GROUPS, max(2, best + 1)) + 1)
    fitted = [mixture.fit(cells, points, k, rng, starts=4) for k in ks]
    facts = [
        _Facts(
            Estimate(
                value=g.gain,
                interval=Interval(
                    low=g.gain - 1.96 * g.error,
                    high=g.gain + 1.96 * g.error,
                    method="clustered-normal",
                ),
                n=cells.people,
                seed=seed,
            ),
            None,
        )
        for g in found
        if g.k in ks
    ]
    return fitted, facts, best


def _splitter(pipeline: Pipeline, ks: Sequence[int], zeroed: int) -> evidence.Splits:
    """How subsamples are split: by polis with its own number of groups, or into each of `ks`."""

    def by_polis(cells: Cells, rng: np.random.Generator) -> list[Ints]:
        return [polis.split(plane(cells, zeroed=zeroed).points, rng, starts=10)[0]]

    def by_mixture(cells: Cells, rng: np.random.Generator) -> list[Ints]:
        points = _room(cells, max(ks))
        fits = (mixture.fit(cells, points, k, rng, starts=1, turns=40, tolerance=1e-5) for k in ks)
        return [f.labels for f in fits]

    return by_polis if pipeline == "polis" else by_mixture


def _candidate_of(
    labels: Ints,
    facts: _Facts,
    repeated: evidence.Repeats | None,
    number: int,
    gap: Sequence[float] | None,
    seed: int,
) -> Candidate:
    sizes = tuple(sorted(np.bincount(labels).tolist(), reverse=True))
    stability, p10 = None, None
    if repeated is not None:
        drawn = repeated.agreement[:, number]
        stability = Estimate(
            value=float(np.median(drawn)),
            interval=percentile_interval(drawn),
            n=len(labels),
            seed=seed,
        )
        p10 = float(np.quantile(drawn, 0.1))
    gap_p = None if gap is None else gap[number]
    return Candidate(len(sizes), sizes, facts.gain, facts.silhouette, stability, p10, gap_p)


def _stable(split: Candidate) -> float:
    if split.stability is None or split.stability.value is None:
        return -1.0
    return split.stability.value


def _separate(split: Candidate) -> bool:
    return split.gap_p is not None and split.gap_p <= ALPHA / (MAX_GROUPS - 1)


def _chosen(candidates: Sequence[Candidate]) -> int:
    """The most groups that repeat and lie apart; where none do, of the splits that repeat about
    as well as the best one that with the most groups.
    """
    numbers = range(len(candidates))
    apart = [i for i in numbers if _separate(candidates[i]) and _repeats(candidates[i])]
    best = max(_stable(c) for c in candidates)
    chosen = apart or [i for i in numbers if _stable(candidates[i]) >= best - NEAR]
    return max(chosen, key=lambda i: candidates[i].k)


def _foretold(candidates: Sequence[Candidate], best: int) -> int:
    """Where nothing was tested: as many groups as hidden votes speak for."""
    return min(range(len(candidates)), key=lambda i: abs(candidates[i].k - best))


def _repeats(split: Candidate) -> bool:
    return _stable(split) >= STABLE


def _verdict(split: Candidate, null_p: float | None, best: int) -> Verdict:
    if null_p is None:
        return "untested"
    if null_p > ALPHA:
        return "chance"
    if best == 1:
        return "one"
    if not _repeats(split):
        return "unrepeatable"
    return "groups" if _separate(split) else "spectrum"


def _reason(verdict: Verdict, split: Candidate, null_p: float | None, people: int) -> str:
    if verdict == "untested":
        return "No groups claimed: without subsamples nothing was tested."
    sizes = ", ".join(str(s) for s in split.sizes)
    facts = (
        f"a split into {split.k} of {sizes} among {people} people agrees with those of subsamples "
        f"with adjusted Rand index {_stable(split):.2f}; votes without groups are explained as "
        f"well in {null_p:.0%} of permutations; no gap between two of them has p = "
        f"{split.gap_p:.2g}"
    )
    words = {
        "groups": f"{split.k} groups",
        "spectrum": "No groups claimed: opinions hang together and the cut repeats, but no gap was "
        "found between its sides; this is a spectrum, or groups too close for these votes to part",
        "unrepeatable": "No groups: the best split does not survive leaving people out",
        "chance": "No groups: the best split is no better than chance",
        "one": "No groups: hidden votes are foretold best by one group",
    }
    return f"{words[verdict]} ({facts})."


def _told(
    profile: Profile, work: _Work, kept: Cells, people: Ints, found: _Found, offered: Any
) -> Analysis:
    """The answer, people back in the order of the profile."""
    cells = work.cells
    memberships = np.ones((cells.people, 1)) if found.memberships is None else found.memberships
    memberships = memberships[:, _by_size(cells, memberships)]
    back = np.argsort(people)
    labels = memberships.argmax(axis=1)
    k = memberships.shape[1]
    grouped = np.full(len(profile.participants), -1, dtype=np.int64)
    grouped[people] = labels
    for_all = whole(kept)
    by_group = for_all if k == 1 else tally(kept, grouped, k)
    space = found.space
    names = profile.statements
    kept_names = np.flatnonzero(offered)
    nothing = np.zeros((0, 2))
    return Analysis(
        pipeline=work.pipeline,
        seed=work.seed,
        rounds=work.rounds,
        verdict=found.verdict,
        reason=found.reason,
        k=k,
        sizes=tuple(np.bincount(labels, minlength=k).tolist()),
        shares=_shares(memberships, work.seed),
        split=found.split,
        candidates=found.candidates,
        null_p=found.null_p,
        tested=found.tested,
        participants=len(profile.participants),
        statements=names,
        people=people[back],
        points=nothing if space is None else space.points[back],
        labels=labels[back],
        memberships=memberships[back],
        together=None if found.together is None else found.together[np.ix_(back, back)],
        statement_points=nothing if space is None else space.statements,
        extremity=np.zeros(0) if space is None else space.extremity,
        explained=() if space is None else tuple(space.explained.tolist()),
        consensus=_ranked(names, by_group, 0, kept_names),
        consensus_against=_ranked(names, by_group, 1, kept_names),
        majority=_majority(names, for_all, kept_names),
        common=tuple(
            (names[j], mode) for side, mode in enumerate(MODES) for j in for_all.common(side)
        ),
        representative=tuple(
            tuple((names[j], mode) for j, mode in by_group.representative(g))
            for g in range(k if k > 1 else 0)
        ),
    )


def _by_size(cells: Cells, memberships: Floats) -> list[int]:
    """Groups by size, the largest first; of equals the one that agreed more on the first that
    they differ on, so that nobody's name decides.
    """
    k = memberships.shape[1]
    labels = memberships.argmax(axis=1)
    sizes = np.bincount(labels, minlength=k)
    if len(set(sizes.tolist())) == k:
        return [int(g) for g in np.argsort(-sizes)]
    agreed = tally(cells, labels, k).votes[0]
    return sorted(range(k), key=lambda g: (-sizes[g], tuple(-agreed[g])))


def _shares(memberships: Floats, seed: int) -> tuple[Estimate, ...]:
    """Shares of the groups with the interval of their beta posterior, memberships as given."""
    from scipy.special import betaincinv

    people, k = memberships.shape
    if not people:
        return ()
    sums = memberships.sum(axis=0)
    if k == 1:
        return (Estimate(value=1.0, interval=None, n=people, seed=seed),)
    low, high = (betaincinv(sums + 1, people - sums + k - 1, tail) for tail in (0.025, 0.975))
    return tuple(
        Estimate(
            value=float(sums[g] / people),
            interval=Interval(low=float(low[g]), high=float(high[g]), method="dirichlet"),
            n=people,
            seed=seed,
        )
        for g in range(k)
    )


def _ranked(names: Sequence[str], by_group: Tally, side: int, offered: Ints) -> tuple[Agreed, ...]:
    low, high = by_group.limits()
    value = by_group.consensus[side]
    return _standings(names, by_group, MODES[side], value, low[side], high[side], offered)


def _majority(names: Sequence[str], for_all: Tally, offered: Ints) -> tuple[Agreed, ...]:
    low, high = for_all.wilson(0)
    return _standings(names, for_all, "agree", for_all.shares[0, 0], low, high, offered)


def _standings(
    names: Sequence[str],
    counts: Tally,
    mode: Mode,
    value: Floats,
    low: Floats,
    high: Floats,
    offered: Ints,
) -> tuple[Agreed, ...]:
    """Statements by value, the best first; of equals the one with more votes."""
    k = counts.seen.shape[0]
    agree, disagree, seen = counts.votes[0], counts.votes[1], counts.seen
    each = np.stack([agree, disagree, seen - agree - disagree], axis=2)
    all_seen = seen.sum(axis=0)
    order = offered[np.lexsort((-all_seen[offered], -value[offered]))]
    columns = (value, low, high, all_seen, value ** (1 / k))
    counted = each.sum(axis=0)[order].tolist()
    by_group = each[:, order].transpose(1, 0, 2).tolist() if k > 1 else [[]] * len(order)
    rows = zip(order.tolist(), *(c[order].tolist() for c in columns), strict=True)
    return tuple(
        Agreed(
            statement=names[j],
            mode=mode,
            value=mean,
            interval=(least, most),
            n=n,
            agree=counted[i][0],
            disagree=counted[i][1],
            passed=counted[i][2],
            geometric=geometric,
            groups=tuple((a, d, p) for a, d, p in by_group[i]),
        )
        for i, (j, mean, least, most, n, geometric) in enumerate(rows)
    )


def _estimate(estimate: Estimate) -> dict[str, Any]:
    ends = estimate.interval
    return {
        "value": estimate.value,
        "interval": [ends.low, ends.high] if ends else None,
        "n": estimate.n,
        "seed": estimate.seed,
    }


def _candidate(split: Candidate) -> dict[str, Any]:
    return {
        "k": split.k,
        "sizes": list(split.sizes),
        "gain": _estimate(split.gain) if split.gain else None,
        "silhouette": split.silhouette,
        "ari_median": split.stability.value if split.stability else None,
        "ari_p10": split.ari_p10,
        "gap_p": split.gap_p,
    }
