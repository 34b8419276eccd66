"""The command group that the files beside this one add their commands to."""

from __future__ import annotations

import typer

app = typer.Typer(
    help="Carry aggregated preferences into weights: curate, train, unlearn, and prove it.",
    no_args_is_help=True,
)
