"""Time independent implementations at jobs that `make bench` does too: JSON, a row a job.

    python -m scripts.oracles.peers [--list] [JOB ...]

Run from the root of the repository in the environment that `make oracles` makes. Each job runs in
a process of its own, so that its peak memory is its own; `seconds` is processor time of the job
alone, after imports and one small run that compiles what is compiled; `baseline_mb` is memory
before the job. A job that fails or takes longer than `--limit` says so instead of a figure.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

Job = Callable[[], Any]
"""What is timed; made by a function that prepares its input outside the clock."""

SEED = 1


def orders(voters: int, alternatives: int) -> Any:
    """Return strict orders of impartial culture, shape (voters, alternatives)."""
    rng = np.random.default_rng(SEED)
    return np.argsort(rng.random((voters, alternatives)), axis=1)


def pref_voting_margins(voters: int, alternatives: int) -> Job:
    """Build a profile of whole orders, and read the margin of every pair."""
    from pref_voting.profiles import Profile  # type: ignore[import-not-found]

    def job(rows: Any) -> Any:
        return Profile(rows).margin_matrix

    job(orders(50, 5).tolist())
    rows = orders(voters, alternatives).tolist()
    return lambda: job(rows)


def votelib_margins(voters: int, alternatives: int) -> Job:
    """Count pairs of whole orders, given as a dictionary."""
    import votelib.convert  # type: ignore[import-not-found]

    votes: dict[Any, int] = {}
    for row in orders(voters, alternatives).tolist():
        votes[tuple(row)] = votes.get(tuple(row), 0) + 1
    convert = votelib.convert.RankedToCondorcetVotes()
    return lambda: convert.convert(votes)


def pref_voting_method(module: str, name: str, alternatives: int) -> Job:
    """Elect from the margin graph of 101 orders."""
    import importlib

    from pref_voting.profiles import Profile

    method = getattr(importlib.import_module(f"pref_voting.{module}"), name)
    method(Profile(orders(11, 4).tolist()).margin_graph())
    graph = Profile(orders(101, alternatives).tolist()).margin_graph()
    return lambda: method(graph)


def comparisons(count: int, items: int) -> tuple[Any, Any]:
    """Return winners and losers drawn from Bradley and Terry's model."""
    rng = np.random.default_rng(SEED)
    strength = rng.normal(size=items)
    pairs = rng.integers(items, size=(count, 2))
    pairs[:, 1] = (pairs[:, 0] + 1 + pairs[:, 1] % (items - 1)) % items
    wins = rng.random(count) < 1 / (1 + np.exp(strength[pairs[:, 1]] - strength[pairs[:, 0]]))
    return np.where(wins, *pairs.T), np.where(wins, *pairs.T[::-1])


def choix_pairs(count: int, items: int) -> Job:
    """Estimate strengths by iterated spectral ranking."""
    import choix  # type: ignore[import-not-found]

    winners, losers = comparisons(count, items)
    data = list(zip(winners.tolist(), losers.tolist(), strict=True))
    return lambda: choix.ilsr_pairwise(items, data, alpha=1e-6)


def evalica_pairs(count: int, items: int) -> Job:
    """Estimate strengths by evalica, which is compiled."""
    import evalica  # type: ignore[import-not-found]

    winners, losers = comparisons(count, items)
    left, right = winners.tolist(), losers.tolist()
    won = [evalica.Winner.X] * count
    return lambda: evalica.bradley_terry(left, right, won)


def abcvoting_slate(rule: str, voters: int, alternatives: int, seats: int) -> Job:
    """Choose a slate, ties broken, in the fastest way that asks no commercial solver."""
    from abcvoting import abcrules  # type: ignore[import-not-found]
    from abcvoting.preferences import Profile as Approvals  # type: ignore[import-not-found]

    approved = np.random.default_rng(SEED).random((voters, alternatives)) < 0.05
    profile = Approvals(alternatives)
    profile.add_voters([np.flatnonzero(row).tolist() for row in approved])
    exact = rule in ("seqphragmen", "equal-shares")
    algorithm = "float-fractions" if exact else "standard"
    return lambda: abcrules.compute(
        rule, profile, committeesize=seats, resolute=True, algorithm=algorithm
    )


def votes_of_people(people: int, statements: int) -> Any:
    """Return votes of three groups on statements, a quarter of the table seen."""
    rng = np.random.default_rng(SEED)
    stance = rng.choice([-1.0, 1.0], size=(3, statements))
    table = stance[rng.integers(3, size=people)]
    table[rng.random(table.shape) < 0.2] *= -1
    table[rng.random(table.shape) < 0.75] = np.nan
    return table


def red_dwarf_map(people: int, statements: int) -> Job:
    """Place people on the map, group them, and compute what is typical of each group."""
    import pandas as pd  # type: ignore[import-untyped]
    from reddwarf.utils import stats  # type: ignore[import-not-found]
    from reddwarf.utils.clusterer.base import run_clusterer  # type: ignore[import-not-found]
    from reddwarf.utils.reducer.base import run_reducer  # type: ignore[import-not-found]

    def job(table: Any) -> None:
        people_at, _, _ = run_reducer(vote_matrix=table, reducer="pca")
        groups = run_clusterer(
            clusterer="kmeans", X_participants_clusterable=people_at, random_state=SEED
        )
        frame = pd.DataFrame(table)
        frame.columns.name = "statement_id"
        typical, _ = stats.calculate_comment_statistics_dataframes(frame, groups.labels_)
        stats.select_representative_statements(typical)

    job(votes_of_people(60, 12))
    table = votes_of_people(people, statements)
    return lambda: job(table)


