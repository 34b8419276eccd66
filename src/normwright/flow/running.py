"""Run a project, and say how far it is: the project file becomes steps, the steps a report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from normwright.flow.engine import RunReport, Watcher, run_steps, up_to
from normwright.flow.forecast import Forecast, check_room, forecast_of
from normwright.flow.permits import Permitting, read_permit, tell
from normwright.flow.project import Project, load_project
from normwright.flow.settings import FILE
from normwright.flow.signing import hand_of, sign_criteria, sign_made, signers_of
from normwright.flow.stages import check_plugins, check_split, no_charter, steps
from normwright.flow.status import Status, status_of
from normwright.flow.withdrawal import check_finished
from normwright.records import Fault, InputError, PermitError
from normwright.store import KeyHome, passphrase_of_environment

_SIGNED = ("charter", "permit", "release")
"""Steps that make what is signed after a run."""
_TRAINING = frozenset(
    {"learn.sft", "learn.reward", "learn.prefer", "learn.reinforce", "learn.control"}
)
"""Steps that train; a run that has none leaves it as it is how the project was told to train."""
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
    permit: Path | None = None,
    unpermitted: bool = False,
    today: date | None = None,
) -> RunReport:
    """Carry a project from its consultation to a verdict; what has not changed is skipped.

    Where this machine has a key that signs runs, the criteria are signed before the first step and
    the policy, the permit and the verdict after the last.

    Nothing is trained without a permit: the one that the step `permit` makes, or a signed one from
    outside. `unpermitted`, here or in the project file, trains without, and marks the models.

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
        permit: a signed permit to train under, in the place of the run's own.
        unpermitted: train without a permit.
        today: the day on which `permit` must hold; None is that of this machine's clock.

    Raises:
        PermitError: with every reason, if training is not permitted. What came before is kept.
        InputError: with every fault of the project and its files, if a plug-in it names is unknown
            or broken, if the disk is too small, or if the key cannot be used; nothing is changed
            then.
        PlaceError: if the disk is full or may not be written to; what was finished is kept.
    """
    project = load_project(directory)
    check_finished(directory)
    hand = hand_of(directory, home, passphrase)
    names = [step.name for step in up_to(steps(project), until)]
    told = project.permitting
    if permit is not None or unpermitted or not _TRAINING.isdisjoint(names):
        told = _permitting(project, permit, unpermitted, home, today or datetime.now(UTC).date())
    project = replace(project, permitting=told)
    plan = steps(project)
    asked = [step.name for step in up_to(plan, until)]
    if "release" in asked:
        check_split(project)
    check_plugins(project, asked)
    lawless = project.settings.sources.norms is None and not project.unpermitted
    if lawless and not _TRAINING.isdisjoint(asked):
        raise PermitError([no_charter()])
    foreseen = forecast_of(project, plan, until=until)
    if foresee is not None:
        foresee(foreseen)
    check_room(directory, foreseen)
    if hand is not None:
        if any(step.name in _SIGNED for step in foreseen.steps):
            hand.open()  # better refused now than after the work
        if any(name in _JUDGED for name in asked):
            sign_criteria(project, hand, sure=bool(foreseen.steps))
    tell(directory, told)
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


def _permitting(
    project: Project, place: Path | None, unpermitted: bool, home: KeyHome | None, today: date
) -> Permitting:
    """Return how a run is told to train; a permit from outside is checked before anything runs."""
    if place is None:
        return Permitting(unpermitted)
    if unpermitted or project.settings.learn.unpermitted:
        where = "unpermitted" if unpermitted else f"{FILE}: learn.unpermitted"
        seen, do = "a permit, and training without one", "Give one of the two."
        raise InputError([Fault(where=where, expected="one of the two", seen=seen, do=do)])
    if project.settings.sources.norms is None:
        raise PermitError([no_charter()])
    home = KeyHome.here() if home is None else home
    data, _ = read_permit(place, home=home, on=today, modes=project.settings.release.modes)
    return Permitting(envelope=data)


def status(directory: Path) -> Status:
    """Return which steps the next run would skip, and the verdicts that stand.

    Raises:
        InputError: with every fault of the project and its files.
    """
    project = load_project(directory)
    plan = steps(project)
    found = status_of(directory, plan, seed=project.settings.seed)
    return replace(found, signed=signers_of(project, plan))
