"""Opinion groups, if the votes hold any: found, tested against chance, and tested for stability.

The map is that of Polis: principal components of centred votes, a missing vote standing at the
mean of its statement, and people with few votes moved outwards by the square root of what they
left out (Small et al., "Polis", RECERCA 26, 2021). What Polis does not ask is asked here: would
votes without any groups look as grouped as these, and do the groups survive leaving people out?
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.opinions.cells import MIN_VOTES, Cells
from normwright.aggregate.opinions.evidence import explained
from normwright.aggregate.opinions.plane import plane
from normwright.aggregate.opinions.splitting import kmeans, silhouette, squares
from normwright.aggregate.profile import Profile
from normwright.records import Estimate, Group, Grouping, digest_json
from normwright.stats import adjusted_rand, percentile_interval

Labels = NDArray[np.int64]

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
    placed = np.diff(profile.starts) >= needed
    if len(profile.statements) < 3 or placed.sum() < 2 * MIN_SIZE:
        reason = (
            f"No groups: {int(placed.sum())} participants with at least {needed} votes on "
            f"{len(profile.statements)} statements are too few to look for any."
        )
        return Grouped(_none(reason), nobody)
    cells = Cells.of(profile).only(np.flatnonzero(placed))
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


def _fit(cells: Cells, rng: np.random.Generator, *, starts: int = _FEW_STARTS) -> _Fit | None:
    """The best split of these people, or None if none has groups of a fair size."""
    points = plane(cells).points
    smallest = max(MIN_SIZE, math.ceil(0.02 * len(points)))
    sample = np.arange(len(points))
    if len(points) > _SILHOUETTE_SAMPLE:
        # Silhouettes need every distance between two people; a sample keeps that affordable.
        sample = np.sort(rng.choice(len(points), _SILHOUETTE_SAMPLE, replace=False))
    distances = np.sqrt(squares(points[sample], points[sample]))
    best: _Fit | None = None
    for k in range(2, MAX_GROUPS + 1):
        labels = kmeans(points, k, rng, starts=starts)
        if np.bincount(labels, minlength=k).min() < smallest:
            continue
        score = silhouette(distances, labels[sample], k)
        if best is None or score > best.silhouette:
            best = _Fit(labels, k, score)
    return best


def _null_p(cells: Cells, fit: _Fit, rng: np.random.Generator) -> float:
    """How often votes that know nothing of each other are explained as well by as many groups.

    Each statement's votes are permuted among those who voted on it, so that its tally and the
    pattern of who saw what stay, and everything that ties statements together goes.
    """
    observed = explained(cells, fit.labels, fit.k)
    as_good = 0
    for _ in range(PERMUTATIONS):
        other = cells.shuffled(rng)
        as_good += (
            explained(other, kmeans(plane(other).points, fit.k, rng, starts=_FEW_STARTS), fit.k)
            >= observed
        )
    return (as_good + 1) / (PERMUTATIONS + 1)


def _stability(
    cells: Cells, fit: _Fit, rng: np.random.Generator, rounds: int, seed: int
) -> Estimate:
    """Agreement of the groups with those found, k and all, in subsamples of the people."""
    size = round(KEPT * cells.people)
    agreement = np.zeros(rounds)
    for i in range(rounds):
        some = np.sort(rng.choice(cells.people, size, replace=False))
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
