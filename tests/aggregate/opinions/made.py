"""Votes made up for tests: camps, none, and people along a line."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate import Profile


def profile_of(votes: NDArray[Any], seen: NDArray[np.bool_]) -> Profile:
    """A profile with made-up names."""
    people = [f"p{i:04d}" for i in range(len(votes))]
    return Profile.from_tables(people, [f"s{j}" for j in range(votes.shape[1])], votes, seen)


def planted(
    seed: int,
    sizes: tuple[int, ...] = (60, 40),
    statements: int = 24,
    noise: float = 0.15,
    coverage: float = 0.65,
) -> tuple[Profile, NDArray[np.int64]]:
    """Votes of groups that each have a stance of their own on every statement."""
    rng = np.random.default_rng(seed)
    stances = rng.choice([-1, 1], size=(len(sizes), statements))
    labels = np.repeat(np.arange(len(sizes)), sizes)
    votes = stances[labels]
    votes = np.where(rng.random(votes.shape) < noise, rng.integers(-1, 2, votes.shape), votes)
    return profile_of(votes, rng.random(votes.shape) < coverage), labels


def independent(seed: int, people: int = 120, statements: int = 24) -> Profile:
    """Votes that know nothing of each other, whatever their tallies."""
    rng = np.random.default_rng(seed)
    votes = rng.random((people, statements)) < rng.uniform(0.2, 0.9, statements)
    return profile_of(np.where(votes, 1, -1), rng.random(votes.shape) < 0.7)


def line(seed: int, people: int = 300, statements: int = 60) -> Profile:
    """People spread evenly along a line, each statement dividing it at some place."""
    rng = np.random.default_rng(seed)
    place = rng.uniform(-1, 1, people)
    cut, side = rng.uniform(-1, 1, statements), rng.choice([-1, 1], statements)
    agrees = 1 / (1 + np.exp(-4 * (place[:, None] - cut) * side))
    votes = np.where(rng.random(agrees.shape) < agrees, 1, -1)
    return profile_of(votes, rng.random(votes.shape) < 0.5)
