"""How sure a ranking is: voters are drawn again, with their whole ballots, and ranked anew."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from normwright import plugins
from normwright.aggregate.methods import Method
from normwright.aggregate.profile import BallotProfile
from normwright.records import Estimate, Interval, Margin, Ranking, Standing, Unranked
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


def certainty(
    ballots: BallotProfile, ranking: Ranking, unranked: Unranked, *, seed: int, rounds: int
) -> Certainty:
    """Return how sure a ranking is; nothing without voters.

    Args:
        ballots: rankings of one electorate.
        ranking: the ranking that counts.
        unranked: what an alternative that a ballot leaves out counts as.
        seed: seed of the resampling.
        rounds: number of resamples of the voters.
    """
    if not ballots.voters:
        return Certainty()
    drawn = _resampled(ballots, unranked, seed, rounds)
    return Certainty(
        _standings(ballots, ranking, drawn, seed), _margins(ballots, ranking, unranked, drawn, seed)
    )


def _standings(
    ballots: BallotProfile, ranking: Ranking, drawn: NDArray[np.int64], seed: int
) -> tuple[Standing, ...]:
    method: Method = plugins.get("methods", ranking.method)
    places = np.stack([_places(method, wins, ballots.voters) for wins in drawn])
    firsts, ranked = ballots.firsts(), ballots.ranked()
    number = {a: j for j, a in enumerate(ballots.alternatives)}
    made = []
    for name in (name for tier in ranking.tiers for name in tier):
        taken = places[:, number[name]]
        leads = proportion(int((taken == 1).sum()), len(taken))
        sure = _whole(percentile_interval(taken, LEVEL))
        if ballots.voters < FEW:
            # So few, drawn again, are nearly themselves: what is least sure would look certain.
            leads = Estimate(value=None, interval=None, n=len(taken))
            sure = sure.model_copy(update={"low": 1.0, "high": float(places.shape[1])})
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
    ballots: BallotProfile,
    ranking: Ranking,
    unranked: Unranked,
    drawn: NDArray[np.int64],
    seed: int,
) -> tuple[Margin, ...]:
    wins = ballots.wins(unranked)
    differences = (drawn - drawn.transpose(0, 2, 1)) / ballots.voters
    number = {a: j for j, a in enumerate(ballots.alternatives)}
    made = []
    for above, below in _pairs([name for tier in ranking.tiers for name in tier]):
        i, j = number[above], number[below]
        prefer, oppose = int(wins[i, j]), int(wins[j, i])
        margin = _margin(prefer, oppose, ballots.voters, differences[:, i, j], seed)
        made.append(Margin(above=above, below=below, prefer=prefer, oppose=oppose, margin=margin))
    return tuple(made)


def _resampled(
    ballots: BallotProfile, unranked: Unranked, seed: int, rounds: int
) -> NDArray[np.int64]:
    """Wins of resampled voters, shape (rounds, m, m). Voters alike are drawn together."""
    rng = np.random.default_rng([seed, 3])
    shares = ballots.counts / ballots.voters
    return ballots.wins(unranked, rng.multinomial(ballots.voters, shares, size=rounds))


def _places(method: Method, wins: NDArray[np.int64], voters: int) -> NDArray[np.int64]:
    """The place of each alternative; those in one tier share the better."""
    places = np.zeros(len(wins), dtype=np.int64)
    before = 0
    for tier in method(wins, voters).tiers:
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
