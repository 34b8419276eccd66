"""Soft groups: a mixture of categorical votes with a Dirichlet prior, fitted by EM.

A group is a share of agree, pass and disagree for every statement; a person belongs to each group
with a probability. Only votes that were cast enter the likelihood: a missing vote is missing, and
nobody is moved towards a mean. Each group's shares are drawn towards those of all people by a
Dirichlet prior, so that groups differ only where their votes say so (latent class analysis:
Lazarsfeld and Henry, "Latent Structure Analysis", 1968; EM: Dempster, Laird and Rubin, JRSS B 39,
1977).

What is assumed: whether somebody saw a statement does not depend on what they would have voted,
and within a group one vote tells nothing about another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from normwright.aggregate.opinions.cells import Cells, Floats, Ints, Mask
from normwright.aggregate.opinions.splitting import kmeans

PRIOR = 2.0
"""Votes on each statement that the prior is worth, shared out as all people voted."""
FOLDS = 5
"""Parts of the votes, each hidden once, while the number of groups is chosen."""
_TURNS = 200
_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Mixture:
    """Fitted groups."""

    weights: Floats
    """Share of people in each group, shape (k,)."""
    shares: Floats
    """Probability of each kind of vote in each group, shape (3 x statements, k)."""
    memberships: Floats
    """Probability that each person belongs to each group, shape (people, k)."""
    likelihood: float
    """Log-likelihood of the votes and log prior, up to a constant."""
    turns: int
    """Turns of EM that were needed."""

    @property
    def labels(self) -> Ints:
        """The likeliest group of each person, shape (people,)."""
        labels: Ints = self.memberships.argmax(axis=1)
        return labels


@dataclass(frozen=True)
class Gain:
    """How much better than one group k groups foretell hidden votes."""

    k: int
    gain: float
    """Log-probability of a hidden vote above that of one group, mean over votes."""
    error: float
    """Standard error of the gain, people being independent."""
    better: bool
    """Whether it gains over one group less: anything for two groups, a standard error for more."""


def mix(
    cells: Cells, begin: Floats, *, turns: int = _TURNS, tolerance: float = _TOLERANCE
) -> Mixture:
    """Return the best of the mixtures that EM reaches from some starts, all run at once.

    Args:
        cells: the votes.
        begin: memberships to start from, shape (starts, people, k).
        turns: turns of EM at most.
        tolerance: gain, as a share of the log-likelihood, at which EM stops.
    """
    starts, people, k = begin.shape
    votes = cells.indicators
    pull = PRIOR * _base(cells)[:, None]
    joint = np.ascontiguousarray(begin.transpose(1, 0, 2).reshape(people, starts * k))
    before = np.full(starts, -np.inf)
    turn = 0
    while turn < turns:
        turn += 1
        shares = _per_statement(votes.T @ joint + pull)
        weights = (joint.sum(axis=0).reshape(starts, k) + 1) / (people + k)
        logs = np.log(shares)
        joint, likelihood = _expected((votes @ logs).reshape(people, starts, k), weights)
        likelihood += (pull * logs).sum(axis=0).reshape(starts, k).sum(axis=1)
        likelihood += np.log(weights).sum(axis=1)
        if (likelihood - before <= tolerance * np.abs(likelihood)).all():
            break
        before = likelihood
    best = int(likelihood.argmax())
    mine = slice(best * k, best * k + k)
    return Mixture(
        weights[best],
        np.ascontiguousarray(shares[:, mine]),
        np.ascontiguousarray(joint[:, mine]),
        float(likelihood[best]),
        turn,
    )


def fit(
    cells: Cells,
    points: Floats,
    k: int,
    rng: np.random.Generator,
    *,
    starts: int = 4,
    turns: int = _TURNS,
    tolerance: float = _TOLERANCE,
) -> Mixture:
    """Return the best mixture of k groups from starts on the map, and one at random.

    Args:
        cells: the votes.
        points: places of the people, shape (people, dimensions), the strongest dimension first.
        k: number of groups.
        rng: source of the starts.
        starts: number of starts; the first is the tightest of several k-means.
        turns: turns of EM at most.
        tolerance: gain, as a share of the log-likelihood, at which EM stops.
    """
    if k == 1:
        return mix(cells, np.ones((1, cells.people, 1)))
    room = points[:, : max(2, k - 1)]
    labels = [kmeans(room, k, rng, starts=3)]
    labels += [kmeans(room, k, rng, starts=1) for _ in range(starts - 2)]
    labels += [rng.integers(k, size=cells.people) for _ in range(starts > 1)]
    begin = np.stack([leaning(each, k) for each in labels])
    return mix(cells, begin, turns=turns, tolerance=tolerance)


def leaning(labels: Ints, k: int) -> Floats:
    """Return memberships that lean to labels, shape (people, k), so that EM may yet move all."""
    lean: Floats = 0.9 * np.eye(k)[labels] + 0.1 / k
    return lean


def spread(cells: Cells, fitted: Mixture, *, turns: int) -> Mixture:
    """Return a mixture carried over from some of the people to all, by a few turns of EM."""
    scores = (cells.indicators @ np.log(fitted.shares))[:, None, :]
    memberships, _ = _expected(scores, fitted.weights[None])
    return mix(cells, memberships[None], turns=turns, tolerance=1e-6)


def of_labels(cells: Cells, labels: Ints, k: int) -> Mixture:
    """Return the mixture that given groups are, without any fitting."""
    return mix(cells, np.eye(k)[labels][None], turns=1)


def placed(cells: Cells, fitted: Mixture) -> Floats:
    """Return memberships of other people in fitted groups, shape (people, k)."""
    scores = (cells.indicators @ np.log(fitted.shares))[:, None, :]
    return _expected(scores, fitted.weights[None])[0]


def gains(
    cells: Cells, points: Floats, most: int, rng: np.random.Generator, *, starts: int = 1
) -> list[Gain]:
    """Return how well 2, 3, ... groups foretell votes that were hidden, while one more helps.

    Every vote is hidden once (cross-validation): groups are fitted to four fifths of the votes, and
    the others are foretold from those that the same person did show. The last that is returned is
    the first that is not better than the one before, unless all are.
    """
    part = rng.integers(FOLDS, size=len(cells.values))
    folds = []
    for number in range(FOLDS):
        hidden: Mask = part == number
        folds.append((cells.keeping(~hidden), cells.rows[hidden], cells.kinds[hidden]))
    votes = max(1, len(cells.values))

    def told(k: int) -> Floats:
        sums = np.zeros(cells.people)
        for shown, rows, kinds in folds:
            fitted = fit(shown, points, k, rng, starts=starts)
            chances = (fitted.memberships[rows] * fitted.shares[kinds]).sum(axis=1)
            sums += np.bincount(rows, np.log(chances), cells.people)
        return sums

    def error(person: Floats) -> float:
        return float(person.std() * np.sqrt(len(person)) / votes)

    alone = before = told(1)
    found = []
    for k in range(2, most + 1):
        now = told(k)
        # Whether two are more than chance is for a test of its own to say.
        least = error(now - before) if k > 2 else 0.0
        better = float((now - before).sum()) / votes > least
        found.append(Gain(k, float((now - alone).sum()) / votes, error(now - alone), better))
        if not better:
            break
        before = now
    return found


def enough(found: Sequence[Gain]) -> int:
    """Return the number of groups after which one more did not help; 1 if two did not."""
    return max((g.k for g in found if g.better), default=1)


def _base(cells: Cells) -> Floats:
    """Shares of each kind of vote among all people, shape (3 x statements,)."""
    tallies = cells.tallies
    base: Floats = ((tallies + 1 / 3) / (tallies.sum(axis=1, keepdims=True) + 1)).ravel()
    return base


def _per_statement(counts: Floats) -> Floats:
    three = counts.reshape(-1, 3, counts.shape[1])
    shares: Floats = (three / three.sum(axis=1, keepdims=True)).reshape(counts.shape)
    return shares


def _expected(scores: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Memberships, shape (people, starts x k), and log-likelihood of each start."""
    people, starts, k = scores.shape
    scores = scores + np.log(weights)
    top = scores.max(axis=2, keepdims=True)
    grown = np.exp(scores - top)
    total = grown.sum(axis=2, keepdims=True)
    likelihood: Floats = (top + np.log(total)).sum(axis=(0, 2))
    return (grown / total).reshape(people, starts * k), likelihood
