"""What learning is given: pairwise targets, rewards of groups or a lottery, by a chosen rule.

Training on the pool of everybody's comparisons is a choice and has a name: it is Borda's count
(Siththaranjan, Laidlaw and Hadfield-Menell, ICLR 2024). What is known of the choices:

* With utilities behind Bradley-Terry comparisons of temperature beta, a maximal lottery loses at
  most a factor (1/2 + o(1)) beta of mean utility against the best alternative, which is optimal,
  and pooled reward learning at least (1 - o(1)) beta, up to e^Omega(beta) where comparisons are
  sampled unevenly (Goelz, Haghtalab and Yang, Distortion of AI alignment, 2025).
* A pooled linear reward model can put an alternative last that everybody prefers to another, and
  can go against every majority (Ge et al., Axioms for AI alignment from human feedback, 2024).
* One reward model for everybody cannot represent groups that differ; maximising the least reward of
  a group can (Chakraborty et al., MaxMin-RLHF, ICML 2024).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from normwright import __version__
from normwright.aggregate.election import Election, Inapplicable
from normwright.aggregate.methods.bradley_terry import chances, fitted
from normwright.aggregate.methods.maximal_lottery import lottery
from normwright.aggregate.outcome import DECLINED, clustered_share
from normwright.aggregate.pairs import count_wins
from normwright.records import (
    Comparison,
    Estimate,
    Fault,
    GroupReward,
    InputError,
    Interval,
    JudgedPair,
    MadeBy,
    Outcome,
    PairTarget,
    RuleDifference,
    Targets,
)
from normwright.stats import bootstrap_mean, percentile_interval, proportion

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Source = Literal["ballots", "comparisons", "outcome", "judged-pairs"]

SAYS: dict[str, str] = {
    "pooled": "Everybody's comparisons in one pool, as if one person of changing mind had made "
    "them: what reward learning does, and Borda's count where all pairs are compared alike.",
    "majority": "The side that more people prefer, wholly; level where as many prefer either.",
    "maximal-lottery": "The lottery that no other beats by majority in expectation; of two "
    "alternatives, the chance of one among the chances of both.",
    "population-proportional": "Each alternative in proportion to the most people who can have it "
    "first, which is its least share against any other.",
    "maxmin": "What the worst-off group can best bear: the share of the least convinced group "
    "where all groups prefer one side, and one half where they prefer different sides.",
    "per-group": "Each group's own shares, pair by pair, and nothing between groups.",
}
"""The rules, and what each does with people's preferences."""

ALTERNATIVES = 200
"""Alternatives up to which every pair is a target; more are refused, not sampled."""


def targets_of(
    source: Election | Outcome | Sequence[Comparison] | Sequence[JudgedPair],
    *,
    rule: str,
    groups: Mapping[str, Election] | Mapping[str, Collection[str]] | None = None,
    seed: int,
    rounds: int = 200,
) -> Targets:
    """Return what a model is to learn from people's preferences, by one rule.

    Every other rule is applied too, and the record says how far its targets differ. Nothing is made
    of pairs that nobody compared, nor by a rule that needs groups where there are none.

    Args:
        source: ballots of one electorate; an outcome, whose shares of comparisons are taken norm by
            norm; comparisons themselves; or pairs with counts of people, who are not named.
        rule: one of `SAYS`.
        groups: for ballots the ballots of each group over the same alternatives; for comparisons
            the participants of each group. An outcome brings its own.
        seed: seed of the resampling.
        rounds: resamples of the voters, or of pairs where no voters are known; 0: no intervals.

    Raises:
        InputError: if there is no such rule, or groups do not fit the source.
        Inapplicable: where the source does not hold what the rule needs.
    """
    if rule not in SAYS:
        raise InputError(
            [Fault(where="rule", expected=f"one of {', '.join(SAYS)}", seen=repr(rule))]
        )
    match source:
        case Election():
            return _of_ballots(source, rule, dict(groups or {}), seed, rounds)  # type: ignore[arg-type]
        case Outcome():
            if groups is not None:
                raise InputError([Fault(
                    where="groups", expected="none: an outcome brings its own", seen="groups",
                )])  # fmt: skip
            return _of_rows(_questions_of_outcome(source), rule, "outcome", source.participants,
                            seed, rounds, derived=(source.digest,))  # fmt: skip
        case _:
            rows = list(source)
            if rows and isinstance(rows[0], JudgedPair):
                judged = [r for r in rows if isinstance(r, JudgedPair)]
                questions = [_judged(pair) for pair in judged]
                return _of_rows(questions, rule, "judged-pairs", len(rows), seed, rounds)
            compared = [r for r in rows if isinstance(r, Comparison)]
            people = len({c.participant for c in compared})
            questions = _questions_of_comparisons(compared, dict(groups or {}), seed, rounds)  # type: ignore[arg-type]
            return _of_rows(questions, rule, "comparisons", people, seed, rounds)


