"""How often opinion groups are claimed: where there are some, and where there are none.

    python scripts/opinion_power.py [--seeds N] [--out FILE]

Votes are made here: planted groups at several distances, people spread along a line or in a plane,
and people who answer by chance. Writes docs/experiments/opinion-groups.md.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from normwright.aggregate import Profile, opinion_analysis
from normwright.stats import adjusted_rand, proportion

OUT = Path(__file__).resolve().parent.parent / "docs" / "experiments" / "opinion-groups.md"
Made = tuple[Profile, NDArray[np.int64] | None]
"""Votes, and the group of each person where there are groups."""


def profile(votes: NDArray[np.int64], seen: NDArray[np.bool_]) -> Profile:
    """Return votes as a profile."""
    people, statements = votes.shape
    return Profile.from_tables(
        [f"p{i}" for i in range(people)], [f"s{j}" for j in range(statements)], votes, seen
    )


def planted(
    seed: int, people: int, statements: int, agree: float, shares: tuple[float, ...]
) -> Made:
    """Groups that take opposite sides on half of the statements; half of the cells are seen."""
    rng = np.random.default_rng(seed)
    groups = rng.choice(len(shares), people, p=shares)
    chance = np.tile(rng.uniform(0.2, 0.8, statements), (len(shares), 1))
    for j in np.flatnonzero(rng.random(statements) < 0.5):
        side = rng.permutation(np.arange(len(shares)) % 2)
        chance[:, j] = np.where(side == 1, agree, 1 - agree)
    votes = np.where(rng.random((people, statements)) < chance[groups], 1, -1)
    votes[rng.random(votes.shape) < 0.1] = 0
    return profile(votes, rng.random(votes.shape) < 0.5), groups


def spread(seed: int, people: int, statements: int, dimensions: int, slope: float) -> Made:
    """People spread evenly, each statement dividing them at some place; nobody in any group."""
    rng = np.random.default_rng(seed)
    place = rng.uniform(-1, 1, (people, dimensions))
    way = rng.normal(size=(dimensions, statements))
    way /= np.linalg.norm(way, axis=0)
    cut = rng.uniform(-1, 1, statements)
    chance = 1 / (1 + np.exp(-slope * (place @ way - cut)))
    votes = np.where(rng.random(chance.shape) < chance, 1, -1)
    return profile(votes, rng.random(votes.shape) < 0.5), None


def by_chance(seed: int, people: int, statements: int) -> Made:
    """Every vote by itself, statements of different support."""
    rng = np.random.default_rng(seed)
    chance = rng.uniform(0.2, 0.8, statements)
    votes = np.where(rng.random((people, statements)) < chance, 1, -1)
    return profile(votes, rng.random(votes.shape) < 0.5), None


CASES: tuple[tuple[str, Callable[[int], Made]], ...] = (
    ("2 groups, 80 : 20 agree, 300 x 40", lambda s: planted(s, 300, 40, 0.8, (0.5, 0.5))),
    ("2 groups, 75 : 25 agree, 300 x 40", lambda s: planted(s, 300, 40, 0.75, (0.5, 0.5))),
    ("2 groups, 70 : 30 agree, 300 x 40", lambda s: planted(s, 300, 40, 0.7, (0.5, 0.5))),
    ("2 groups, 85 : 15 agree, 150 x 30", lambda s: planted(s, 150, 30, 0.85, (0.5, 0.5))),
    ("a fifth apart, 85 : 15 agree, 300 x 60", lambda s: planted(s, 300, 60, 0.85, (0.8, 0.2))),
    ("3 groups, 80 : 20 agree, 400 x 60", lambda s: planted(s, 400, 60, 0.8, (0.4, 0.3, 0.3))),
    ("by chance, 300 x 60", lambda s: by_chance(s, 300, 60)),
    ("along a line, slope 2, 300 x 60", lambda s: spread(s, 300, 60, 1, 2.0)),
    ("along a line, slope 4, 300 x 60", lambda s: spread(s, 300, 60, 1, 4.0)),
    ("in a plane, slope 4, 300 x 60", lambda s: spread(s, 300, 60, 2, 4.0)),
)


def main() -> int:
    """Measure, print and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    lines = [
        "# How often opinion groups are claimed",
        "",
        "Written by `python scripts/opinion_power.py`.",
        "",
        f"{given.seeds} electorates each; intervals are Wilson's at 95 %. ARI: agreement of the "
        "split with the planted groups, whether or not groups were claimed.",
        "",
        "| votes | groups claimed | verdicts | median ARI |",
        "|---|---|---|---|",
    ]
    for name, make in CASES:
        lines.append(_row(name, make, given.seeds))
        print(lines[-1], flush=True)
    lines += [
        "",
        "Groups that are near to each other, or of which some two are, are often told as a "
        "spectrum: the verdict says that no gap was found, not that there is none.",
        "",
    ]
    given.out.write_text("\n".join(lines), encoding="utf-8")
    return 0


def _row(name: str, make: Callable[[int], Made], seeds: int) -> str:
    verdicts: Counter[str] = Counter()
    alike = []
    for seed in range(seeds):
        made, groups = make(seed)
        found = opinion_analysis(made, seed=seed, rounds=20)
        verdicts[found.verdict] += 1
        if groups is not None:
            alike.append(adjusted_rand(found.labels, groups[found.people]))
    share = proportion(verdicts["groups"], seeds)
    assert share.interval is not None
    told = f"{verdicts['groups']}/{seeds} [{share.interval.low:.2f}, {share.interval.high:.2f}]"
    every = ", ".join(f"{verdict} {count}" for verdict, count in sorted(verdicts.items()))
    median = f"{float(np.median(alike)):.2f}" if alike else ""
    return f"| {name} | {told} | {every} | {median} |"


if __name__ == "__main__":
    sys.exit(main())
