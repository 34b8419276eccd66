"""Opinion groups, if the votes hold any: found, tested against chance, and tested for stability.

The map is that of Polis: principal components of centred votes, a missing vote standing at the
mean of its statement, and people with few votes moved outwards by the square root of what they
left out (Small et al., "Polis", RECERCA 26, 2021). What Polis does not ask is asked here: would
votes without any groups look as grouped as these, and do the groups survive leaving people out?
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.profile import Profile
from normwright.records import Estimate, Group, Grouping, digest_json
from normwright.stats import adjusted_rand, percentile_interval

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

MIN_VOTES = 7
"""Votes from which a participant has a place on the map; fewer where there are fewer statements."""
MIN_SIZE = 5
"""People in the smallest group that is reported, or 2 % of all if that is more."""
MAX_GROUPS = 5
ALPHA = 0.05
"""Groups are supported only if chance looks as grouped in at most this share of permutations."""
STABLE = 0.5
"""... and if the median adjusted Rand index over subsamples is at least this."""
PERMUTATIONS = 99
KEPT = 0.8
"""Share of participants in each subsample."""
_STARTS = 60
"""Starts of k-means for the groups themselves, so that they do not hang on the seed ..."""
_FEW_STARTS = 6
"""... and for each of the many fits they are compared with."""
_SILHOUETTE_SAMPLE = 600
METHOD = "polis-map-kmeans"


@dataclass(frozen=True)
class Grouped:
    """The groups of a profile, and who is in which."""

    grouping: Grouping
    labels: Labels
    """Number of each participant's group in the order of `grouping.groups`; -1: in none."""

    def mask(self, number: int) -> NDArray[np.bool_]:
        """Return who is in a group, shape (participants,)."""
        mask: NDArray[np.bool_] = self.labels == number
        return mask


@dataclass(frozen=True)
class _Fit:
    labels: Labels
    k: int
    silhouette: float


def find_groups(profile: Profile, *, seed: int, rounds: int = 200) -> Grouped:
    """Return the opinion groups of a profile; none is a legal answer, with its reason.

    k-means on the first two principal components, k from 2 to 5 by silhouette. Groups are reported
    only if a permutation of every statement's votes among those who voted on it explains as much
    of the votes in at most 5 % of cases, and if groups found in 80 % of the people agree with
    those found in all (median adjusted Rand index at least .5). The permutation test finds that
    opinions hang together; a continuum that hangs together is told from groups by stability only.

    Args:
        profile: votes of one electorate.
        seed: seed of starts, subsamples and permutations.
        rounds: number of subsamples.
    """
    nobody = np.full(len(profile.participants), -1, dtype=np.int64)
    needed = max(1, min(MIN_VOTES, len(profile.statements)))
    placed = profile.seen.sum(axis=1) >= needed
    if len(profile.statements) < 3 or placed.sum() < 2 * MIN_SIZE:
        reason = (
            f"No groups: {int(placed.sum())} participants with at least {needed} votes on "
            f"{len(profile.statements)} statements are too few to look for any."
        )
        return Grouped(_none(reason), nobody)
    cells = _Cells.of(profile.votes[placed], profile.seen[placed])
    if not cells.varies():
        return Grouped(_none("No groups: everyone who voted on a statement agrees on it."), nobody)
    fit = _fit(cells, np.random.default_rng(seed), starts=_STARTS)
    if fit is None:
        reason = f"No groups: every split leaves a group of fewer than {MIN_SIZE}."
        return Grouped(_none(reason), nobody)
    p = _null_p(cells, fit, np.random.default_rng([seed, 1]))
    stability = _stability(cells, fit, np.random.default_rng([seed, 2]), rounds, seed)
    names = np.array(profile.participants)[placed]
    labels, members = _ordered(fit.labels, names)
    sizes = ", ".join(str(len(m)) for m in members)
    facts = (
        f"{len(members)} groups of {sizes}: votes without groups are explained as well in "
        f"{p:.0%} of permutations; groups of subsamples agree with adjusted Rand index "
        f"{stability.value:.2f}"
    )
    weak = ""
    if p > ALPHA:
        weak = "is no better than chance"
    elif stability.value is None or stability.value < STABLE:
        weak = "does not survive leaving people out"
    if weak:
        reason = f"No groups: the best split {weak} ({facts})."
        return Grouped(_none(reason, fit.silhouette, stability, p), nobody)
    everyone = nobody.copy()
    everyone[placed] = labels
    groups = tuple(
        Group(id="ABCDE"[i], size=len(m), members=digest_json(sorted(m)))
        for i, m in enumerate(members)
    )
    grouping = Grouping(
        groups=groups,
        method=METHOD,
        silhouette=fit.silhouette,
        stability=stability,
        null_p=p,
        reason=f"{facts}.",
    )
    return Grouped(grouping, everyone)


