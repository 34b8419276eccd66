"""Run a project, and say how far it is: the project file becomes steps, the steps a report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from normwright.flow.engine import RunReport, Watcher, run_steps, up_to
from normwright.flow.forecast import Forecast, check_room, forecast_of
from normwright.flow.project import load_project
from normwright.flow.signing import hand_of, sign_criteria, sign_made, signers_of
from normwright.flow.stages import check_plugins, check_split, steps
from normwright.flow.status import Status, status_of
from normwright.flow.withdrawal import check_finished
from normwright.store import KeyHome, passphrase_of_environment

_SIGNED = ("charter", "release")
"""Steps that make what is signed after a run."""
_JUDGED = ("evaluate", "redteam", "release")
"""Steps that make or use evidence, before which the criteria are to be signed."""


def run(
    directory: Path,
    *,
    until: str | None = None,
    watch: Watcher | None = None,
    foresee: Callable[[Forecast], object] | None = None,
    home: KeyHome | None = None,
    passphrase: Callable[[], str | None] = passphrase_of_environment,
    accept_clock: bool = False,
) -> RunReport:
    """Carry a project from its consultation to a verdict; what has not changed is skipped.

    Where this machine has a key that signs runs, the criteria are signed before the first step and
    the policy and the verdict after the last.

    Args:
        directory: the project.
        until: the last step to run; None runs all.
        watch: called with every event.
        foresee: called with what the run will take, before the first step.
        home: where keys lie; None is this machine's key home.
        passphrase: asked, before the first step, only where the key has one and there will be
            something to sign.
        accept_clock: go on although the clock stands before the last entry of the ledger, and
            have the ledger say so.

    Raises:
        InputError: with every fault of the project and its files, if a plug-in it names is unknown
            or broken, if the disk is too small, or if the key cannot be used; nothing is changed
            then.
        PlaceError: if the disk is full or may not be written to; what was finished is kept.
    """
    project = load_project(directory)
    check_finished(directory)
    hand = hand_of(directory, home, passphrase)
    plan = steps(project)
    asked = [step.name for step in up_to(plan, until)]
    if "release" in asked:
        check_split(project)
    check_plugins(project, asked)
    foreseen = forecast_of(project, plan, until=until)
    if foresee is not None:
        foresee(foreseen)
    check_room(directory, foreseen)
    if hand is not None:
        if any(step.name in _SIGNED for step in foreseen.steps):
            hand.open()  # better refused now than after the work
        if any(name in _JUDGED for name in asked):
            sign_criteria(project, hand, sure=bool(foreseen.steps))
    seed = project.settings.seed
    report = run_steps(
        directory,
        plan,
        seed=seed,
        until=until,
        watch=watch or (lambda event: None),
        accept_clock=accept_clock,
    )
    return replace(report, signed=sign_made(project, hand, plan))


def status(directory: Path) -> Status:
    """Return which steps the next run would skip, and the verdicts that stand.

    Raises:
        InputError: with every fault of the project and its files.
    """
    project = load_project(directory)
    plan = steps(project)
    found = status_of(directory, plan, seed=project.settings.seed)
    return replace(found, signed=signers_of(project, plan))
