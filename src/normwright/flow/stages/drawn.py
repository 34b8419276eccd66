"""Scenes as steps draw them: from the banks of the project, in its languages, by seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from normwright.flow.project import Project
from normwright.records import Scene, digest_json
from normwright.scenes import Bank, draw, load_bank


def bank_of(project: Project) -> Bank:
    """Return the project's scenes.

    Raises:
        InputError: with every fault of the files.
    """
    paths: list[Path] = []
    for name in project.settings.sources.scenes:
        path = project.path(name)
        paths += sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
    return load_bank(paths)


def scenes_of(project: Project, split: str, *, seed: int, per_template: int = 1) -> list[Scene]:
    """Return scenes of one split, in the languages of the project."""
    return draw(
        bank_of(project),
        split=split,
        seed=seed,
        per_template=per_template,
        langs=project.settings.languages,
    )


def thin(scenes: Sequence[Scene], count: int, *, seed: int) -> list[Scene]:
    """Return about `count` scenes, twins and translations of one draw kept together."""
    blocks: dict[str, list[Scene]] = {}
    for scene in scenes:
        family, split, wording, number, *_ = scene.id.split("/")
        blocks.setdefault(f"{family}/{split}/{wording}/{number}", []).append(scene)
    # Draws go round the wordings, so that every wording is there before any has a second draw.
    names = sorted(blocks, key=lambda n: (int(n.rsplit("/", 1)[1]), _shuffled(n, seed)))
    kept: list[Scene] = []
    for name in names:
        if len(kept) >= count:
            break
        kept += blocks[name]
    return kept


def _shuffled(name: str, seed: int) -> str:
    return digest_json([seed, name])
