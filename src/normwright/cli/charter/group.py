"""The command group that the files beside this one add their commands to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

app = typer.Typer(
    help="Write norms that a machine can resolve and a citizen can read; check, ask, change them.",
    no_args_is_help=True,
)

Norms: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="[DIR]",
        help="A project, a directory of norms, or one charter file; `seeds`: those that ship.",
        show_default="here",
    ),
]