# Ballots: one question, many alternatives, voters who can be drawn again.


@dataclass(frozen=True, eq=False)
class _Counts:
    """Comparisons of one electorate, and of each of its groups."""

    names: tuple[str, ...]
    points: Ints
    """Twice the times i was preferred to j, and once the times they were level, shape (m, m)."""
    groups: Mapping[str, Ints] = field(default_factory=dict)

    @cached_property
    def shares(self) -> Floats:
        """Share that prefers i to j; NaN where nobody compared them."""
        return _shares(self.points)


def _shares(points: Ints) -> Floats:
    total = points + points.T
    shares: Floats = np.full(points.shape, np.nan)
    np.divide(points, total, out=shares, where=total > 0)
    return shares


def _soft(points: Ints) -> Floats:
    """Shares with half a comparison added to each side (Jeffreys): no one number is certain."""
    total = points + points.T
    # Points are doubled, and so is what is added to them.
    return np.where(total > 0, (points + 1) / (total + 2), np.nan)


@dataclass(frozen=True, eq=False)
class _Made:
    """What a rule makes: how probable it is that i is preferred to j, and perhaps a lottery."""

    probability: Floats
    """NaN where the rule says nothing."""
    lottery: Floats | None = None


def _pooled(counts: _Counts) -> _Made:
    """Strengths that make the pool most likely; of two alternatives, the share itself."""
    if len(counts.names) == 2:
        return _Made(_soft(counts.points))
    # A tie counts half to each side, which doubled counts keep whole.
    win, _ = chances(fitted(counts.points, names=counts.names).strengths, 0.0)
    return _Made(win)


def _majority(counts: _Counts) -> _Made:
    side = np.sign(counts.points - counts.points.T)
    return _Made(np.where(np.isnan(counts.shares), np.nan, 0.5 + side / 2))


def _maximal_lottery(counts: _Counts) -> _Made:
    _all_compared(counts, "maximal-lottery")
    drawn = np.array([float(p) for p in lottery(counts.points - counts.points.T)])
    return _Made(_odds(drawn), drawn)


def _proportional(counts: _Counts) -> _Made:
    """Kim, Zhang, Ozdaglar and Parrilo, Population-proportional alignment, 2025."""
    _all_compared(counts, "population-proportional")
    apart = np.where(np.eye(len(counts.names), dtype=bool), np.inf, counts.shares)
    most = apart.min(axis=1) if len(counts.names) > 1 else np.ones(1)
    if not most.any():
        raise Inapplicable.because(
            "population-proportional", "an alternative that somebody can have first",
            "each is unanimously below some other",
        )  # fmt: skip
    return _Made(_odds(most), most / most.sum())


def _maxmin(counts: _Counts) -> _Made:
    shares = [_shares(points) for points in _grouped(counts, "maxmin").values()]
    return _Made(_nearest_half(np.stack(shares)))


RULES: dict[str, Callable[[_Counts], _Made]] = {
    "pooled": _pooled,
    "majority": _majority,
    "maximal-lottery": _maximal_lottery,
    "population-proportional": _proportional,
    "maxmin": _maxmin,
}
"""Rules that make one target a pair; `per-group` makes one a pair and group."""


def _nearest_half(shares: Floats) -> Floats:
    """The point nearest to one half of what mixtures of groups prefer; NaN if one is unknown."""
    low, high = shares.min(axis=0), shares.max(axis=0)
    nearest: Floats = np.where(np.isnan(low), np.nan, np.clip(0.5, low, high))
    return nearest


def _odds(weights: Floats) -> Floats:
    """The share of one weight in the sum of two; NaN where both are 0."""
    total = weights[:, None] + weights[None, :]
    odds: Floats = np.full(total.shape, np.nan)
    np.divide(np.broadcast_to(weights[:, None], total.shape), total, out=odds, where=total > 0)
    return odds


