"""A sweep: every cell trained and measured, in a pool or through Ray, and the trade-off of all.

A finished run is a file; the same call goes on where another one was killed. A run whose settings,
rows or model changed is done again.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from normwright.flow.extras import require_learning
from normwright.flow.sweep_cells import digest_of, failed, read_cell, run_cell, spec_of
from normwright.flow.sweep_file import Planned, Sweep, read_sweep
from normwright.records import Fault, InputError, MissingExtra, PermitError

if TYPE_CHECKING:
    from normwright.evaluate.frontier import Frontier, Run

Told: TypeAlias = Callable[[int, int, str], None]
Task: TypeAlias = tuple[Mapping[str, Any], str, str | None, bool]


@dataclass(frozen=True)
class Swept:
    """The trade-off, with what was run for it."""

    frontier: Frontier
    out: Path
    run: int
    kept: int
    cpu_seconds: float
    """Of all runs, whenever they were done."""

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {
            **self.frontier.as_json(), "out": str(self.out), "runs": self.run + self.kept,
            "done_now": self.run, "kept": self.kept, "cpu_seconds": round(self.cpu_seconds, 1),
        }  # fmt: skip


def swept(
    path: Path,
    *,
    out: Path,
    jobs: int | None = None,
    ray: str | None = None,
    permit: Path | None = None,
    unpermitted: bool = False,
    pooled: bool = False,
    seed: int = 0,
    told: Told | None = None,
) -> Swept:
    """Return the trade-off of a sweep; what is not finished yet is done first.

    Args:
        path: the file of the sweep.
        out: where runs are kept.
        jobs: runs at once; None is one a core. 1 runs them in this process, without Ray.
        ray: address of a cluster that sees the same files, or `local`; None is a pool of processes.
        permit: a signed permit to train under.
        unpermitted: train without one.
        pooled: take the spread of seeds to be the same in every cell.
        seed: seed of the rounds.
        told: told of every run that is done.

    Raises:
        InputError: with every fault of the file; or naming the runs that could not be finished.
        PermitError: if something is to be trained with neither a permit nor leave to do without.
        MissingExtra: if Ray is asked for and not installed, or models cannot be trained here.
    """
    from normwright.evaluate.frontier import frontier

    sweep, runs = read_sweep(path)
    if ray is not None and find_spec("ray") is None:
        raise MissingExtra("a sweep through Ray", "scale")
    digests = _digests(runs)
    specs = {p.key: spec_of(p, digests) for p in runs if p.results is None}
    cells = out / "cells"
    cells.mkdir(parents=True, exist_ok=True)
    waiting = [s for key, s in specs.items()
               if read_cell(cells / f"{key}.json", s["digest"]) is None]  # fmt: skip
    if waiting:
        require_learning("A sweep")
        if any(s["stages"] for s in waiting) and permit is None and not unpermitted:
            raise PermitError([Fault(where="--permit", expected="a permit to train under",
                                     seen="none", do="Or say --unpermitted.")])  # fmt: skip
    tasks: list[Task] = [
        (s, str(out.resolve()), None if permit is None else str(permit.resolve()), unpermitted)
        for s in waiting
    ]
    tell = told or (lambda done, total, what: None)
    tell(0, len(tasks), "")
    faults = []
    for done, (name, fault) in enumerate(_through(tasks, jobs, ray), 1):
        tell(done, len(tasks), name)
        faults += [fault] * bool(fault)
    if faults:
        raise failed(sorted(faults))
    found = [_finished(p, cells, specs) for p in runs]
    made = frontier([run for run, _ in found], _objectives(sweep), seed=seed, pooled=pooled)
    return Swept(made, out, len(tasks), len(runs) - len(tasks), sum(cpu for _, cpu in found))


def _digests(runs: Sequence[Planned]) -> dict[str, str]:
    """Of each file and model directory that is read, once."""
    places = {str(p.model) for p in runs if p.results is None}
    places |= {s["data"] for p in runs for s in p.stages}
    places |= {m["data"] for p in runs for m in p.measure.values()}
    return {place: digest_of(Path(place)) for place in sorted(places)}


def _objectives(sweep: Sweep) -> list[Any]:
    from normwright.evaluate.frontier import Objective

    return [
        Objective(name, m.better, m.reference,
                  m.gate if m.gate is not None else m.better == "higher" or m.kind == "bits")
        for name, m in sweep.measure.items()
    ]  # fmt: skip


def _through(tasks: Sequence[Task], jobs: int | None, ray: str | None) -> Iterator[tuple[str, str]]:
    """Name and fault of each run as it ends."""
    workers = jobs or len(os.sched_getaffinity(0))
    if not tasks:
        return
    if ray is not None:
        yield from _through_ray(tasks, workers, ray)
    elif workers == 1:
        for task in tasks:
            yield task[0]["name"], run_cell(*task)
    else:
        # Torch must not be forked; a fresh process reads everything itself.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(workers, len(tasks)), mp_context=context) as pool:
            waiting = {pool.submit(run_cell, *task): task[0]["name"] for task in tasks}
            for future in as_completed(waiting):
                yield waiting[future], future.result()


def _through_ray(tasks: Sequence[Task], workers: int, address: str) -> Iterator[tuple[str, str]]:
    import ray

    mine = not ray.is_initialized()
    if mine and address == "local":
        # On the loopback alone: nobody else may send it work, and no other address need be reached.
        ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False,
                 logging_level="ERROR", _node_ip_address="127.0.0.1")  # fmt: skip
    elif mine:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    try:
        remote = ray.remote(num_cpus=1, max_retries=1)(run_cell)
        waiting = {remote.remote(*task): task[0]["name"] for task in tasks}
        while waiting:
            ready, _ = ray.wait(list(waiting), num_returns=1)
            for one in ready:
                yield waiting.pop(one), ray.get(one)
    finally:
        if mine:
            ray.shutdown()


def _finished(
    planned: Planned, cells: Path, specs: Mapping[str, Mapping[str, Any]]
) -> tuple[Run, float]:
    """A finished run, from this sweep or from the folder the cell names."""
    from normwright.evaluate.frontier import Measured, Run

    if planned.results is None:
        file = cells / f"{planned.key}.json"
        found = read_cell(file, specs[planned.key]["digest"])
    else:
        file = planned.results / f"{planned.key}.json"
        found = read_cell(file, None)
    if found is None:
        raise InputError([Fault(where=str(file), expected="a finished run of a sweep",
                                seen="none", do="Give the folder `cells` of one.")])  # fmt: skip
    measured = {name: Measured(**one) for name, one in found["measured"].items()}
    run = Run(planned.name, planned.axes, planned.seed, measured)
    return run, float(found.get("cpu_seconds", 0.0))
