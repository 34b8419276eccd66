"""Measure what this project claims to be fast at, beside its peers, on this machine.

    python -m scripts.bench [NAME ...] [--json]

Every case runs alone in a fresh process on one thread: CPU seconds (user and system, the best of
three, preparation left out) and peak memory of the whole process. Peers run in the environment that
`make oracles` makes, on ballots of the same size, right after ours; where that is missing, the
ratio is left out and said so. Writes docs/experiments/bench.md unless cases were named.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "experiments" / "bench.md"
PEER_PYTHON = ROOT / "build" / "oracles-venv" / "bin" / "python"
RUNS = 3
Work = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """One thing that is timed."""

    name: str
    what: str
    prepare: Callable[[], Work]
    """Makes what is needed and returns what is timed."""
    seconds: float | None = None
    """The target, in CPU seconds."""
    mebibytes: float | None = None
    """The target of peak memory."""
    peer: str | None = None
    """Name of the peer's case in peers.py."""
    ratio: float | None = None
    """How many times faster than the peer it is to be."""
    timed: bool = False
    """Whether the work returns its own seconds, because they are not its CPU time as a whole."""


def _orders(voters: int, alternatives: int) -> Any:
    import numpy as np

    rng = np.random.default_rng(1)
    return np.argsort(rng.random((voters, alternatives), dtype=np.float32), axis=1).astype(np.int16)


def _margins(voters: int, alternatives: int) -> Callable[[], Work]:
    def prepare() -> Work:
        import numpy as np

        from normwright.aggregate.pairs import count_wins

        orders = _orders(voters, alternatives)
        counts = np.ones(voters, dtype=np.int64)
        return lambda: count_wins(orders, counts, unranked="last")

    return prepare


def _by(method: str, voters: int, alternatives: int) -> Callable[[], Work]:
    """A method on impartial culture; its wins are counted beforehand where it needs no more."""

    def prepare() -> Work:
        import numpy as np

        from normwright.aggregate import Election, order_of

        counts = np.ones(voters, dtype=np.int64)
        names = tuple(f"a{j}" for j in range(alternatives))
        election = Election(names, _orders(voters, alternatives), counts)
        known = election.with_counts(counts, wins=election.wins)
        return lambda: order_of(known, method=method)

    return prepare


def _comparisons(rows: int, items: int) -> Callable[[], Work]:
    def prepare() -> Work:
        import numpy as np

        from normwright.aggregate import Election, order_of
        from normwright.aggregate.methods.bradley_terry import wins_of

        rng = np.random.default_rng(1)
        strength = rng.normal(size=items)
        first = rng.integers(items, size=rows)
        second = (first + rng.integers(1, items, size=rows)) % items
        won = rng.random(rows) < 1 / (1 + np.exp(strength[second] - strength[first]))
        winners, losers = np.where(won, first, second), np.where(won, second, first)
        names = tuple(f"a{j}" for j in range(items))
        none = np.zeros((0, items), dtype=np.int16)

        def run() -> object:
            wins = wins_of(winners, losers, items)
            counts = np.zeros(0, dtype=np.int64)
            election = Election(names, none, counts, pairwise=wins, electorate=rows)
            return order_of(election, method="bradley-terry")

        return run

    return prepare


def _slate(method: str) -> Callable[[], Work]:
    """1,000 voters, each approving of one in twenty of 200, choose 20."""

    def prepare() -> Work:
        import numpy as np

        from normwright.aggregate import Election
        from normwright.aggregate.slating import chosen_by

        approved = np.random.default_rng(1).random((1000, 200)) < 0.05
        names = tuple(f"a{j}" for j in range(200))
        orders = np.where(approved, 0, -1).astype(np.int16)
        counts = np.ones(1000, dtype=np.int64)
        grades = approved.astype(np.int16)
        election = Election(names, orders, counts, grades=grades, approved_from=1)
        return lambda: chosen_by(election, size=20, method=method)

    return prepare