def _all_compared(counts: _Counts, rule: str) -> None:
    unknown = np.argwhere(np.triu(np.isnan(counts.shares), k=1))
    if len(unknown):
        i, j = unknown[0]
        raise Inapplicable.because(
            rule, "every two alternatives compared by somebody",
            f"{len(unknown)} pairs that nobody compared, such as {counts.names[i]} and "
            f"{counts.names[j]}",
        )  # fmt: skip


def _grouped(counts: _Counts, rule: str) -> Mapping[str, Ints]:
    if not counts.groups:
        raise _ungrouped(rule)
    return counts.groups


def _ungrouped(rule: str) -> Inapplicable:
    return Inapplicable.because(
        rule, "groups of people", "none",
        "Say who belongs to which group, or choose a rule that needs none, such as pooled.",
    )  # fmt: skip


def _points(election: Election, counts: Ints | None = None) -> Ints:
    """Twice the preferences and once the ties of each pair; who ranks neither compared nothing."""
    if not len(election.orders):
        return 2 * election.wins
    given = election.counts if counts is None else counts
    wins = (
        election.wins
        if counts is None
        else count_wins(election.orders, given, unranked=election.unranked)
    )
    ranked = (election.orders >= 0).astype(np.float64)
    weighted = ranked * given[:, None]
    both = ranked.T @ weighted
    if election.unranked == "last":
        # Ranked at all, the one stands above the other.
        one = weighted.sum(axis=0)
        both = one[:, None] + one[None, :] - both
    compared = np.rint(both).astype(np.int64)
    ties = compared - wins - wins.T
    points: Ints = 2 * wins + ties
    np.fill_diagonal(points, 0)
    return points


def _of_ballots(
    election: Election, rule: str, groups: dict[str, Election], seed: int, rounds: int
) -> Targets:
    names = election.alternatives
    _check_ballots(election, groups)
    counts = _Counts(names, _points(election), {g: _points(e) for g, e in groups.items()})
    drawn = _drawn(election, groups, seed, rounds)
    made = _by_rule(counts, rule)
    again = [_or_none(one, rule) for one in drawn]
    targets = []
    for group, one in made.items():
        resampled = [a[group].probability for a in again if a is not None and group in a]
        targets += _pair_targets(counts, drawn, group, one, resampled, election, groups, seed)
    whole = made.get(None)
    return Targets(
        made_by=_made_by(rule, seed, rounds),
        rule=rule,
        says=SAYS[rule],
        source="ballots",
        n=election.voters,
        targets=tuple(targets),
        rewards=_rewards(counts, drawn, election, groups, seed),
        lottery=(
            dict(zip(names, map(float, whole.lottery), strict=True))
            if whole is not None and whole.lottery is not None
            else {}
        ),
        differences=tuple(
            _difference(counts, drawn, made, again, other, rule, election.voters, seed)
            for other in SAYS
            if other != rule
        ),
    )


def _by_rule(counts: _Counts, rule: str) -> dict[str | None, _Made]:
    """What a rule makes, by group; None is everybody."""
    if rule != "per-group":
        return {None: RULES[rule](counts)}
    return {group: _Made(_soft(points)) for group, points in _grouped(counts, rule).items()}


def _or_none(counts: _Counts, rule: str) -> dict[str | None, _Made] | None:
    """The same, or None where a resample does not hold what the rule needs."""
    try:
        return _by_rule(counts, rule)
    except Inapplicable:
        return None


def _check_ballots(election: Election, groups: dict[str, Election]) -> None:
    faults = [
        Fault(where=f"group {g}", expected="ballots over the same alternatives in the same order",
              seen=", ".join(e.alternatives))
        for g, e in groups.items()
        if not isinstance(e, Election) or e.alternatives != election.alternatives
    ]  # fmt: skip
    if len(election.alternatives) > ALTERNATIVES:
        faults.append(Fault(
            where="ballots", expected=f"at most {ALTERNATIVES} alternatives",
            seen=str(len(election.alternatives)), do="Choose among them first.",
        ))  # fmt: skip
    if faults:
        raise InputError(faults)


def _drawn(
    election: Election, groups: dict[str, Election], seed: int, rounds: int
) -> list[_Counts]:
    """Counts of resampled voters; those of groups are drawn within each group."""
    rng = np.random.default_rng([seed, 6])
    # Of whom only pairs are known nobody can be drawn again.
    if not all(len(e.orders) and e.voters for e in (election, *groups.values())):
        return []
    whole = election.drawn(rng, rounds)
    parts = {g: e.drawn(rng, rounds) for g, e in groups.items()}
    return [
        _Counts(
            election.alternatives,
            _points(election, whole[r]),
            {g: _points(groups[g], part[r]) for g, part in parts.items()},
        )
        for r in range(rounds)
    ]


