"""The profile of a deployment: read from a file or a project, checked against a charter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from normwright.charter.explaining import explained
from normwright.charter.loading import Document, load
from normwright.norms import Acts
from normwright.norms.vocabulary import near
from normwright.records import Charter, Deployment, Fault, InputError, Norm

NAME = "deployment"
"""How faults call a profile that comes from no file of its own."""


def read_deployment(path: Path) -> Deployment:
    """Return the profile in a YAML file.

    Raises:
        InputError: with every fault of the file: its YAML, unknown keys, values that do not fit.
    """
    faults: list[Fault] = []
    document = load(path, path.name, faults)
    if document is None:
        raise InputError(faults)
    found = _validated(document, faults)
    if found is None or faults:
        raise InputError(faults)
    return found


def deployment_of(given: Deployment | Mapping[str, Any]) -> Deployment:
    """Return a profile from a mapping of JSON values, as a project file holds it.

    Raises:
        InputError: with every fault, each at `deployment.<key>`.
    """
    if isinstance(given, Deployment):
        return given
    faults: list[Fault] = []
    document = Document(NAME, dict(given), {(key,): 1 for key in given})
    found = _validated(document, faults)
    if found is None:
        raise InputError([_keyed(fault) for fault in faults])
    return found


def deployment_faults(deployment: Deployment, charter: Charter) -> list[Fault]:
    """Return what in a profile the charter does not know: languages, authorities, acts."""
    return [*_languages(deployment, charter), *_authorities(deployment, charter),
            *_acts(deployment, charter)]  # fmt: skip


def languages_of(deployment: Deployment, charter: Charter) -> tuple[str, ...]:
    """Return the languages a deployment speaks."""
    return deployment.languages or charter.languages


def charter_here(charter: Charter, deployment: Deployment) -> Charter:
    """Return the charter without the norms of authorities and deployments that are elsewhere."""
    kept = tuple(norm for norm in charter.norms if _binding_here(norm, deployment))
    if len(kept) == len(charter.norms):
        return charter
    derived = (*charter.derived_from, charter.digest)
    return charter.model_copy(update={"norms": kept, "derived_from": derived})


def _validated(document: Document, faults: list[Fault]) -> Deployment | None:
    if not isinstance(document.value, dict):
        seen = "nothing" if document.value is None else type(document.value).__name__
        faults.append(Fault(where=f"{document.name}:1", expected="keys and values", seen=seen))
        return None
    try:
        return Deployment.model_validate(document.value)
    except ValidationError as error:
        faults += explained(error, document, Deployment)
        return None


def _keyed(fault: Fault) -> Fault:
    """`deployment:1 languages` as `deployment.languages`: a mapping has no lines."""
    place = fault.where.partition(" ")[2]
    return fault.model_copy(update={"where": f"{NAME}.{place}" if place else NAME})


def _binding_here(norm: Norm, deployment: Deployment) -> bool:
    return _owned_here(norm, deployment) and fnmatch(deployment.id, norm.scope.deployments)


def _owned_here(norm: Norm, deployment: Deployment) -> bool:
    match norm.layer:
        case "global":
            return True
        case "polity":
            return deployment.polities is None or norm.authority in deployment.polities
        case "organisation":
            return deployment.organisation in (None, norm.authority)
        case "individual":
            return deployment.individual in (None, norm.authority)


def _languages(deployment: Deployment, charter: Charter) -> Iterator[Fault]:
    for lang in deployment.languages:
        if lang not in charter.languages:
            yield Fault(where=f"{NAME}.languages", seen=lang,
                        expected=f"some of {', '.join(charter.languages)}")  # fmt: skip


def _authorities(deployment: Deployment, charter: Charter) -> Iterator[Fault]:
    """A slug that is nearly one of the charter's is a slip: its norms would silently not bind.

    One that is like none of them may well be a place the charter has no norms of.
    """
    asked = [("polities", "polity", name) for name in deployment.polities or ()]
    asked += [("organisation", "organisation", deployment.organisation or "")]
    asked += [("individual", "individual", deployment.individual or "")]
    for key, layer, name in asked:
        known = sorted({norm.authority for norm in charter.norms if norm.layer == layer})
        guess = near(name, known) if name and name not in known else ""
        if guess:
            yield Fault(where=f"{NAME}.{key}", expected=f"one of {', '.join(known)}", seen=name,
                        do=guess)  # fmt: skip


def _acts(deployment: Deployment, charter: Charter) -> Iterator[Fault]:
    acts = Acts(charter.vocabulary)
    for act in deployment.closed_acts:
        if act not in acts:
            yield Fault(where=f"{NAME}.closed_acts", expected="an act of the ontology", seen=act,
                        do=near(act, acts.names))  # fmt: skip
