"""The command group that the files beside this one add their commands to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

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


Judge: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--judge",
        metavar="URL|DIR",
        help="A model that is asked about what the other checks suspect and cannot tell: an address"
        " before /chat/completions (its key comes from NORMWRIGHT_JUDGE_KEY), or a directory.",
    ),
]
JudgeModel: TypeAlias = Annotated[
    str | None,
    typer.Option("--judge-model", metavar="NAME", help="What the address calls the model."),
]
JudgeTimeout: TypeAlias = Annotated[
    float,
    typer.Option(
        "--judge-timeout",
        metavar="SECONDS",
        min=0.1,
        help="Longest wait for an answer; without one what was suspected is denied.",
    ),
]


def guard_at(place: Path | None, **settings: Any) -> Guard:
    """Return a guard for what `--policy` names.

    Args:
        place: a project or a folder with a policy; None: the one that ships.
        settings: further arguments for `Guard`.

    Raises:
        InputError: if there is no policy.
    """
    from normwright.cli.charter.places import is_project

    if place is not None and is_project(place):
        from normwright.flow.guards import open_guard

        return open_guard(place, **settings)
    from normwright.guard import open_policy

    return open_policy(place, **settings)
