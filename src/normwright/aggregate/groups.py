"""Opinion groups of one electorate, as a record and as who is in which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate.opinions import Analysis, Pipeline, opinion_analysis
from normwright.aggregate.profile import Profile
from normwright.records import Group, Grouping, digest_json

Labels = NDArray[np.int64]


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


def find_groups(
    profile: Profile, *, seed: int, rounds: int = 200, pipeline: Pipeline = "mixture"
) -> Grouped:
    """Return the opinion groups of a profile; none is a legal answer, with its reason.

    Groups are those of `opinion_analysis` where they repeat in subsamples and are more than chance.
    Where there is no gap between them they are the sides of a spectrum: they are told as groups,
    so that what only one side wants is not lost among the others, and the verdict says what they
    are.

    Args:
        profile: votes of one electorate.
        seed: seed of starts, subsamples and permutations.
        rounds: number of subsamples.
        pipeline: `mixture`, or `polis` for the formulas of Polis.
    """
    found = opinion_analysis(profile, pipeline=pipeline, seed=seed, rounds=rounds)
    labels = np.full(len(profile.participants), -1, dtype=np.int64)
    if found.verdict not in ("groups", "spectrum"):
        return Grouped(_grouping(found, ()), labels)
    labels[found.people] = found.labels
    names = np.array(profile.participants)
    members = [sorted(names[labels == g].tolist()) for g in range(found.k)]
    groups = tuple(
        Group(id="ABCDE"[g], size=len(m), members=digest_json(m)) for g, m in enumerate(members)
    )
    return Grouped(_grouping(found, groups), labels)


def _grouping(found: Analysis, groups: tuple[Group, ...]) -> Grouping:
    split = found.split
    return Grouping(
        groups=groups,
        method=found.pipeline,
        verdict=found.verdict,
        silhouette=split.silhouette if split else None,
        stability=split.stability if split else None,
        null_p=found.null_p,
        gap_p=split.gap_p if split else None,
        reason=found.reason,
    )
