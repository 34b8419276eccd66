"""Plug-ins from elsewhere that a project names: their code belongs in the keys of what they make.

Our own parts stand in the `rooms` of a step. A stranger's is told by what it says of itself: its
distribution, its version and the digest of its source. Where it is not installed or is broken
nothing can be told, so the step has no result that counts; what was made and stored with it can
still be traced and verified, because its origin is stored with the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import yaml

from normwright import plugins
from normwright.flow.project import Project
from normwright.flow.settings import FILE
from normwright.records import Fault, InputError, PluginError


def origins(kind: str, names: Iterable[str]) -> dict[str, Any]:
    """Return what a step's parameters say of the plug-ins it uses: of our own nothing.

    Args:
        kind: Their kind.
        names: Their names.
    """
    said = {name: told for name in sorted(set(names)) if (told := _told(kind, name)) is not None}
    return {"plugins": {kind: said}} if said else {}


def _told(kind: str, name: str) -> Mapping[str, Any] | None:
    try:
        found = plugins.origin(kind, name)
    except PluginError:
        return {"missing": True}
    return None if found.distribution == plugins.OURS else asdict(found)


def criterion_kinds(project: Project) -> tuple[str, ...]:
    """Return the names of the plug-ins that a project's criteria ask for.

    A file that cannot be read names none here; the step that reads it says what is wrong with it.
    """
    try:
        raw = yaml.safe_load(project.path(project.settings.release.criteria).read_bytes())
        kinds = {str(one["kind"]) for one in raw["criteria"]}
    except (OSError, ValueError, yaml.YAMLError, LookupError, TypeError):
        return ()
    return tuple(sorted(kind.replace("_", "-") for kind in kinds))


def check_plugins(project: Project, steps: Sequence[str]) -> None:
    """Raise one InputError for every plug-in that a run would ask for in vain.

    Args:
        project: The project.
        steps: The steps that would run, by name.

    Raises:
        InputError: if one is unknown or broken, with the reason, or its source cannot be read,
            because a change in it would then go unnoticed.
    """
    asked = []
    if "aggregate" in steps:
        asked.append((f"{FILE}: method.ranking", "methods", project.settings.method.ranking))
    if "release" in steps:
        file = project.settings.release.criteria
        asked += [(f"{file}: kind", "criteria", name) for name in criterion_kinds(project)]
    faults = [fault for one in asked if (fault := _fault(*one)) is not None]
    if faults:
        raise InputError(faults)


def _fault(where: str, kind: str, name: str) -> Fault | None:
    known = ", ".join(card.name for card in plugins.cards(kind))
    try:
        found = plugins.origin(kind, name)
    except PluginError as error:
        return Fault(where=where, expected=f"one of {known}", seen=name, do=str(error))
    if found.digest is None:
        return Fault(
            where=where,
            expected="a plug-in whose source is a file",
            seen=f"{name}, of {found.module}",
            do="Install it unpacked, so that a change in it is noticed.",
        )
    return None
