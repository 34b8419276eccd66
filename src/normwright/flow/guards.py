"""A guard for a place: the embedded policy, an enacted one, or a project with what it fitted."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from normwright.flow.settings import FILE
from normwright.records import Digest, Fault, GuardCalibration, InputError, Policy

if TYPE_CHECKING:
    from normwright.flow.results import Findings
    from normwright.guard import Guard, Screener

CALIBRATION: Final = "calibration.json"


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
    guard = open_policy(place, **settings)
    if place is None:
        return guard
    return _calibrated(guard, place if place.is_dir() else place.parent)


def classifier_digest(guard: Guard) -> Digest | None:
    """Return the digest of the classifier a guard reads with; None where it reads with none."""
    from normwright.guard.text_harm import TextHarm

    return guard.kit.harm.digest if isinstance(guard.kit.harm, TextHarm) else None


def _calibrated(guard: Guard, folder: Path) -> Guard:
    """The guard with the thresholds of the folder's calibration, if it has one."""
    path = folder / CALIBRATION
    if not path.is_file():
        return guard
    do = "Calibrate again: normwright guard calibrate"
    try:
        record = GuardCalibration.model_validate_json(path.read_bytes())
    except ValueError as error:
        seen = " ".join(str(error).split())[:200]
        raise InputError([Fault(where=str(path), expected="a calibration", seen=seen, do=do)]
                         ) from error  # fmt: skip
    pairs = {
        "policy": (record.policy, guard.policy.digest),
        "classifier": (record.classifier, classifier_digest(guard)),
    }
    faults = [
        Fault(where=f"{path}: {name}", expected=str(now), seen=str(then), do=do)
        for name, (then, now) in pairs.items()
        if then != now
    ]
    if faults:
        raise InputError(faults)
    thresholds = {**record.thresholds(), **guard.settings.thresholds}
    return guard.with_settings(replace(guard.settings, thresholds=thresholds))


def _of_project(place: Path, settings: dict[str, Any]) -> Guard:
    from normwright.flow.results import findings
    from normwright.guard import Guard, own_detectors

    found = findings(place)
    if found.policy is None:
        raise InputError([Fault(where=str(place), expected="an enacted policy", seen="none",
                                do=f"Make it with: normwright run {place} --until charter")]
                         )  # fmt: skip
    detectors = own_detectors(place, found.policy)
    scenes = _screener(place, found, found.policy)
    guard = Guard(found.policy, detectors=detectors, scenes=scenes, **settings)
    return _calibrated(guard, place)


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
