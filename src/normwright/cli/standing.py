"""What a project's present results hold, for the commands that show one record of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, TypeVar

from normwright.records import Digest, Fault, InputError, Record

R = TypeVar("R", bound=Record)


def last_of(directory: Path, made: Iterable[Digest], kind: type[R]) -> R | None:
    """Return the last record of one kind among what steps made; None if there is none."""
    from normwright import flow

    with flow.open_store(directory, create=False) as store:
        found = store.records(made, kind)
    return found[-1] if found else None


def standing(directory: Path, kind: type[R], *, step: Literal["charter", "release"]) -> R:
    """Return the record of one kind that the project's present results hold.

    Raises:
        InputError: if no step has made one that still counts, or the project has no such step.
    """
    from normwright import flow

    flow.check_makes(flow.load_project(directory), step)
    made = [digest for stage in flow.status(directory).stages for digest in stage.made]
    found = last_of(directory, made, kind) if made else None
    if found is None:
        raise InputError(
            [
                Fault(
                    where=str(directory),
                    expected=f"a {kind.__name__.lower()} that still counts",
                    seen="none",
                    do=f"Make it with: normwright run {directory} --until {step}",
                )
            ]
        )
    return found
