"""The command group that the files beside this one add their commands to."""

from __future__ import annotations

import typer

app = typer.Typer(
    help="Decide whether a model may go out, and show how far the decision can be trusted.",
    no_args_is_help=True,
)


@app.callback()
def release() -> None:
    """Decide whether a model may go out, and show how far the decision can be trusted."""
