"""The lab: every recipe against the optimum that theory says it has, beside its controls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from normwright.learn.lab import controls, limits, offline, online, processes, rules, theorems
from normwright.learn.lab.findings import Check, Finding, Row, Scale
from normwright.models.local import use_threads
from normwright.records import Fault, InputError

Told = Callable[[int, int, str], None]
"""Called with (checks done, checks in all, the name of the next)."""


def checks() -> tuple[Check, ...]:
    """Return all checks in the order they run."""
    return (
        *theorems.CHECKS,
        *limits.CHECKS,
        *offline.CHECKS,
        *rules.CHECKS,
        *online.CHECKS,
        *processes.CHECKS,
        *controls.CHECKS,
    )


def run_lab(
    scale: Scale,
    *,
    clock: Callable[[], float],
    only: Sequence[str] = (),
    jobs: int = 1,
    progress: Told | None = None,
) -> tuple[Row, ...]:
    """Return the rows of the lab.

    Args:
        scale: seed and size.
        clock: seconds, for the rows; what other processes can be sent, where there are any.
        only: names of checks to run; all of the scale if empty.
        jobs: processes among which the checks are shared; each check runs in one, on one thread.
        progress: told before each check, or where there are several jobs, after it.

    A check that breaks is a row that failed and says why; the others run.

    Raises:
        InputError: if a name is unknown, or no process is left to run a check.
    """
    known = {c.name for c in checks()}
    faults = [
        Fault(where="--only", expected=f"one of {', '.join(sorted(known))}", seen=name)
        for name in only
        if name not in known
    ]
    if jobs < 1:
        faults.append(Fault(where="--jobs", expected="at least 1", seen=str(jobs)))
    if faults:
        raise InputError(faults)
    chosen = [c.name for c in checks() if (c.name in only if only else c.quick or not scale.quick)]
    if jobs > 1:
        return _shared(chosen, scale, clock, jobs, progress)
    found: list[Row] = []
    for done, name in enumerate(chosen):
        if progress is not None:
            progress(done, len(chosen), name)
        found += _rows(name, scale, clock)
    return tuple(found)


def _shared(
    chosen: Sequence[str],
    scale: Scale,
    clock: Callable[[], float],
    jobs: int,
    progress: Told | None,
) -> tuple[Row, ...]:
    """Run checks in several processes; the last ones, which take longest, begin."""
    found: dict[str, list[Row]] = {}
    with ProcessPoolExecutor(
        jobs, get_context("spawn"), initializer=use_threads, initargs=(1,)
    ) as pool:
        runs = {pool.submit(_rows, name, scale, clock): name for name in reversed(chosen)}
        for done, run in enumerate(as_completed(runs)):
            found[runs[run]] = run.result()
            if progress is not None:
                progress(done, len(chosen), runs[run])
    return tuple(row for name in chosen for row in found[name])


def _rows(name: str, scale: Scale, clock: Callable[[], float]) -> list[Row]:
    """Return what a check found, with the seconds it took."""
    (check,) = (c for c in checks() if c.name == name)
    start, found = clock(), []
    try:
        found += check.run(scale)
    except Exception as error:  # noqa: BLE001 - whatever broke, the other checks still run
        said = " ".join(str(error).split())[-300:]
        found.append(Finding(f"{name}: runs", "no error", type(error).__name__, "no error", False,
                             "within", detail=said))  # fmt: skip
    took = clock() - start
    return [Row(name, one, took if i == 0 else 0.0) for i, one in enumerate(found)]


def left_out(scale: Scale) -> tuple[str, ...]:
    """Return the names of checks that a lab of this scale does not run."""
    return tuple(c.name for c in checks() if scale.quick and not c.quick)
