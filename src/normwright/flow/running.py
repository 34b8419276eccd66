"""Run a project, and say how far it is: the project file becomes steps, the steps a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from normwright.flow.engine import RunReport, Step, Watcher, run_steps, up_to
from normwright.flow.forecast import Forecast, check_room, forecast_of
from normwright.flow.lock import locked
from normwright.flow.project import Project, load_project
from normwright.flow.signing import (
    Hand,
    made,
    sign_in,
    signed_as_they_lie,
    signers,
    signers_of,
    write_envelopes,
)
from normwright.flow.stages import check_split, steps
from normwright.flow.status import Status, status_of
from normwright.store import KeyHome, Store, passphrase_of_environment


def run(
    directory: Path,
    *,
    until: str | None = None,
    watch: Watcher | None = None,
    foresee: Callable[[Forecast], object] | None = None,
    home: KeyHome | None = None,
    passphrase: Callable[[], str | None] = passphrase_of_environment,
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
        passphrase: asked, before the first step, only where the key has one and is needed.

    Raises:
        InputError: with every fault of the project and its files, if the disk is too small, or if
            the key cannot be used; nothing is changed then.
    """
    project = load_project(directory)
    hand = _hand(directory, KeyHome.here() if home is None else home, passphrase)
    plan = steps(project)
    if until in (None, "release"):
        check_split(project)
    foreseen = forecast_of(project, plan, until=until)
    if foresee is not None:
        foresee(foreseen)
    check_room(directory, foreseen)
    if hand is not None:
        if foreseen.steps:
            hand.open()  # better refused now than after the work
        if _measures(up_to(plan, until)):
            _sign_criteria(project, hand, sure=bool(foreseen.steps))
    seed = project.settings.seed
    if watch is None:
        report = run_steps(directory, plan, seed=seed, until=until)
    else:
        report = run_steps(directory, plan, seed=seed, until=until, watch=watch)
    return replace(report, signed=_sign(project, hand))


def _hand(directory: Path, home: KeyHome, passphrase: Callable[[], str | None]) -> Hand | None:
    """Return the key that signs a run of this project, if there is one."""
    if (name := home.signing()) is None:
        return None
    home.outside(directory)
    return Hand(home, name, passphrase)


def _measures(chosen: Sequence[Step]) -> bool:
    """Say whether a run comes to evidence, before which its criteria are to be signed."""
    return any(step.name in ("evaluate", "redteam", "release") for step in chosen)


def _sign_criteria(project: Project, hand: Hand, *, sure: bool) -> None:
    """Sign the criteria as they lie there, unless this key has.

    To be sure they are read; where nothing is to be done, that the file is the same will do.
    """
    with locked(project.directory), Store.open(project.directory) as store:
        if sure or not signed_as_they_lie(project, store, hand.keyid):
            sign_in(project, store, hand, ["criteria"])


def _sign(project: Project, hand: Hand | None) -> dict[str, tuple[str, ...]]:
    """Sign what a run made, if there is a key, and return who has signed what stands now."""
    with locked(project.directory), Store.open(project.directory) as store:
        if hand is not None and (done := sign_in(project, store, hand, ["policy", "verdict"])):
            return done.signers
        standing = made(store)
        if store.signatures():
            # Some may speak of what no longer stands.
            write_envelopes(project.directory, store, standing)
        return signers(project.directory, store, standing)


def status(directory: Path) -> Status:
    """Return which steps the next run would skip, and the verdicts that stand.

    Raises:
        InputError: with every fault of the project and its files.
    """
    project = load_project(directory)
    found = status_of(directory, steps(project), seed=project.settings.seed)
    return replace(found, signed=signers_of(directory))