def _opinions(size: str) -> Callable[[], Work]:
    """The whole analysis without subsamples: map, groups, consensus; from arrays of votes."""

    def prepare() -> Work:
        from scripts.bench_opinions import SIZES, synthetic

        from normwright.aggregate import Profile, opinion_analysis

        participants, statements, each = SIZES[size]
        rows, columns, values, _ = synthetic(participants, statements, each)
        people = [f"p{i}" for i in range(participants)]
        names = [f"s{j}" for j in range(statements)]
        return lambda: opinion_analysis(
            Profile.from_arrays(people, names, rows, columns, values), rounds=0
        )

    return prepare


def _as_polis(people: int, statements: int) -> Callable[[], Work]:
    """The formulas of Polis on the votes that its peer is given."""

    def prepare() -> Work:
        import numpy as np
        from scripts.oracles.peers import votes_of_people

        from normwright.aggregate import Profile, opinion_analysis

        table = votes_of_people(people, statements)
        rows, columns = np.nonzero(~np.isnan(table))
        values = table[rows, columns].astype(np.int8)
        who, what = [f"p{i}" for i in range(people)], [f"s{j}" for j in range(statements)]
        return lambda: opinion_analysis(
            Profile.from_arrays(who, what, rows, columns, values), pipeline="polis", rounds=0
        )

    return prepare


def _decisions(*, indexed: bool) -> Callable[[], Work]:
    """400 situations against 1,000 norms, all of their facts known, by a resolver that is kept."""

    def prepare() -> Work:
        from scripts.random_charters import large, large_situations

        from normwright.norms import Acts, Resolver
        from normwright.norms.conditions import compiled
        from normwright.records import Charter, FactReading, Situation

        charter = Charter.model_validate(large())
        asked = [Situation.model_validate(one) for one in large_situations()]
        resolver, acts = Resolver(charter), Acts(charter.vocabulary)
        for one in asked:
            resolver.decide(one)
        if indexed:
            return lambda: [resolver.decide(one) for one in asked]

        tests = [(compiled(norm.condition), norm.act) for norm in charter.norms]

        def pass_over(one: Situation) -> int:
            known = {n: v for n, v in one.facts.items() if not isinstance(v, FactReading)}
            return sum(test(known) is True and acts.covers(act, one.act) for test, act in tests)

        return lambda: [pass_over(one) for one in asked]

    return prepare


def _one_decision() -> Work:
    """The median of 400 decisions against 1,000 norms, each timed by itself."""
    from statistics import median

    from scripts.random_charters import large, large_situations

    from normwright.norms import Resolver
    from normwright.records import Charter, Situation

    resolver = Resolver(Charter.model_validate(large()))
    asked = [Situation.model_validate(one) for one in large_situations()]

    def took(one: Situation) -> float:
        start = time.process_time()
        resolver.decide(one)
        return time.process_time() - start

    return lambda: median(took(one) for one in asked)


def _linted() -> Work:
    """Every class of finding on 200 norms."""
    from scripts.bench_lint import made

    from normwright.charter.linting import lint

    charter = made(200, 1)
    return lambda: lint(charter)


def _started() -> Work:
    """`charter check` of thirteen norms with 122 cases, from the call to its end, by the clock.

    Modules are compiled by a first call that is not counted, as after any installation.
    """
    norms = ROOT / "src" / "normwright" / "flow" / "templates" / "town" / "norms"
    command = [str(Path(sys.executable).parent / "normwright"), "charter", "check", str(norms)]
    compiled = tempfile.mkdtemp(prefix="normwright-bench-")
    usual = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def run() -> float:
        start = time.perf_counter()
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            env={**usual, "PYTHONPYCACHEPREFIX": compiled},
        )
        return time.perf_counter() - start

    run()
    return run


def _resolver() -> Work:
    """From 1,000 norms to a resolver that is ready."""
    from scripts.random_charters import large

    from normwright.norms import Resolver
    from normwright.records import Charter

    charter = Charter.model_validate(large())
    return lambda: Resolver(charter)