def cedar_decisions(policies: int, requests: int) -> Job:
    """Authorise requests against policies that were parsed beforehand.

    The prohibitions and permissions of the charter that the resolver is timed on, conditions and
    acts as they are, as `forbid` and `permit`: no layers, duties or explanations, which it has not.
    """
    import cedarpy
    from scripts.random_charters import large, large_situations

    text = "\n".join(_cedar(norm) for norm in large(policies)["norms"])
    parsed = cedarpy.PolicySet.from_str(text)
    asked = [
        {"principal": 'Actor::"assistant"', "action": f'Action::"{one["act"]}"',
         "resource": 'Thing::"any"', "context": one["facts"]}
        for one in large_situations(requests)
    ]  # fmt: skip
    cedarpy.is_authorized_batch(asked[:5], parsed, [])
    return lambda: cedarpy.is_authorized_batch(asked, parsed, [])


def _cedar(norm: dict[str, Any]) -> str:
    effect = "permit" if norm["kind"] in ("permission", "guarantee") else "forbid"
    holds, fails = norm["condition"]["all"]
    return (
        f'{effect}(principal, action == Action::"{norm["act"]}", resource) when '
        f"{{ context.{holds['fact']} && !context.{fails['not']['fact']} }};"
    )


JOBS: dict[str, tuple[str, Callable[[], Job]]] = {
    "pref_voting margins 1e3x50": ("pref_voting", lambda: pref_voting_margins(1000, 50)),
    "pref_voting margins 1e5x10": ("pref_voting", lambda: pref_voting_margins(100_000, 10)),
    "votelib margins 1e3x50": ("votelib", lambda: votelib_margins(1000, 50)),
    "votelib margins 1e5x10": ("votelib", lambda: votelib_margins(100_000, 10)),
    "pref_voting beat_path m=50": (
        "pref_voting", lambda: pref_voting_method("margin_based_methods", "beat_path", 50)),
    "pref_voting split_cycle m=50": (
        "pref_voting", lambda: pref_voting_method("margin_based_methods", "split_cycle", 50)),
    "pref_voting kemeny m=8": (
        "pref_voting", lambda: pref_voting_method("other_methods", "kemeny_young", 8)),
    "choix pairs 1e4x50": ("choix", lambda: choix_pairs(10_000, 50)),
    "choix pairs 1e6x200": ("choix", lambda: choix_pairs(1_000_000, 200)),
    "evalica pairs 1e4x50": ("evalica", lambda: evalica_pairs(10_000, 50)),
    "evalica pairs 1e6x200": ("evalica", lambda: evalica_pairs(1_000_000, 200)),
    "abcvoting av 1000x200x20": ("abcvoting", lambda: abcvoting_slate("av", 1000, 200, 20)),
    "abcvoting seqpav 1000x200x20": ("abcvoting", lambda: abcvoting_slate("seqpav", 1000, 200, 20)),
    "abcvoting seqphragmen 1000x200x20": (
        "abcvoting", lambda: abcvoting_slate("seqphragmen", 1000, 200, 20)),
    "abcvoting equal-shares 1000x200x20": (
        "abcvoting", lambda: abcvoting_slate("equal-shares", 1000, 200, 20)),
    "cedarpy 400 of 1000": ("cedarpy", lambda: cedar_decisions(1000, 400)),
    "red-dwarf map 1000x200": ("red-dwarf", lambda: red_dwarf_map(1000, 200)),
    "red-dwarf map 10000x500": ("red-dwarf", lambda: red_dwarf_map(10_000, 500)),
}  # fmt: skip
"""By name: the distribution, and what prepares the job."""


def peak() -> float:
    """Return the most memory this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(name: str) -> dict[str, Any]:
    """Return one row, measured in this process."""
    package, prepare = JOBS[name]
    job = prepare()
    before, began, clock = peak(), time.process_time(), time.perf_counter()
    job()
    return {
        "job": name,
        "package": package,
        "version": version(package),
        "seconds": round(time.process_time() - began, 4),
        "wall_seconds": round(time.perf_counter() - clock, 4),
        "peak_mb": round(peak(), 1),
        "baseline_mb": round(before, 1),
    }


def apart(name: str, limit: float) -> dict[str, Any]:
    """Return one row, measured in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", "scripts.oracles.peers", "--here", name]
    failed = {"job": name, "package": JOBS[name][0], "version": version(JOBS[name][0])}
    one_thread = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "NUMBA")}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=limit, check=False,
            env={**os.environ, **one_thread},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {**failed, "failed": f"longer than {limit:g} s"}
    if done.returncode:
        return {**failed, "failed": done.stderr.strip().splitlines()[-1]}
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def main() -> None:
    """Print one JSON value: a list of rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("jobs", nargs="*", metavar="JOB", help="names as --list has them; all")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds for one job (300)")
    parser.add_argument("--here", metavar="JOB", help="measure one job in this process")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    unknown = [name for name in args.jobs if name not in JOBS]
    if unknown:
        parser.error(f"no such job: {', '.join(unknown)}. --list prints the names.")
    if args.list:
        print(json.dumps(list(JOBS)))
    elif args.here:
        print(json.dumps(measured(args.here)))
    else:
        print(json.dumps([apart(name, args.limit) for name in args.jobs or JOBS]))


if __name__ == "__main__":
    main()
