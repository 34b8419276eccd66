"""The command group that the files beside this one add their commands to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

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
