"""The command group that the files beside this one add their commands to."""

from __future__ import annotations

import typer

app = typer.Typer(
    help="Check conversations against a policy, and put that before any model.",
    no_args_is_help=True,
)
