"""Opinion groups, if the votes hold any: found, tested against chance, and tested for stability.

The map is that of Polis: principal components of centred votes, a missing vote standing at the
mean of its statement, and people with few votes moved outwards by the square root of what they
left out (Small et al., "Polis", RECERCA 26, 2021). What Polis does not ask is asked here: would
votes without any groups look as grouped as these, and do the groups survive leaving people out?
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.profile import Profile
from normwright.records import Estimate, Group, Grouping, digest_json
from normwright.stats import adjusted_rand, percentile_interval

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

MIN_VOTES = 7
"""Votes from which a participant can be placed on the map; fewer where there are fewer statements."""
MAX_GROUPS = 5
ALPHA = 0.05
"""Groups are supported only if chance looks as grouped in at most this share of permutations."""
STABLE = 0.5
"""... and if the median adjusted Rand index over subsamples is at least this."""
PERMUTATIONS = 99
KEPT = 0.8
"""Share of participants in each subsample."""
_RESTARTS = 6
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
        return self.labels == number


@dataclass(frozen=True)
class _Fit:
    labels: Labels
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
    needed = min(MIN_VOTES, len(profile.statements))
    placed = profile.seen.sum(axis=1) >= max(1, needed)
    # Statements that all voters answer alike tell nobody apart.
    if len(profile.statements) < 3 or placed.sum() < 12:
        reason = (
            f"No groups: {int(placed.sum())} participants with at least {needed} votes on "
            f"{len(profile.statements)} statements are too few to look for any."
        )
        return Grouped(_none(reason), nobody)
    votes = profile.votes[placed].astype(np.float64)
    seen = profile.seen[placed]
    if not _centred(votes, seen).any():
        return Grouped(_none("No groups: everyone who voted on a statement agrees on it."), nobody)
    rng = np.random.default_rng(seed)
    fit = _fit(votes, seen, rng)
    if fit is None:
        return Grouped(_none("No groups: every split leaves a group of a few people only."), nobody)
    p = _null_p(votes, seen, fit, np.random.default_rng([seed, 1]))
    stability = _stability(votes, seen, fit, np.random.default_rng([seed, 2]), rounds, seed)
    names = np.array(profile.participants)[placed]
    labels, members = _ordered(fit.labels, names)
    sizes = ", ".join(str(len(m)) for m in members)
    facts = (
        f"{len(members)} groups of {sizes}: votes without groups look as grouped in "
        f"{p:.0%} of permutations; groups of subsamples agree with adjusted Rand index "
        f"{stability.value:.2f}"
    )
    supported = p <= ALPHA and (stability.value or 0.0) >= STABLE
    if not supported:
        weak = "chance" if p > ALPHA else "unstable"
        reason = {
            "chance": f"No groups: the best split is no better than chance ({facts}).",
            "unstable": f"No groups: the best split does not survive leaving people out ({facts}).",
        }[weak]
        return Grouped(_none(reason, fit.silhouette, stability, p), nobody)
    everyone = nobody.copy()
    everyone[placed] = labels
    groups = tuple(
        Group(id=_letter(i), size=len(m), members=digest_json(sorted(m)))
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


def _letter(number: int) -> str:
    return "ABCDE"[number]


def _ordered(labels: Labels, names: NDArray[np.str_]) -> tuple[Labels, list[list[str]]]:
    """Number groups by size, the largest first; of equals the one with the first name."""
    found = [sorted(names[labels == g].tolist()) for g in range(int(labels.max()) + 1)]
    order = sorted(range(len(found)), key=lambda g: (-len(found[g]), found[g][0]))
    renamed = np.empty(len(found), dtype=np.int64)
    renamed[order] = np.arange(len(found))
    return renamed[labels], [found[g] for g in order]


def _centred(votes: Floats, seen: NDArray[np.bool_]) -> Floats:
    """Votes minus the mean of those who voted; a missing vote is 0, the mean itself."""
    count = np.maximum(seen.sum(axis=0), 1)
    means = np.where(seen, votes, 0).sum(axis=0) / count
    centred: Floats = np.where(seen, votes - means, 0.0)
    centred[np.abs(centred) < 1e-12] = 0.0
    return centred


def _fit(votes: Floats, seen: NDArray[np.bool_], rng: np.random.Generator) -> _Fit | None:
    """The best split of these people, or None if none has groups of a fair size."""
    points = _map(votes, seen)
    smallest = max(3, int(np.ceil(0.02 * len(points))))
    sample = np.arange(len(points))
    if len(points) > _SILHOUETTE_SAMPLE:
        # Silhouettes need every distance between two people; a sample keeps that affordable.
        sample = np.sort(rng.choice(len(points), _SILHOUETTE_SAMPLE, replace=False))
    chosen = points[sample]
    distances = np.sqrt(((chosen[:, None] - chosen[None]) ** 2).sum(axis=2))
    best: _Fit | None = None
    for k in range(2, MAX_GROUPS + 1):
        labels = _kmeans(points, k, rng)
        if np.bincount(labels, minlength=k).min() < smallest:
            continue
        score = _silhouette(distances, labels[sample], k)
        if best is None or score > best.silhouette:
            best = _Fit(labels, score)
    return best


def _map(votes: Floats, seen: NDArray[np.bool_]) -> Floats:
    """Each person's place in the plane of the two strongest components, shape (people, 2)."""
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import svds

    matrix: csr_array[np.float64] = csr_array(_centred(votes, seen))
    start = np.ones(min(matrix.shape)) / np.sqrt(min(matrix.shape))
    _, _, axes = svds(matrix, k=2, v0=start, tol=1e-8)
    axes = axes[::-1]
    turn = np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])
    spread = np.sqrt(seen.shape[1] / np.maximum(seen.sum(axis=1), 1))
    points: Floats = (matrix @ (axes * turn[:, None]).T) * spread[:, None]
    return points


