"""A guard for a place: the embedded policy, an enacted one, or a project with what it fitted."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normwright.flow.settings import FILE
from normwright.records import Fault, InputError, Policy

if TYPE_CHECKING:
    from normwright.flow.results import Findings
    from normwright.guard import Guard, Screener


def open_guard(place: Path | None = None, **settings: Any) -> Guard:
    """Return a guard made ready.

    Args:
        place: a project, whose enacted policy counts together with the heads that its run fitted;
            a folder as `charter enact` writes it, or its `policy.json`; None: the policy that ships
            with the package. Detectors of one's own lie beside as `detectors.yaml`, and what
            `guard calibrate` wrote as `calibration.json`: its thresholds hold unless `settings`
            give others.
        settings: further arguments for `Guard`.

    Raises:
        InputError: if there is no policy, or with every fault of its files.
    """
    from normwright.guard import open_policy

    if place is not None and (place / FILE).is_file():
        return _of_project(place, settings)
    return open_policy(place, **settings)


def _of_project(place: Path, settings: dict[str, Any]) -> Guard:
    from normwright.flow.results import findings
    from normwright.guard import Guard, own_detectors
    from normwright.guard.opening import calibrated

    found = findings(place)
    policy = enacted_policy(place, found)
    detectors = own_detectors(place, policy)
    scenes = _screener(place, found, policy)
    guard = Guard(policy, detectors=detectors, scenes=scenes, **settings)
    return calibrated(guard, place)


def enacted_policy(place: Path, found: Findings) -> Policy:
    """Return the policy that a project's run has enacted.

    Raises:
        InputError: if it has not come that far.
    """
    if found.policy is None:
        raise InputError([Fault(where=str(place), expected="an enacted policy", seen="none",
                                do=f"Make it with: normwright run {place} --until charter")]
                         )  # fmt: skip
    return found.policy


def _screener(place: Path, found: Findings, policy: Policy) -> Screener | None:
    """What the project's run fitted for its guard; None where it has not run that far."""
    from normwright.flow.stores import open_store
    from normwright.guard import HarmClassifier, Screener, read_rules

    fitted = [m for m in found.models if m.name == "guard"]
    if not fitted:
        return None
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(place, create=False) as store,
    ):
        store.objects.check_out(fitted[-1].files, Path(folder))
        harm = HarmClassifier.load(Path(folder))
    rules = read_rules(
        found.project.path(found.project.settings.guard.facts),
        vocabulary=policy.charter.vocabulary,
        languages=found.project.settings.languages,
    )
    return Screener(policy, harm, rules)