def _none(
    reason: str,
    silhouette: float | None = None,
    stability: Estimate | None = None,
    null_p: float | None = None,
) -> Grouping:
    return Grouping(
        groups=(), method=METHOD, silhouette=silhouette, stability=stability, null_p=null_p,
        reason=reason,
    )  # fmt: skip


def _ordered(labels: Labels, names: NDArray[np.str_]) -> tuple[Labels, list[list[str]]]:
    """Number groups by size, the largest first; of equals the one with the first name."""
    found = [sorted(names[labels == g].tolist()) for g in range(int(labels.max()) + 1)]
    order = sorted(range(len(found)), key=lambda g: (-len(found[g]), found[g][0]))
    renamed = np.empty(len(found), dtype=np.int64)
    renamed[order] = np.arange(len(found))
    return renamed[labels], [found[g] for g in order]


@dataclass(frozen=True)
class _Cells:
    """The votes there are, cell by cell, in order of statement; missing ones cost nothing."""

    rows: Labels
    columns: Labels
    values: Floats
    people: int
    statements: int

    @classmethod
    def of(cls, votes: NDArray[np.int8], seen: NDArray[np.bool_]) -> _Cells:
        columns, rows = np.nonzero(seen.T)
        return cls(rows, columns, votes[rows, columns].astype(np.float64), *seen.shape)

    def only(self, some: NDArray[np.bool_]) -> _Cells:
        """The cells of some of the people, renumbered."""
        kept = some[self.rows]
        number = np.cumsum(some) - 1
        return _Cells(
            number[self.rows[kept]], self.columns[kept], self.values[kept],
            int(some.sum()), self.statements,
        )  # fmt: skip

    def shuffled(self, rng: np.random.Generator) -> _Cells:
        """The same tallies and the same pattern of who saw what, with nothing to tie them."""
        # One key holds both: a statement's number, and a place at random within it.
        order = np.argsort(self.columns + rng.random(len(self.values)))
        return replace(self, values=self.values[order])

    def centred(self) -> Floats:
        """Values minus the mean of their statement, so that a missing vote is 0, the mean."""
        count = np.bincount(self.columns, minlength=self.statements)
        means = np.bincount(self.columns, self.values, self.statements) / np.maximum(count, 1)
        centred: Floats = self.values - means[self.columns]
        return centred

    def varies(self) -> bool:
        """Whether anybody differs from anybody on anything."""
        return bool((np.abs(self.centred()) > 1e-9).any())


def _fit(cells: _Cells, rng: np.random.Generator, *, starts: int = _FEW_STARTS) -> _Fit | None:
    """The best split of these people, or None if none has groups of a fair size."""
    points = _map(cells)
    smallest = max(MIN_SIZE, math.ceil(0.02 * len(points)))
    sample = np.arange(len(points))
    if len(points) > _SILHOUETTE_SAMPLE:
        # Silhouettes need every distance between two people; a sample keeps that affordable.
        sample = np.sort(rng.choice(len(points), _SILHOUETTE_SAMPLE, replace=False))
    distances = np.sqrt(_squares(points[sample], points[sample]))
    best: _Fit | None = None
    for k in range(2, MAX_GROUPS + 1):
        labels = _kmeans(points, k, rng, starts)
        if np.bincount(labels, minlength=k).min() < smallest:
            continue
        score = _silhouette(distances, labels[sample], k)
        if best is None or score > best.silhouette:
            best = _Fit(labels, k, score)
    return best


def _map(cells: _Cells) -> Floats:
    """Each person's place in the plane of the two strongest components, shape (people, 2)."""
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import svds

    shape = (cells.people, cells.statements)
    matrix = csr_array((cells.centred(), (cells.rows, cells.columns)), shape=shape)
    start = np.full(min(shape), 1 / math.sqrt(min(shape)))
    # Groups need the plane, not its last digits.
    _, _, axes = svds(matrix, k=2, v0=start, tol=1e-6)
    axes = axes[::-1]
    turn = np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])
    answered = np.bincount(cells.rows, minlength=cells.people)
    spread = np.sqrt(cells.statements / np.maximum(answered, 1))
    points: Floats = (matrix @ (axes * turn[:, None]).T) * spread[:, None]
    return points


def _squares(points: Floats, centres: Floats) -> Floats:
    """Squared distances, shape (points, centres); rounding must not make one negative."""
    cross = points @ centres.T
    gaps = (points**2).sum(axis=1)[:, None] - 2 * cross + (centres**2).sum(axis=1)
    squares: Floats = np.maximum(gaps, 0.0)
    return squares