def _kmeans(points: Floats, k: int, rng: np.random.Generator) -> Labels:
    """Lloyd's algorithm from several k-means++ starts at once; the tightest result wins."""
    centres = np.stack([_start(points, k, rng) for _ in range(_RESTARTS)])
    labels = np.full((_RESTARTS, len(points)), -1)
    rows = np.arange(_RESTARTS)[:, None]
    for _ in range(100):
        gaps = ((points[None, :, None, :] - centres[:, None, :, :]) ** 2).sum(axis=3)
        fresh = gaps.argmin(axis=2)
        if (fresh == labels).all():
            break
        labels = fresh
        member = labels[:, :, None] == np.arange(k)
        sizes = member.sum(axis=1)
        sums = np.einsum("rnk,nd->rkd", member.astype(np.float64), points)
        centres = np.where(sizes[:, :, None] > 0, sums / np.maximum(sizes, 1)[:, :, None], centres)
    gaps = ((points[None] - centres[rows, labels]) ** 2).sum(axis=(1, 2))
    best: Labels = labels[int(gaps.argmin())]
    return best


def _start(points: Floats, k: int, rng: np.random.Generator) -> Floats:
    """k-means++ (Arthur and Vassilvitskii, 2007): far points are likelier starts."""
    chosen = [points[rng.integers(len(points))]]
    for _ in range(k - 1):
        gap = np.min([((points - c) ** 2).sum(axis=1) for c in chosen], axis=0)
        total = gap.sum()
        pick = rng.choice(len(points), p=gap / total) if total > 0 else rng.integers(len(points))
        chosen.append(points[pick])
    return np.array(chosen)


def _silhouette(distances: Floats, labels: Labels, k: int) -> float:
    """Mean silhouette (Rousseeuw, 1987); someone alone in a group counts 0."""
    member = np.eye(k)[labels]
    sizes = member.sum(axis=0)
    sums = distances @ member
    own = sums[np.arange(len(labels)), labels] / np.maximum(sizes[labels] - 1, 1)
    means = sums / np.maximum(sizes, 1)
    means[:, sizes == 0] = np.inf
    means[np.arange(len(labels)), labels] = np.inf
    other = means.min(axis=1)
    largest = np.maximum(own, other)
    known = (largest > 0) & np.isfinite(other) & (sizes[labels] > 1)
    return float(np.where(known, (other - own) / np.where(known, largest, 1.0), 0.0).mean())


def _explained(votes: Floats, seen: NDArray[np.bool_], labels: Labels) -> float:
    """Share of the variation of votes, cell by cell, that lies between the groups."""
    centred = _centred(votes, seen)
    between = 0.0
    for g in np.unique(labels):
        mine = labels == g
        count = seen[mine].sum(axis=0)
        between += float((centred[mine].sum(axis=0) ** 2 / np.maximum(count, 1)).sum())
    return between / float((centred**2).sum())


def _null_p(votes: Floats, seen: NDArray[np.bool_], fit: _Fit, rng: np.random.Generator) -> float:
    """How often votes that know nothing of each other are explained as well by their best split.

    Each statement's votes are permuted among those who voted on it, so that its tally and the
    pattern of who saw what stay, and everything that ties statements together goes.
    """
    observed = _explained(votes, seen, fit.labels)
    cell_rows, cell_columns = np.nonzero(seen)
    by_column = np.lexsort((cell_rows, cell_columns))
    cell_rows, cell_columns = cell_rows[by_column], cell_columns[by_column]
    values = votes[cell_rows, cell_columns]
    as_good = 0
    for _ in range(PERMUTATIONS):
        shuffled = np.zeros_like(votes)
        order = np.lexsort((rng.random(len(values)), cell_columns))
        shuffled[cell_rows, cell_columns] = values[order]
        other = _fit(shuffled, seen, rng)
        as_good += other is not None and _explained(shuffled, seen, other.labels) >= observed
    return (as_good + 1) / (PERMUTATIONS + 1)


def _stability(
    votes: Floats,
    seen: NDArray[np.bool_],
    fit: _Fit,
    rng: np.random.Generator,
    rounds: int,
    seed: int,
) -> Estimate:
    """Agreement of the groups with those found, k and all, in subsamples of the people."""
    size = max(3, round(KEPT * len(votes)))
    agreement = np.zeros(rounds)
    for i in range(rounds):
        some = np.sort(rng.choice(len(votes), size, replace=False))
        if not _centred(votes[some], seen[some]).any():
            continue
        other = _fit(votes[some], seen[some], rng)
        # A subsample without any fair split agrees with the groups no better than chance: 0.
        if other is not None:
            agreement[i] = adjusted_rand(fit.labels[some], other.labels)
    return Estimate(
        value=float(np.median(agreement)),
        interval=percentile_interval(agreement),
        n=len(votes),
        seed=seed,
    )
