"""Models as earlier steps stored them, and rows as steps store them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from normwright.flow.engine import Context
from normwright.flow.project import Project
from normwright.records import Dataset, Frozen, JudgedPair, ModelRef, canonical_json

if TYPE_CHECKING:
    from normwright.models.local import LocalModel

F = TypeVar("F", bound=Frozen)


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


def files_under(project: Project, names: Sequence[str]) -> list[Path]:
    """Return the files that sources of the project name, those of directories in their order."""
    found: list[Path] = []
    for name in names:
        place = project.path(name)
        inside = [p for p in sorted(place.rglob("*")) if p.is_file() and p.name[:1] != "."]
        found += inside if place.is_dir() else [place]
    return found


def judged_pairs(context: Context) -> list[JudgedPair]:
    """Return the pairs as people judged them, from the step `elicit.pairs`."""
    (found,) = context.records("elicit.pairs", Dataset)
    return rows_in(context, [found], JudgedPair)


def rows_in(context: Context, datasets: Iterable[Dataset], kind: type[F]) -> list[F]:
    """Return the rows of datasets, one dataset after the other."""
    return [
        kind.model_validate_json(line)
        for dataset in datasets
        for line in context.read(dataset.content).splitlines()
    ]


def occurrences(values: Iterable[str]) -> dict[str, int]:
    """Return how often each value occurs, in the order of the values."""
    return dict(sorted(Counter(values).items()))