def _pair_targets(
    counts: _Counts,
    drawn: Sequence[_Counts],
    group: str | None,
    made: _Made,
    resampled: Sequence[Floats],
    election: Election,
    groups: dict[str, Election],
    seed: int,
) -> list[PairTarget]:
    points = counts.points if group is None else counts.groups[group]
    own = election if group is None else groups[group]
    compared = (points + points.T) // 2
    pairs = list(combinations(range(len(counts.names)), 2))
    mean = sum(int(compared[i, j]) for i, j in pairs) / max(1, len(pairs))
    stack = np.stack(resampled) if resampled else None
    refused = len(drawn) - len(resampled)
    return [
        PairTarget(
            a=counts.names[i],
            b=counts.names[j],
            group=group,
            probability=_known(made.probability[i, j]),
            interval=None if stack is None else _spread(stack[:, i, j], refused),
            support=_share(points, i, j, own, [_own(d, group) for d in drawn], seed),
            weight=int(compared[i, j]) / mean if mean else 0.0,
            groups={
                g: _share(p, i, j, groups[g], [d.groups[g] for d in drawn], seed)
                for g, p in counts.groups.items()
            },
        )
        for i, j in pairs
    ]


def _own(counts: _Counts, group: str | None) -> Ints:
    return counts.points if group is None else counts.groups[group]


def _share(
    points: Ints, i: int, j: int, election: Election, drawn: Sequence[Ints], seed: int
) -> Estimate:
    """Wilson's interval where everyone compared once; of people of several orders, resampled."""
    n = int(points[i, j] + points[j, i]) // 2
    if not n or election.bundles is None:
        return proportion(float(points[i, j]) / 2, n)
    pairs = np.array([(d[i, j], d[j, i]) for d in drawn], dtype=np.float64).reshape(-1, 2)
    some = pairs[pairs.sum(axis=1) > 0]
    interval = _spread(some[:, 0] / some.sum(axis=1)) if len(some) else None
    return Estimate(
        value=float(points[i, j]) / 2 / n,
        interval=interval,
        n=election.voters,
        seed=None if interval is None else seed,
    )


def _spread(values: Floats, refused: int = 0) -> Interval | None:
    """The middle of resamples in which there is a value; None where there are none.

    Args:
        values: one a resample, between 0 and 1; NaN where there is none.
        refused: resamples beside these to which a rule did not apply: any value is possible there.
    """
    known = values[~np.isnan(values)]
    return percentile_interval(known, unknown=refused) if len(known) else None


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _rewards(
    counts: _Counts,
    drawn: Sequence[_Counts],
    election: Election,
    groups: dict[str, Election],
    seed: int,
) -> tuple[GroupReward, ...]:
    made = []
    for group in (None, *counts.groups):
        value = _win_rates(_own(counts, group))
        again = [_win_rates(_own(d, group)) for d in drawn]
        stack = np.stack(again) if again else None
        n = (election if group is None else groups[group]).voters
        rewards = {
            name: Estimate(
                value=_known(value[a]),
                interval=None if stack is None else _spread(stack[:, a]),
                n=n,
                seed=seed if stack is not None else None,
            )
            for a, name in enumerate(counts.names)
        }
        made.append(GroupReward(group=group, rewards=rewards))
    return tuple(made)


def _win_rates(points: Ints) -> Floats:
    """Share of its comparisons that each alternative wins; NaN without any."""
    total = (points + points.T).sum(axis=1)
    rates: Floats = np.full(len(points), np.nan)
    np.divide(points.sum(axis=1), total, out=rates, where=total > 0)
    return rates


@dataclass(frozen=True)
class _Distance:
    """How far two sets of targets are apart."""

    pairs: int
    flipped: float
    moved: float
    variation: float | None


