"""One polity's ballots, aggregated: support, groups, consensus, rankings and comparisons."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from normwright import __version__
from normwright.aggregate.election import Election
from normwright.aggregate.groups import Grouped, find_groups
from normwright.aggregate.opinions.cells import Cells
from normwright.aggregate.opinions.tallying import tally
from normwright.aggregate.profile import Profile
from normwright.aggregate.ranking import rank
from normwright.aggregate.robust import robust_support
from normwright.aggregate.standings import certainty
from normwright.records import (
    NO_BALLOTS,
    Ballots,
    Comparison,
    Estimate,
    MadeBy,
    Outcome,
    PairShare,
    Participant,
    Polity,
    Process,
    Statement,
    Support,
    Unranked,
    Vote,
)
from normwright.stats import bootstrap_mean, proportion

DECLINED = {"decline": 1.0, "tie": 0.5, "perform": 0.0}
"""What a comparison counts for declining; a tie is half to either side."""


def aggregate(
    *,
    process: Process,
    polity: Polity,
    participants: Sequence[Participant],
    statements: Sequence[Statement],
    votes: Sequence[Vote],
    comparisons: Sequence[Comparison],
    ballots: Ballots = NO_BALLOTS,
    unranked: Unranked = "last",
    seed: int,
    bootstrap: int = 200,
    methods: Sequence[str] = ("schulze", "borda"),
) -> Outcome:
    """Return what one polity's ballots say.

    Only participants who belong to the polity are counted, and only on statements and comparisons
    that it has authority over; ideals for individuals that it asked about are among them.
    Everything else handed in is left out, so that a whole consultation can be handed in once for
    every polity.

    Args:
        process: the consultation; its kind travels with the outcome.
        polity: whose outcome it is.
        participants: participants of the process.
        statements: statements of the process.
        votes: votes that count, at most one a participant and statement.
        comparisons: choices between two answers.
        ballots: rankings of statements; where a polity has any, its rankings come from them, and
            from its votes where it has none.
        unranked: what a statement that a ballot leaves out counts as.
        seed: seed of every random step.
        bootstrap: rounds of subsampling for the stability of groups; ten times as many for the
            shares of comparisons, which are cheap. Rankings are resampled `bootstrap` times.
        methods: slugs of the ranking methods, the one that counts first.
    """
    electorate = [p.id for p in participants if polity.id in p.polities]
    asked = [s.id for s in statements if s.authority == polity.id]
    profile = Profile.of(votes, participants=electorate, statements=asked)
    grouped = find_groups(profile, seed=seed, rounds=bootstrap)
    box = Election.of(ballots, voters=electorate, alternatives=asked, unranked=unranked)
    # Where people ranked and nobody voted there is no support to speak of, not even unknown.
    support = () if box.voters and not profile.size else _support(profile, grouped)
    election = box if box.voters else profile.election()
    rankings = tuple(rank(election, method=m) for m in methods)
    sure = certainty(box, rankings[0], seed=seed, rounds=bootstrap)
    return Outcome(
        derived_from=tuple(sorted({process.digest, polity.digest})),
        made_by=MadeBy(
            stage="aggregate",
            version=__version__,
            parameters={"bootstrap": bootstrap, "methods": list(methods)},
            seed=seed,
        ),
        process=process.id,
        kind=process.kind,
        layer=polity.layer,
        authority=polity.id,
        participants=len(electorate),
        votes=profile.size,
        support=support,
        robust=robust_support(profile, statements, grouped, seed=seed),
        rankings=rankings,
        voters=box.voters,
        unranked=unranked if box.voters else None,
        standings=sure.standings,
        margins=sure.margins,
        pairs=_pairs(polity, comparisons, profile, grouped, seed=seed, rounds=10 * bootstrap),
        grouping=grouped.grouping,
        undecided=tuple(s.statement for s in support if _straddles(s.support)),
    )


def _support(profile: Profile, grouped: Grouped) -> tuple[Support, ...]:
    counts = profile.counts()
    groups = {g.id: profile.counts(grouped.mask(i)) for i, g in enumerate(grouped.grouping.groups)}
    # Unknown where there are no groups to be aware of.
    shared = tally(Cells.of(profile), grouped.labels, len(groups)).consensus[0] if groups else None
    return tuple(
        Support(
            statement=statement,
            agree=int(counts[0, j]),
            disagree=int(counts[1, j]),
            passed=int(counts[2, j]),
            seen=int(counts[:, j].sum()),
            support=_share(counts[:, j]),
            groups={g: _share(c[:, j]) for g, c in groups.items()},
            groups_disagree={g: _share(c[[1, 0, 2], j]) for g, c in groups.items()},
            consensus=None if shared is None else float(shared[j]),
        )
        for j, statement in enumerate(profile.statements)
    )


def _share(counts: NDArray[np.int64]) -> Estimate:
    return proportion(int(counts[0]), int(counts.sum()))


def _straddles(share: Estimate) -> bool:
    """Nothing observed excludes nothing, so it straddles too."""
    return share.interval is None or share.interval.low <= 0.5 <= share.interval.high


def _pairs(
    polity: Polity,
    comparisons: Sequence[Comparison],
    profile: Profile,
    grouped: Grouped,
    *,
    seed: int,
    rounds: int,
) -> tuple[PairShare, ...]:
    number = {p: i for i, p in enumerate(profile.participants)}
    by_norm: dict[str, list[Comparison]] = defaultdict(list)
    for comparison in comparisons:
        if comparison.authority == polity.id and comparison.participant in number:
            by_norm[comparison.norm].append(comparison)
    made: list[PairShare] = []
    for norm in sorted(by_norm):
        chosen = by_norm[norm]
        values = np.array([DECLINED[c.choice] for c in chosen])
        people: list[Hashable] = [c.participant for c in chosen]
        labels = np.array([grouped.labels[number[c.participant]] for c in chosen])
        of = {g.id: labels == i for i, g in enumerate(grouped.grouping.groups)}
        made.append(
            PairShare(
                norm=norm,
                perform=float((1 - values).sum()),
                decline=float(values.sum()),
                p_decline=clustered_share(values, people, seed, rounds),
                groups=_by_group(values, people, of, seed, rounds),
            )
        )
    return tuple(made)


def _by_group(
    values: NDArray[np.float64],
    people: Sequence[Hashable],
    masks: Mapping[str, NDArray[np.bool_]],
    seed: int,
    rounds: int,
) -> dict[str, Estimate]:
    return {
        group: clustered_share(
            values[mask], [p for p, mine in zip(people, mask, strict=True) if mine], seed, rounds
        )
        for group, mask in masks.items()
    }


def clustered_share(
    values: NDArray[np.float64], people: Sequence[Hashable], seed: int, rounds: int
) -> Estimate:
    """Return a share with Wilson's interval where everyone chose once, else with people resampled.

    Args:
        values: 1, 0, or one half for a tie, shape (choices,).
        people: who made each choice.
        seed: seed of the resampling.
        rounds: number of resamples.
    """
    if all(count == 1 for count in Counter(people).values()):
        return proportion(float(values.sum()), len(values))
    return bootstrap_mean(values, clusters=people, seed=seed, rounds=rounds, bounds=(0.0, 1.0))
