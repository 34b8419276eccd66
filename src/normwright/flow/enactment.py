"""A charter enacted on disk: its artefacts written for review, and read back as they stand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from normwright.flow.folders import write_folder
from normwright.flow.settings import FILE
from normwright.records import (
    Charter,
    Coverage,
    CoverageHole,
    Criterion,
    Deployment,
    Fault,
    InputError,
    Outcome,
    Policy,
)


@dataclass(frozen=True)
class Checked:
    """Artefacts as they stand in a folder, against the charter they should carry."""

    policy: Policy
    coverage: Coverage
    edited: tuple[str, ...]
    """Files that are not what the charter gives; an edit that covers as much is no fault."""


def enacted(
    place: Path,
    deployment: Deployment | None,
    *,
    charter: Charter | None = None,
) -> Policy:
    """Return the policy of a project's ratified charter, or of one given.

    Args:
        place: a project's directory, or where the norms lie.
        deployment: the profile; None: the project's own, or one without any particulars.
        charter: what is enacted; None: the charter that the project has ratified.

    Raises:
        InputError: if nothing was ratified, no norm holds, or the profile does not fit.
    """
    from normwright.charter import enact

    if charter is None:
        return _of_project(place, deployment)
    if not charter.norms:
        do = "Ratify the drafts, or see what they would become with: --drafts"
        raise InputError([Fault(where=str(place), expected="a norm in force", seen="none", do=do)])
    return enact(charter, [], deployment=deployment or _profile(place))


def project_holes(place: Path, policy: Policy) -> tuple[CoverageHole, ...]:
    """Return the constitutional norms about which a project's own criteria ask nothing that blocks.

    Raises:
        InputError: with every fault of the project's criteria.
    """
    from normwright.charter import criterion_holes
    from normwright.flow.project import load_project

    if not (place / FILE).is_file():
        return ()
    project = load_project(place)
    criteria = project.path(project.settings.release.criteria)
    return criterion_holes(policy, _criteria(criteria, policy.charter.languages))


def write_policy(policy: Policy, out: Path) -> tuple[str, ...]:
    """Write every artefact into a new or empty folder, all of them or none; return their names.

    Raises:
        InputError: if something lies there: an edited artefact is never written over.
    """
    from normwright.charter import files_of

    return write_folder(files_of(policy), out)


def check_policy(policy: Policy, folder: Path) -> Checked:
    """Return what the artefacts of a folder cover as they stand there.

    Raises:
        InputError: if the folder holds no policy, or with every fault of its files.
    """
    from normwright.charter import coverage, edited, with_files

    if not folder.is_dir():
        raise InputError([Fault(where=str(folder), expected="a folder with a policy's files",
                                seen="no such folder",
                                do="Write one with: normwright charter enact --out")])  # fmt: skip
    path = folder / "criteria.yaml"
    criteria = _criteria(path, policy.charter.languages) if path.exists() else ()
    found = with_files(policy, folder, criteria)
    return Checked(found, coverage(found), edited(policy, folder))


def profile_in(folder: Path) -> Deployment | None:
    """Return the profile a folder's policy was enacted for; None where it keeps no policy.

    Raises:
        InputError: if its `policy.json` is none.
    """
    path = folder / "policy.json"
    if not path.is_file():
        return None
    try:
        return Policy.model_validate_json(path.read_bytes()).deployment
    except ValueError as error:
        seen = " ".join(str(error).split())[:200]
        raise InputError([Fault(where=str(path), expected="a policy", seen=seen)]) from error


def _criteria(path: Path, languages: tuple[str, ...]) -> tuple[Criterion, ...]:
    from normwright.release import read_criteria

    return read_criteria(path, languages=languages).criteria


def _of_project(place: Path, deployment: Deployment | None) -> Policy:
    from normwright.charter import enact
    from normwright.flow.project import load_project
    from normwright.flow.results import check_makes
    from normwright.flow.running import status
    from normwright.flow.stores import open_store

    check_makes(load_project(place), "charter")
    made = [digest for stage in status(place).stages for digest in stage.made]
    policies: tuple[Policy, ...] = ()
    if made:
        with open_store(place, create=False) as store:
            policies = store.records(made, Policy)
            charters = store.records(made, Charter)
            outcomes = store.records(made, Outcome)
    if not policies:
        raise InputError([Fault(where=str(place), expected="a charter that still counts",
                                seen="none",
                                do=f"Make it with: normwright run {place} --until charter")]
                         )  # fmt: skip
    if deployment is None:
        return policies[-1]
    return enact(charters[-1], outcomes, deployment=deployment)


def _profile(place: Path) -> Deployment:
    from normwright.flow.project import load_project

    if not (place / FILE).is_file():
        return Deployment()
    return load_project(place).settings.deployment
