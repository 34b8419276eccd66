"""The command group that the files beside this one add their commands to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from normwright.guard import Guard

app = typer.Typer(
    help="Keep a running model inside a policy; every refusal cites a norm.",
    no_args_is_help=True,
)

PolicyDir: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        metavar="DIR",
        help="A project, or a policy as `charter enact` writes it; a demonstration that ships with"
        " the package if left out.",
    ),
]


def guard_at(place: Path | None) -> Guard:
    """Return a guard for what `--policy` names.

    Raises:
        InputError: if there is no policy.
    """
    from normwright.cli.charter.places import is_project

    if place is not None and is_project(place):
        from normwright.flow.guards import open_guard

        return open_guard(place)
    from normwright.guard import open_policy

    return open_policy(place)
