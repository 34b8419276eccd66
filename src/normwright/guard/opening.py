"""A guard for an enacted policy that lies in a folder, or for the one that ships."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from normwright.guard.detectors import FILE, Detectors, read_detectors
from normwright.guard.engine import Guard
from normwright.records import Digest, Fault, GuardCalibration, InputError, Policy

POLICY: Final = "policy.json"
CALIBRATION: Final = "calibration.json"


def open_policy(place: Path | None = None, **settings: Any) -> Guard:
    """Return a guard made ready.

    Args:
        place: a folder as `charter enact` writes it, or its `policy.json`; None: the policy that
            ships. Detectors of one's own lie beside it as `detectors.yaml`, and what
            `guard calibrate` wrote as `calibration.json`: its thresholds hold unless `settings`
            give others.
        settings: further arguments for `Guard`.

    Raises:
        InputError: if there is no policy, or with every fault of its files.
    """
    if place is None:
        return Guard.embedded(**settings)
    folder, path = (place, place / POLICY) if place.is_dir() else (place.parent, place)
    policy = _policy(path)
    guard = Guard(policy, detectors=own_detectors(folder, policy), **settings)
    return calibrated(guard, folder)


def own_detectors(folder: Path, policy: Policy) -> Detectors | None:
    """Return the shipped detectors with those of a folder; None: the folder has none.

    Raises:
        InputError: with every fault of its file.
    """
    from normwright.guard.embedded import detectors

    path = folder / FILE
    if not path.is_file():
        return None
    return detectors().joined(read_detectors(path, vocabulary=policy.charter.vocabulary))


def classifier_digest(guard: Guard) -> Digest | None:
    """Return the digest of the classifier a guard reads with; None where it reads with none."""
    from normwright.guard.text_harm import TextHarm

    return guard.kit.harm.digest if isinstance(guard.kit.harm, TextHarm) else None


def calibrated(guard: Guard, folder: Path) -> Guard:
    """Return the guard with the thresholds of a folder's calibration, if it has one.

    Raises:
        InputError: if it was made for another policy or another classifier.
    """
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


def _policy(path: Path) -> Policy:
    do = "Write one with: normwright charter enact DIR --out policy"
    if not path.is_file():
        raise InputError([Fault(where=str(path), expected="a project or an enacted policy",
                                seen="no such file", do=do)])  # fmt: skip
    try:
        return Policy.model_validate_json(path.read_bytes())
    except ValueError as error:
        seen = " ".join(str(error).split())[:200]
        raise InputError([Fault(where=str(path), expected="a policy", seen=seen, do=do)]) from error
