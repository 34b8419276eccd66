"""How sure a ranking is: voters are drawn again, with their whole ballots, and ranked anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from normwright import plugins
from normwright.aggregate.election import Election, Inapplicable
from normwright.aggregate.methods import Method
from normwright.aggregate.pairs import count_wins
from normwright.records import Estimate, Interval, Margin, Ranking, Standing
from normwright.stats import percentile_interval, proportion, upper_bound

ALL_PAIRS = 20
"""Alternatives up to which every pair has its margin."""
LEVEL = 0.95
FEW = 10
"""With fewer voters nothing is said of how sure a ranking is."""


@dataclass(frozen=True)
class Certainty:
    """How sure a ranking is, alternative by alternative and pair by pair."""

    standings: tuple[Standing, ...] = ()
    """Each alternative, in the order of the ranking."""
    margins: tuple[Margin, ...] = ()
    """Pairs: all of up to 20 alternatives, of more only neighbours and the first with each."""


def certainty(ballots: Election, ranking: Ranking, *, seed: int, rounds: int) -> Certainty:
    """Return how sure a ranking is; nothing without voters.

    Args:
        ballots: rankings of one electorate.
        ranking: the ranking that counts.
        seed: seed of the resampling.
        rounds: number of resamples of the voters.
    """
    if not ballots.voters:
        return Certainty()
    # Voters alike are drawn together.
    counts = ballots.drawn(np.random.default_rng([seed, 3]), rounds)
    wins = count_wins(ballots.orders, counts, unranked=ballots.unranked)
    drawn = [ballots.with_counts(c, wins=w) for c, w in zip(counts, wins, strict=True)]
    return Certainty(
        _standings(ballots, ranking, drawn, seed), _margins(ballots, ranking, wins, seed)
    )


def _standings(
    ballots: Election, ranking: Ranking, drawn: Sequence[Election], seed: int
) -> tuple[Standing, ...]:
    method: Method = plugins.get("methods", ranking.method)
    best, worst, answered = _drawn_places(method, drawn, len(ballots.alternatives))
    firsts, ranked = ballots.firsts(), ballots.ranked()
    number = {a: j for j, a in enumerate(ballots.alternatives)}
    made = []
    for name in (name for tier in ranking.tiers for name in tier):
        j = number[name]
        leads = proportion(int((worst[:, j] == 1).sum()), answered)
        low = percentile_interval(best[:, j], LEVEL).low
        sure = _whole(percentile_interval(worst[:, j], LEVEL).model_copy(update={"low": low}))
        if ballots.voters < FEW:
            # So few, drawn again, are nearly themselves: what is least sure would look certain.
            leads = Estimate(value=None, interval=None, n=answered)
            sure = sure.model_copy(update={"low": 1.0, "high": float(best.shape[1])})
        made.append(
            Standing(
                alternative=name,
                ranked=int(ranked[number[name]]),
                first=proportion(float(firsts[number[name]]), ballots.voters),
                leads=leads.model_copy(update={"seed": seed}),
                places=sure,
            )
        )
    return tuple(made)


def _margins(
    ballots: Election, ranking: Ranking, drawn: NDArray[np.int64], seed: int
) -> tuple[Margin, ...]:
    wins = ballots.wins
    differences = (drawn - drawn.transpose(0, 2, 1)) / ballots.voters
    number = {a: j for j, a in enumerate(ballots.alternatives)}
    made = []
    for above, below in _pairs([name for tier in ranking.tiers for name in tier]):
        i, j = number[above], number[below]
        prefer, oppose = int(wins[i, j]), int(wins[j, i])
        margin = _margin(prefer, oppose, ballots.voters, differences[:, i, j], seed)
        made.append(Margin(above=above, below=below, prefer=prefer, oppose=oppose, margin=margin))
    return tuple(made)


def _drawn_places(
    method: Method, drawn: Sequence[Election], alternatives: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Best and worst place of each alternative in each resample, and how many were ranked.

    A method may not apply to a resample, where voters that link alternatives were not drawn. Any
    place is then possible, so that the interval is never narrower than what is known.
    """
    best = np.ones((len(drawn), alternatives), dtype=np.int64)
    worst = np.full((len(drawn), alternatives), alternatives, dtype=np.int64)
    answered = 0
    for number, election in enumerate(drawn):
        try:
            best[number] = worst[number] = _places(method, election)
        except Inapplicable:
            continue
        answered += 1
    return best, worst, answered


def _places(method: Method, election: Election) -> NDArray[np.int64]:
    """The place of each alternative; those in one tier share the better."""
    places = np.zeros(len(election.alternatives), dtype=np.int64)
    before = 0
    for tier in method(election).tiers:
        places[list(tier)] = before + 1
        before += len(tier)
    return places


def _pairs(order: list[str]) -> list[tuple[str, str]]:
    if len(order) <= ALL_PAIRS:
        return list(combinations(order, 2))
    first = [(order[0], other) for other in order[1:]]
    return [*first, *pairwise(order[1:])]


def _margin(
    prefer: int, oppose: int, voters: int, draws: NDArray[np.float64], seed: int
) -> Estimate:
    """Where every voter says the same no resample differs, and the exact bound speaks instead."""
    value = (prefer - oppose) / voters
    if np.ptp(draws) > 0:
        interval = percentile_interval(draws, LEVEL)
    else:
        unseen = upper_bound(0, voters, 1 - LEVEL)
        interval = Interval(
            low=value - (value + 1) * unseen,
            high=value + (1 - value) * unseen,
            level=LEVEL,
            method="no-spread",
        )
    return Estimate(value=value, interval=interval, n=voters, seed=seed)


def _whole(interval: Interval) -> Interval:
    """Places are whole numbers; an end between two goes outwards."""
    return interval.model_copy(
        update={"low": float(np.floor(interval.low)), "high": float(np.ceil(interval.high))}
    )