def _distance(one: dict[str | None, _Made], other: dict[str | None, _Made]) -> _Distance:
    """Over pairs of which both say something; a rule of groups is compared group by group."""
    both = [
        (x, y) for g, x in one.items() for h, y in other.items() if g is None or h is None or g == h
    ]
    upper = np.triu_indices(len(next(iter(one.values())).probability), k=1)
    p = np.concatenate([x.probability[upper] for x, _ in both])
    q = np.concatenate([y.probability[upper] for _, y in both])
    known = ~(np.isnan(p) | np.isnan(q))
    p, q = p[known], q[known]
    a, b = one.get(None), other.get(None)
    lots = a is not None and b is not None and a.lottery is not None and b.lottery is not None
    return _Distance(
        pairs=len(p),
        flipped=float(np.mean((p - 0.5) * (q - 0.5) < 0)) if len(p) else float("nan"),
        moved=float(np.abs(p - q).mean()) if len(p) else float("nan"),
        variation=float(np.abs(a.lottery - b.lottery).sum() / 2) if lots else None,  # type: ignore[union-attr,operator]
    )


def _difference(
    counts: _Counts,
    drawn: Sequence[_Counts],
    made: dict[str | None, _Made],
    again: Sequence[dict[str | None, _Made] | None],
    other: str,
    rule: str,
    voters: int,
    seed: int,
) -> RuleDifference:
    try:
        theirs = _by_rule(counts, other)
    except Inapplicable as reason:
        return RuleDifference(rule=other, refused=str(reason))
    found = _distance(made, theirs)
    resampled = [
        _distance(mine, yours)
        for mine, yours in zip(again, (_or_none(d, other) for d in drawn), strict=True)
        if mine is not None and yours is not None
    ]
    refused = len(drawn) - len(resampled)

    def estimate(value: float | None, values: list[float | None]) -> Estimate | None:
        if value is None or np.isnan(value):
            return None
        spread = _spread(np.array([np.nan if v is None else v for v in values]), refused)
        return Estimate(
            value=value, interval=spread, n=voters, seed=seed if spread is not None else None
        )

    return RuleDifference(
        rule=other,
        pairs=found.pairs,
        flipped=estimate(found.flipped, [d.flipped for d in resampled]),
        moved=estimate(found.moved, [d.moved for d in resampled]),
        variation=estimate(found.variation, [d.variation for d in resampled]),
    )


# Rows: many questions of two answers each.


@dataclass(frozen=True)
class _Question:
    """Two answers, and how people split between them."""

    about: str
    a: str
    b: str
    points: int
    """Twice the preferences for a, and once the ties."""
    against: int
    """The same for b."""
    support: Estimate
    groups: dict[str, Estimate]
    cluster: str
    """The unit of independence where no people are known."""


def _judged(pair: JudgedPair) -> _Question:
    points, against = 2 * pair.prefer_first + pair.ties, 2 * pair.prefer_second + pair.ties
    n = (points + against) // 2
    return _Question(
        about=f"{pair.source}/{pair.id}", a="first", b="second", points=points, against=against,
        support=proportion(points / 2, n), groups={}, cluster=pair.cluster,
    )  # fmt: skip


def _questions_of_outcome(outcome: Outcome) -> list[_Question]:
    return [
        _Question(
            about=share.norm, a="decline", b="perform",
            points=round(2 * share.decline), against=round(2 * share.perform),
            support=share.p_decline, groups=share.groups, cluster=share.norm,
        )
        for share in outcome.pairs
    ]  # fmt: skip


def _questions_of_comparisons(
    compared: Sequence[Comparison], groups: dict[str, Collection[str]], seed: int, rounds: int
) -> list[_Question]:
    by_norm: dict[str, list[Comparison]] = defaultdict(list)
    for one in compared:
        by_norm[one.norm].append(one)

    def share(chosen: Sequence[Comparison]) -> Estimate:
        values = np.array([DECLINED[c.choice] for c in chosen], dtype=np.float64)
        return clustered_share(values, [c.participant for c in chosen], seed, max(1, rounds))

    made = []
    for norm in sorted(by_norm):
        chosen = by_norm[norm]
        points = round(2 * sum(DECLINED[c.choice] for c in chosen))
        within = {
            g: share([c for c in chosen if c.participant in members])
            for g, members in groups.items()
        }
        made.append(
            _Question(
                about=norm, a="decline", b="perform", points=points,
                against=2 * len(chosen) - points, support=share(chosen), groups=within,
                cluster=norm,
            )
        )  # fmt: skip
    return made