def _drawn() -> Work:
    """Ten thousand cases of the town's charter in two languages, each time from the beginning."""
    from itertools import count

    from normwright.charter import assembled, read_source
    from normwright.charter.drawing import cases

    norms = ROOT / "src" / "normwright" / "flow" / "templates" / "town" / "norms"
    charter = assembled(read_source(norms), drafts=True)
    versions = count(1)

    def run() -> object:
        fresh = charter.model_copy(update={"version": next(versions)})
        return sum(1 for _ in cases(fresh, seed=1, count=10_000))

    return run


def _diff() -> Work:
    """What three changes to sixty norms change: regions with witnesses, and proof of the rest."""
    from scripts.bench_diff import pair

    from normwright.charter.amending import diff

    before, after = pair(4)
    return lambda: diff(before, after)


CASES: tuple[Case, ...] = (
    Case("margins-1e6x50", "pairwise margins, 10^6 ballots of 50", _margins(1_000_000, 50), 1.0),
    Case("margins-1e5x10", "pairwise margins, 10^5 ballots of 10", _margins(100_000, 10),
         peer="pref_voting margins 1e5x10", ratio=50),
    Case("margins-1e3x50", "pairwise margins, 10^3 ballots of 50", _margins(1000, 50),
         peer="votelib margins 1e3x50"),
    Case("schulze-50", "Schulze from margins, 50 alternatives", _by("schulze", 1001, 50),
         peer="pref_voting beat_path m=50"),
    Case("split-cycle-50", "Split Cycle from margins, 50 alternatives",
         _by("split-cycle", 1001, 50), peer="pref_voting split_cycle m=50"),
    Case("kemeny-8", "exact Kemeny, impartial culture, 8", _by("kemeny", 101, 8),
         peer="pref_voting kemeny m=8"),
    Case("kemeny-30", "exact Kemeny, impartial culture, 30", _by("kemeny", 101, 30), 1.0),
    Case("bradley-terry-1e6", "Bradley-Terry with errors, 10^6 comparisons of 200",
         _comparisons(1_000_000, 200), peer="evalica pairs 1e6x200"),
    Case("bradley-terry-1e7", "Bradley-Terry with errors, 10^7 comparisons of 200",
         _comparisons(10_000_000, 200), 0.2),
    Case("seq-pav", "sequential PAV, 1,000 voters, 20 of 200", _slate("seq-pav"),
         peer="abcvoting seqpav 1000x200x20"),
    Case("seq-phragmen", "sequential Phragmen, exact, 1,000 voters, 20 of 200",
         _slate("seq-phragmen"), peer="abcvoting seqphragmen 1000x200x20"),
    Case("equal-shares", "equal shares, exact, 1,000 voters, 20 of 200", _slate("equal-shares"),
         peer="abcvoting equal-shares 1000x200x20"),
    Case("polis-10kx500", "opinion map and groups as Polis, 10k people x 500",
         _as_polis(10_000, 500), peer="red-dwarf map 10000x500", ratio=10),
    Case("opinions-33kx2k", "opinion analysis, 33k people x 2k, 1.9 M votes",
         _opinions("33k-2k"), 1.0),
    Case("opinions-100kx5k", "opinion analysis, 100k people x 5k, 6 M votes",
         _opinions("100k-5k"), 2.0, mebibytes=1024),
    Case("decide-1000", "400 decisions against 1,000 norms", _decisions(indexed=True), 0.4,
         peer="cedarpy 400 of 1000"),
    Case("decide-1000-median", "one decision against 1,000 norms, median", _one_decision, 0.001,
         timed=True),
    Case("decide-1000-unindexed", "the same, only asking every norm whether it applies",
         _decisions(indexed=False)),
    Case("resolver-1000", "a resolver of 1,000 norms", _resolver, 2.0),
    Case("lint-200", "lint of 200 norms", _linted, 20.0),
    Case("check-start", "`charter check` of 13 norms, by the clock", _started, 0.4, timed=True),
    Case("cases-1e4", "10^4 cases drawn from a charter, two languages", _drawn, 60.0),
    Case("diff-60", "what 3 changes to 60 norms of 3 polities change, no duty among them", _diff,
         10.0),
)  # fmt: skip


