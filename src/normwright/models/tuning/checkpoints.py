"""Checkpoints that are whole or not there, and that only the run they belong to goes on from.

A checkpoint is a folder that `transformers` fills. It counts once `whole.json` stands in it, which
is written last and lists every other file with its size; earlier ones are deleted after that. A
kill or a full disk while one is written therefore leaves the one before. Weights are safetensors;
what torch writes (optimizer, schedule, random numbers) is read back with `weights_only=True`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch.utils.data import Dataset

from normwright.records import Fault, InputError, PlaceError

WHOLE: Final = "whole.json"
STATE: Final = "state.pt"
BEST: Final = "best.safetensors"
_PICKLED: Final = "training_args.bin"
"""Written by transformers, never read here."""
_SAMPLED: Final = 257
"""Rows looked at in a dataset that is no list: it may be as large as a library."""


@dataclass(frozen=True)
class Identity:
    """What a run trains, and on what: a checkpoint belongs to one identity."""

    digest: str
    """Of the science, and of every integer and text in the rows."""
    numbers: float
    """A weighted sum of the rows' fractions. It stands apart because log-probabilities of a
    reference differ in their last digits from machine to machine."""

    def is_of(self, other: Identity) -> bool:
        """Say whether two runs are the same."""
        gap = abs(self.numbers - other.numbers)
        return self.digest == other.digest and gap <= 1e-3 * max(1.0, abs(self.numbers))


def identity(science: Mapping[str, Any], rows: Any) -> Identity:
    """Return what names a run: its science and its rows."""
    told = hashlib.sha256(json.dumps(science, sort_keys=True, default=str).encode())
    told.update(str(len(rows)).encode())
    if isinstance(rows, Dataset):
        stride = max(1, len(rows) // _SAMPLED)  # type: ignore[arg-type]
        seen: Iterable[Any] = (rows[i] for i in range(0, len(rows), stride))  # type: ignore[arg-type]
    else:
        seen = rows
    numbers = 0.0
    for place, row in enumerate(seen):
        for part in _leaves(row):
            if isinstance(part, float):
                numbers += part * (1 + place % 97)
            else:
                told.update(part if isinstance(part, bytes) else f"{part!r},".encode())
    return Identity(told.hexdigest(), numbers)


def _leaves(value: Any) -> Iterator[Any]:
    """Yield what a row is made of: bytes of arrays, and plain values."""
    if is_dataclass(value):
        for one in fields(value):
            yield from _leaves(getattr(value, one.name))
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield name
            yield from _leaves(part)
    elif isinstance(value, tuple) and value and all(type(part) is int for part in value):
        yield repr(value).encode()
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _leaves(part)
    elif hasattr(value, "tobytes"):
        yield value.tobytes()
    elif isinstance(value, torch.Tensor):
        yield from _leaves(value.detach().cpu().numpy())
    else:
        yield value


def last_whole(workdir: Path) -> Path | None:
    """Return the last checkpoint that is whole; what was left half-written is deleted."""
    found: list[tuple[int, Path]] = []
    for folder in workdir.glob("checkpoint-*") if workdir.is_dir() else ():
        if _is_whole(folder):
            found.append((int(folder.name.rpartition("-")[2]), folder))
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return max(found)[1] if found else None


def _is_whole(folder: Path) -> bool:
    try:
        sizes = json.loads((folder / WHOLE).read_text(encoding="utf-8"))["files"]
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, KeyError):
        return False


def finish(folder: Path, who: Identity, progress: Mapping[str, Any]) -> None:
    """Declare a checkpoint whole, with what is known of the run so far, and delete earlier ones."""
    (folder / _PICKLED).unlink(missing_ok=True)
    files = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    text = json.dumps({"identity": asdict(who), "files": files, **progress})
    half = folder / f"{WHOLE}.half"
    with half.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    half.replace(folder / WHOLE)
    for other in folder.parent.glob("checkpoint-*"):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)


def progress_of(folder: Path, who: Identity) -> dict[str, Any]:
    """Return what was known of the run when a checkpoint was made.

    Raises:
        InputError: if it belongs to another run.
    """
    held: dict[str, Any] = json.loads((folder / WHOLE).read_text(encoding="utf-8"))
    if not Identity(**held.pop("identity")).is_of(who):
        raise InputError([
            Fault(
                where=str(folder),
                expected="a checkpoint of these settings, rows and model",
                seen="one of others",
                do="Delete the folder to begin anew, or give what it was made with.",
            )
        ])  # fmt: skip
    return held


def not_written(workdir: Path, step: int, error: Exception) -> PlaceError:
    """Return the error of a checkpoint that could not be written; its half is deleted."""
    shutil.rmtree(workdir / f"checkpoint-{step}", ignore_errors=True)
    last = last_whole(workdir)
    kept = f"The checkpoint {last.name} is whole" if last else "There is no checkpoint yet"
    return PlaceError([
        Fault(
            where=f"{workdir}/checkpoint-{step}",
            expected="room to write a checkpoint",
            seen=" ".join(str(error).split())[:200] or type(error).__name__,
            do=f"{kept}; make room and start the same run again.",
        )
    ])  # fmt: skip


def save_best(folder: Path, weights: Mapping[str, torch.Tensor]) -> None:
    """Write the best weights so far into a checkpoint."""
    from safetensors.torch import save_file

    save_file({name: part.contiguous() for name, part in weights.items()}, folder / BEST)


def load_best(folder: Path) -> dict[str, torch.Tensor]:
    """Return the best weights that a checkpoint holds."""
    from safetensors.torch import load_file

    held: dict[str, torch.Tensor] = load_file(folder / BEST)
    return held
