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
    names = [name for tier in ranking.tiers for name in tier]
    # Voters alike are drawn together.
    drawn = _draw(ballots, ranking.method, _pairs(names), seed, rounds)
    return Certainty(
        _standings(ballots, names, drawn, seed), _margins(ballots, _pairs(names), drawn, seed)
    )


@dataclass(frozen=True, eq=False)
class _Drawn:
    """What became of the ranking in resamples of the voters."""

    best: NDArray[np.int64]
    """Best place of each alternative, shape (rounds, m)."""
    worst: NDArray[np.int64]
    """Worst place, same shape."""
    answered: int
    """Resamples to which the method applies."""
    ahead: NDArray[np.int64]
    """Voters by whom each pair's first is ahead of its second, shape (rounds, pairs)."""


def _draw(
    ballots: Election, method: str, pairs: Sequence[tuple[str, str]], seed: int, rounds: int
) -> _Drawn:
    """Rank resamples of the voters.

    A method may not apply to a resample, where voters that link alternatives were not drawn. Any
    place is then possible, so that the interval is never narrower than what is known.
    """
    ranked_by: Method = plugins.get("methods", method)
    m = len(ballots.alternatives)
    number = {a: j for j, a in enumerate(ballots.alternatives)}
    above = [number[a] for a, _ in pairs]
    below = [number[b] for _, b in pairs]
    best = np.ones((rounds, m), dtype=np.int64)
    worst = np.full((rounds, m), m, dtype=np.int64)
    ahead = np.zeros((rounds, len(pairs)), dtype=np.int64)
    answered = 0
    resamples = ballots.resamples(np.random.default_rng([seed, 3]), rounds)
    for k, election in enumerate(resamples):
        ahead[k] = election.margins[above, below]
        try:
            best[k] = worst[k] = _places(ranked_by, election)
        except Inapplicable:
            continue
        answered += 1
    return _Drawn(best, worst, answered, ahead)


def _standings(
    ballots: Election, names: Sequence[str], drawn: _Drawn, seed: int
) -> tuple[Standing, ...]:
    best, worst, answered = drawn.best, drawn.worst, drawn.answered
    firsts, ranked = ballots.firsts(), ballots.ranked()
    number = {a: j for j, a in enumerate(ballots.alternatives)}
    made = []
    for name in names:
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
                ranked=int(ranked[j]),
                first=proportion(float(firsts[j]), ballots.voters),
                leads=leads.model_copy(update={"seed": seed}),
                places=sure,
            )
        )
    return tuple(made)


def _margins(
    ballots: Election, pairs: Sequence[tuple[str, str]], drawn: _Drawn, seed: int
) -> tuple[Margin, ...]:
    wins = ballots.wins
    number = {a: j for j, a in enumerate(ballots.alternatives)}
    made = []
    for (above, below), ahead in zip(pairs, drawn.ahead.T, strict=True):
        i, j = number[above], number[below]
        prefer, oppose = int(wins[i, j]), int(wins[j, i])
        margin = _margin(prefer, oppose, ballots.voters, ahead / ballots.voters, seed)
        made.append(Margin(above=above, below=below, prefer=prefer, oppose=oppose, margin=margin))
    return tuple(made)


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
