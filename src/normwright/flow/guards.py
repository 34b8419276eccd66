"""A guard for a place: the embedded policy, an enacted one, or a project with what it fitted."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from normwright.flow.settings import FILE
from normwright.records import Fault, InputError, Policy

if TYPE_CHECKING:
    from normwright.guard import Detectors, Guard, Screener

POLICY: Final = "policy.json"
DETECTORS: Final = "detectors.yaml"


def open_guard(place: Path | None = None, **settings: Any) -> Guard:
    """Return a guard made ready.

    Args:
        place: a project, whose enacted policy counts together with the heads that its run fitted;
            a folder as `charter enact` writes it, or its `policy.json`; None: the policy that ships
            with the package. Detectors of one's own lie beside as `detectors.yaml`.
        settings: further arguments for `Guard`.

    Raises:
        InputError: if there is no policy, or with every fault of its files.
    """
    from normwright.guard import Guard

    if place is None:
        return Guard.embedded(**settings)
    if (place / FILE).is_file():
        return _of_project(place, settings)
    folder, path = (place, place / POLICY) if place.is_dir() else (place.parent, place)
    policy = _policy(path)
    return Guard(policy, detectors=_detectors(folder, policy), **settings)


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


def _detectors(folder: Path, policy: Policy) -> Detectors | None:
    """The shipped detectors with those of the folder; None: no file of its own."""
    from normwright.guard import read_detectors
    from normwright.guard.embedded import detectors

    path = folder / DETECTORS
    if not path.is_file():
        return None
    return detectors().joined(read_detectors(path, vocabulary=policy.charter.vocabulary))


def _of_project(place: Path, settings: dict[str, Any]) -> Guard:
    from normwright.flow.results import findings
    from normwright.guard import Guard

    found = findings(place)
    if found.policy is None:
        raise InputError([Fault(where=str(place), expected="an enacted policy", seen="none",
                                do=f"Make it with: normwright run {place} --until charter")]
                         )  # fmt: skip
    return Guard(
        found.policy,
        detectors=_detectors(place, found.policy),
        scenes=_screener(place, found.policy),
        **settings,
    )


def _screener(place: Path, policy: Policy) -> Screener | None:
    """What the project's run fitted for its guard; None where it has not run that far."""
    from normwright.flow.project import load_project
    from normwright.flow.results import findings
    from normwright.flow.stores import open_store
    from normwright.guard import HarmClassifier, Screener, read_rules

    fitted = [m for m in findings(place).models if m.name == "guard"]
    if not fitted:
        return None
    project = load_project(place)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(place, create=False) as store,
    ):
        store.objects.check_out(fitted[-1].files, Path(folder))
        harm = HarmClassifier.load(Path(folder))
    rules = read_rules(
        project.path(project.settings.guard.facts),
        vocabulary=policy.charter.vocabulary,
        languages=project.settings.languages,
    )
    return Screener(policy, harm, rules)
