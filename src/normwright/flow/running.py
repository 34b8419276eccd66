"""Run a project, and say how far it is: the project file becomes steps, the steps a report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from normwright.flow.engine import RunReport, Watcher, run_steps
from normwright.flow.forecast import Forecast, check_room, forecast_of
from normwright.flow.project import load_project
from normwright.flow.stages import check_split, steps
from normwright.flow.status import Status, status_of


def run(
    directory: Path,
    *,
    until: str | None = None,
    watch: Watcher | None = None,
    foresee: Callable[[Forecast], object] | None = None,
    accept_clock: bool = False,
) -> RunReport:
    """Carry a project from its consultation to a verdict; what has not changed is skipped.

    Args:
        directory: the project.
        until: the last step to run; None runs all.
        watch: called with every event.
        foresee: called with what the run will take, before the first step.
        accept_clock: go on although the clock stands before the last entry of the ledger, and
            have the ledger say so.

    Raises:
        InputError: with every fault of the project and its files, or if the disk is too small;
            nothing is changed then.
        PlaceError: if the disk is full or may not be written to; what was finished is kept.
    """
    project = load_project(directory)
    plan = steps(project)
    if until in (None, "release"):
        check_split(project)
    foreseen = forecast_of(project, plan, until=until)
    if foresee is not None:
        foresee(foreseen)
    check_room(directory, foreseen)
    seed = project.settings.seed
    return run_steps(
        directory,
        plan,
        seed=seed,
        until=until,
        watch=watch or (lambda event: None),
        accept_clock=accept_clock,
    )


def status(directory: Path) -> Status:
    """Return which steps the next run would skip, and the verdicts that stand.

    Raises:
        InputError: with every fault of the project and its files.
    """
    project = load_project(directory)
    return status_of(directory, steps(project), seed=project.settings.seed)