def main() -> int:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    known = {case.name: case for case in CASES}
    if unknown := [name for name in arguments.names if name not in known]:
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
    if arguments.alone:
        print(json.dumps(_measured(known[arguments.names[0]])))
        return 0
    chosen = [known[name] for name in arguments.names] or list(CASES)
    rows = []
    for case in chosen:
        print(f"{case.name} ...", file=sys.stderr, flush=True)
        rows.append((case, _fresh(case), _peer(case)))
    if arguments.json:
        print(json.dumps([{"name": c.name, "ours": o, "peer": p} for c, o, p in rows], indent=2))
    else:
        print(_table(rows))
    if not arguments.names:
        PAGE.write_text(_page(rows), encoding="utf-8")
    return 0 if all(_met(*row) is not False for row in rows) else 1


def _measured(case: Case) -> dict[str, float]:
    work = case.prepare()
    best = min(_seconds(work, case) for _ in range(RUNS))
    return {"cpu": best, "mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _seconds(work: Work, case: Case) -> float:
    start = time.process_time()
    own = work()
    if case.timed:
        assert isinstance(own, float)
        return own
    return time.process_time() - start


def _fresh(case: Case) -> dict[str, float]:
    return _answer([sys.executable, "-m", "scripts.bench", case.name, "--alone"])


def _peer(case: Case) -> dict[str, Any] | None:
    if case.peer is None or not PEER_PYTHON.exists():
        return None
    return _answer([str(PEER_PYTHON), "-m", "scripts.oracles.peers", "--here", case.peer])


def _answer(command: Sequence[str]) -> dict[str, Any]:
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        command, env={**os.environ, **one}, capture_output=True, text=True, check=False, cwd=ROOT
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _met(case: Case, ours: dict[str, float], peer: dict[str, Any] | None) -> bool | None:
    """Whether every target that can be judged here is met; None where there is none."""
    judged = []
    if case.seconds is not None:
        judged.append(ours["cpu"] < case.seconds)
    if case.mebibytes is not None:
        judged.append(ours["mebibytes"] < case.mebibytes)
    if case.ratio is not None and peer is not None:
        judged.append(peer["seconds"] / ours["cpu"] >= case.ratio)
    return all(judged) if judged else None


def _table(rows: Sequence[tuple[Case, dict[str, float], dict[str, Any] | None]]) -> str:
    lines = [
        "| what | CPU s | peak MiB | target | peer | peer's CPU s | ratio | met |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case, ours, peer in rows:
        goal = []
        if case.seconds is not None:
            goal.append(f"< {case.seconds:g} s")
        if case.mebibytes is not None:
            goal.append(f"< {case.mebibytes:g} MiB")
        if case.ratio is not None:
            goal.append(f">= {case.ratio:g}x")
        met = {True: "yes", False: "NO", None: ""}[_met(case, ours, peer)]
        told = ("", "", "")
        if peer is not None:
            told = (
                f"{peer['package']} {peer['version']}",
                f"{peer['seconds']:.3f}",
                f"{peer['seconds'] / ours['cpu']:.1f}x",
            )
        elif case.peer is not None:
            told = ("not at hand (make oracles)", "", "")
        cells = (
            case.what,
            f"{ours['cpu']:.4g}",
            f"{ours['mebibytes']:.0f}",
            ", ".join(goal),
            *told,
        )
        lines.append(f"| {' | '.join(cells)} | {met} |")
    return "\n".join(lines)


def _page(rows: Sequence[tuple[Case, dict[str, float], dict[str, Any] | None]]) -> str:
    import numpy
    import scipy

    cores = os.cpu_count()
    return (
        "# Speed, beside peers\n\n<!-- Written by scripts/bench.py; do not edit. -->\n\n"
        f"Python {platform.python_version()}, numpy {numpy.__version__}, scipy "
        f"{scipy.__version__}, {cores} cores, one thread. CPU seconds are the best of {RUNS}, "
        "without preparation; memory is the peak of the whole process. A peer is run once after a "
        "warm-up on little data, in the form it takes (lists of orders, which it counts into a "
        "profile; ours are arrays), on the same machine, right after ours.\n\n"
        + _table(rows)
        + "\n"
    )


if __name__ == "__main__":
    sys.exit(main())