def _kmeans(points: Floats, k: int, rng: np.random.Generator, starts: int = _FEW_STARTS) -> Labels:
    """Lloyd's algorithm from several k-means++ starts at once; the tightest result wins."""
    n = len(points)
    centres = np.concatenate([_start(points, k, rng) for _ in range(starts)])
    offset = np.arange(starts) * k
    labels = np.full((n, starts), -1)
    gaps = np.zeros((n, starts, k))
    weights = [np.repeat(points[:, d], starts) for d in range(points.shape[1])]
    for _ in range(100):
        gaps = _squares(points, centres).reshape(n, starts, k)
        fresh = gaps.argmin(axis=2)
        if (fresh == labels).all():
            break
        labels = fresh
        flat = (labels + offset).ravel()
        sizes = np.bincount(flat, minlength=len(centres))[:, None]
        sums = np.stack([np.bincount(flat, w, len(centres)) for w in weights], axis=1)
        centres = np.where(sizes > 0, sums / np.maximum(sizes, 1), centres)
    best: Labels = labels[:, int(gaps.min(axis=2).sum(axis=0).argmin())]
    return best


def _start(points: Floats, k: int, rng: np.random.Generator) -> Floats:
    """k-means++ (Arthur and Vassilvitskii, 2007): far points are likelier starts."""
    chosen = [int(rng.integers(len(points)))]
    gap = _squares(points, points[chosen])[:, 0]
    for _ in range(k - 1):
        reach = np.cumsum(gap)
        # Where all points are spent already, any will do.
        chosen.append(min(int(np.searchsorted(reach, rng.random() * reach[-1])), len(points) - 1))
        gap = np.minimum(gap, _squares(points, points[chosen[-1:]])[:, 0])
    return points[chosen]


def _silhouette(distances: Floats, labels: Labels, k: int) -> float:
    """Mean silhouette (Rousseeuw, 1987); someone alone in a group counts 0."""
    me = np.arange(len(labels))
    member = np.eye(k)[labels]
    sizes = member.sum(axis=0)
    sums = distances @ member
    own = sums[me, labels] / np.maximum(sizes[labels] - 1, 1)
    means = sums / np.maximum(sizes, 1)
    means[:, sizes == 0] = np.inf
    means[me, labels] = np.inf
    other = means.min(axis=1)
    known = (np.maximum(own, other) > 0) & np.isfinite(other) & (sizes[labels] > 1)
    scores = np.zeros(len(labels))
    scores[known] = (other - own)[known] / np.maximum(own, other)[known]
    return float(scores.mean())


def _explained(cells: _Cells, labels: Labels, k: int) -> float:
    """Share of the variation of all votes, not only of the plane, that lies between the groups."""
    centred = cells.centred()
    block = labels[cells.rows] * cells.statements + cells.columns
    sums = np.bincount(block, centred, k * cells.statements)
    count = np.bincount(block, minlength=k * cells.statements)
    return float((sums**2 / np.maximum(count, 1)).sum() / (centred**2).sum())


def _null_p(cells: _Cells, fit: _Fit, rng: np.random.Generator) -> float:
    """How often votes that know nothing of each other are explained as well by as many groups.

    Each statement's votes are permuted among those who voted on it, so that its tally and the
    pattern of who saw what stay, and everything that ties statements together goes.
    """
    observed = _explained(cells, fit.labels, fit.k)
    as_good = 0
    for _ in range(PERMUTATIONS):
        other = cells.shuffled(rng)
        as_good += _explained(other, _kmeans(_map(other), fit.k, rng), fit.k) >= observed
    return (as_good + 1) / (PERMUTATIONS + 1)


def _stability(
    cells: _Cells, fit: _Fit, rng: np.random.Generator, rounds: int, seed: int
) -> Estimate:
    """Agreement of the groups with those found, k and all, in subsamples of the people."""
    size = round(KEPT * cells.people)
    agreement = np.zeros(rounds)
    for i in range(rounds):
        some = np.zeros(cells.people, dtype=np.bool_)
        some[rng.choice(cells.people, size, replace=False)] = True
        fewer = cells.only(some)
        other = _fit(fewer, rng) if fewer.varies() else None
        # A subsample without any fair split agrees with the groups no better than chance: 0.
        if other is not None:
            agreement[i] = adjusted_rand(fit.labels[some], other.labels)
    return Estimate(
        value=float(np.median(agreement)),
        interval=percentile_interval(agreement),
        n=cells.people,
        seed=seed,
    )