def _of_rows(
    questions: Sequence[_Question],
    rule: str,
    source: Source,
    n: int,
    seed: int,
    rounds: int,
    *,
    derived: tuple[str, ...] = (),
) -> Targets:
    made = _rows_by_rule(questions, rule)
    mean = sum(q.points + q.against for q in questions) / 2 / max(1, len(questions))
    targets = [
        PairTarget(
            about=q.about,
            a=q.a,
            b=q.b,
            group=group,
            probability=_known(p),
            interval=_row_interval(q, rule, group),
            support=q.support if group is None else q.groups[group],
            weight=(q.points + q.against) / 2 / mean if mean else 0.0,
            groups=q.groups,
        )
        for group, values in made.items()
        for q, p in zip(questions, values, strict=True)
        if group is None or group in q.groups
    ]
    return Targets(
        derived_from=derived,
        made_by=_made_by(rule, seed, rounds),
        rule=rule,
        says=SAYS[rule],
        source=source,
        n=n,
        targets=tuple(targets),
        differences=tuple(
            _row_difference(questions, made, other, seed, rounds) for other in SAYS if other != rule
        ),
    )


def _rows_by_rule(questions: Sequence[_Question], rule: str) -> dict[str | None, Floats]:
    """Probability of a for each question, by group; of two answers every rule is closed."""
    points = np.array([q.points for q in questions], dtype=np.int64)
    against = np.array([q.against for q in questions], dtype=np.int64)
    total = points + against
    nobody = total == 0
    names = sorted({g for q in questions for g in q.groups})
    if rule in ("maxmin", "per-group") and not names:
        raise _ungrouped(rule)
    match rule:
        case "pooled":
            return {None: np.where(nobody, np.nan, (points + 1) / (total + 2))}
        case "majority" | "maximal-lottery":
            return {None: np.where(nobody, np.nan, 0.5 + np.sign(points - against) / 2)}
        case "population-proportional":
            return {None: np.where(nobody, np.nan, points / np.maximum(1, total))}
        case "maxmin":
            return {None: _nearest_half(np.stack([_group_shares(questions, g) for g in names]))}
        case _:
            return {g: _group_shares(questions, g, soft=True) for g in names}


def _group_shares(questions: Sequence[_Question], group: str, *, soft: bool = False) -> Floats:
    """Share of a group that prefers a; NaN where it compared nothing."""
    found = []
    for q in questions:
        share = q.groups.get(group)
        if share is None or share.value is None:
            found.append(np.nan)
        else:
            found.append((share.value * share.n + 0.5) / (share.n + 1) if soft else share.value)
    return np.array(found, dtype=np.float64)


def _row_interval(question: _Question, rule: str, group: str | None) -> Interval | None:
    """Of a share its own interval, of a side what the interval of the share leaves open."""
    share = question.support if group is None else question.groups.get(group)
    if share is None or share.interval is None or rule == "maxmin":
        return None
    if rule in ("pooled", "population-proportional", "per-group"):
        return share.interval
    low, high = share.interval.low, share.interval.high
    return share.interval.model_copy(
        update={"low": 0.5 + float(np.sign(low - 0.5)) / 2,
                "high": 0.5 + float(np.sign(high - 0.5)) / 2}
    )  # fmt: skip


def _row_difference(
    questions: Sequence[_Question],
    made: dict[str | None, Floats],
    other: str,
    seed: int,
    rounds: int,
) -> RuleDifference:
    """Questions are drawn again, by their unit of independence: people are not known here."""
    try:
        theirs = _rows_by_rule(questions, other)
    except Inapplicable as reason:
        return RuleDifference(rule=other, refused=str(reason))
    both = [(x, y) for g, x in made.items() for h, y in theirs.items() if None in (g, h) or g == h]
    p, q = np.concatenate([x for x, _ in both]), np.concatenate([y for _, y in both])
    clusters = [one.cluster for one in questions] * len(both)
    known = ~(np.isnan(p) | np.isnan(q))
    p, q = p[known], q[known]
    kept = [c for c, k in zip(clusters, known, strict=True) if k]

    def mean(values: Floats) -> Estimate:
        return bootstrap_mean(
            values, clusters=kept, seed=seed, rounds=max(1, rounds), bounds=(0.0, 1.0)
        )

    return RuleDifference(
        rule=other,
        pairs=len(p),
        flipped=mean(((p - 0.5) * (q - 0.5) < 0).astype(np.float64)) if len(p) else None,
        moved=mean(np.abs(p - q)) if len(p) else None,
    )


def _made_by(rule: str, seed: int, rounds: int) -> MadeBy:
    parameters: dict[str, Any] = {"rule": rule, "rounds": rounds}
    return MadeBy(stage="aggregate", version=__version__, parameters=parameters, seed=seed)
