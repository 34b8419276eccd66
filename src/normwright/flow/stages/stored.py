"""Models as earlier steps stored them, and rows as steps store them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from normwright.flow.engine import Context
from normwright.flow.project import Project
from normwright.records import Frozen, ModelRef, canonical_json

if TYPE_CHECKING:
    from normwright.models.local import LocalModel


def open_model(project: Project, context: Context, step: str, role: str) -> LocalModel:
    """Return a model that an earlier step made, under its role, on the project's threads."""
    from normwright.models.local import LocalModel, use_threads

    use_threads(project.settings.threads)
    return LocalModel.open(folder_of(context, step, role), name=role)


def folder_of(context: Context, step: str, role: str) -> Path:
    """Return a folder in which the files of a stored model lie, checked."""
    folder = context.scratch / role.replace(":", "-")
    context.check_out(ref_of(context, step, role).files, folder)
    return folder


def ref_of(context: Context, step: str, role: str) -> ModelRef:
    """Return the record of the model that a step made for a role."""
    return next(r for r in context.records(step, ModelRef) if r.name == role)


def lines_of(rows: Iterable[Frozen]) -> bytes:
    """Return rows as they are stored: canonical JSON, one a line."""
    return "".join(canonical_json(r.model_dump(mode="json")) + "\n" for r in rows).encode()
