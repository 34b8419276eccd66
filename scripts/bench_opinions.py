"""How long the opinion analysis takes, and how much memory, on votes of four sizes.

    python scripts/bench_opinions.py [--pipeline mixture|polis] [--rounds N] [SIZE ...]

The votes are made here: two camps of 60 and 40 %, whose stances differ on half of the statements,
with one vote in five cast at random. Every participant votes on as many statements as the size
says. Each size runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
from numpy.typing import NDArray

SIZES = {
    "1k-200": (1_000, 200, 60),
    "10k-500": (10_000, 500, 60),
    "33k-2k": (33_000, 2_000, 57),
    "100k-5k": (100_000, 5_000, 60),
}
"""Participants, statements and votes of each participant."""


def synthetic(
    participants: int, statements: int, each: int, *, seed: int = 0
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int8], NDArray[np.int8]]:
    """Return rows, columns and values of made-up votes, and the camp of each participant."""
    rng = np.random.default_rng(seed)
    camps = (rng.random(participants) < 0.4).astype(np.int8)
    stance = rng.choice([-1, 1], statements)
    other = np.where(rng.random(statements) < 0.5, -stance, stance)
    # A stride without common divisors with the statements visits each of them at most once.
    first = rng.integers(statements, size=participants)
    strides = np.array([s for s in range(1, statements) if np.gcd(s, statements) == 1])
    stride = rng.choice(strides, participants)
    columns = np.sort((first[:, None] + stride[:, None] * np.arange(each)) % statements, axis=1)
    values = np.where(camps[:, None] == 0, stance[columns], other[columns])
    noise = rng.random(values.shape) < 0.2
    values[noise] = rng.integers(-1, 2, int(noise.sum()))
    rows = np.repeat(np.arange(participants, dtype=np.int32), each)
    return rows, columns.ravel().astype(np.int32), values.ravel().astype(np.int8), camps


def measured(size: str, pipeline: str, rounds: int) -> dict[str, object]:
    """Return the seconds of CPU and the peak memory of one analysis in this process."""
    from normwright.aggregate import Profile, opinion_analysis
    from normwright.stats import adjusted_rand

    participants, statements, each = SIZES[size]
    rows, columns, values, camps = synthetic(participants, statements, each)
    people = [f"p{i}" for i in range(participants)]
    names = [f"s{j}" for j in range(statements)]
    # What is loaded once a process is not the analysis.
    tiny = synthetic(60, 20, 15)
    few = Profile.from_arrays(people[:60], names[:20], *tiny[:3])
    opinion_analysis(few, pipeline=pipeline, rounds=1)  # type: ignore[arg-type]
    wall, cpu = time.perf_counter(), time.process_time()
    profile = Profile.from_arrays(people, names, rows, columns, values)
    made = time.process_time() - cpu
    found = opinion_analysis(profile, pipeline=pipeline, rounds=rounds)  # type: ignore[arg-type]
    return {
        "size": size,
        "pipeline": pipeline,
        "rounds": rounds,
        "votes": profile.size,
        "cpu_s": round(time.process_time() - cpu, 2),
        "profile_cpu_s": round(made, 2),
        "wall_s": round(time.perf_counter() - wall, 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "verdict": found.verdict,
        "k": found.split.k if found.split else 1,
        "ari": round(adjusted_rand(found.labels, camps[found.people]), 3),
    }


def main() -> None:
    """Print one JSON object a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", metavar="SIZE", help=", ".join(SIZES))
    parser.add_argument("--pipeline", default="mixture", choices=["mixture", "polis"])
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--here", action="store_true", help="in this process, one size")
    given = parser.parse_args()
    for size in given.sizes or SIZES:
        if given.here:
            print(json.dumps(measured(size, given.pipeline, given.rounds)), flush=True)
            continue
        options = ["--pipeline", given.pipeline, "--rounds", str(given.rounds), "--here", size]
        subprocess.run([sys.executable, __file__, *options], check=True)


if __name__ == "__main__":
    main()
