"""The command group that the files beside this one add their commands to."""

from __future__ import annotations

import typer

app = typer.Typer(
    help="Measure models on what people judged, with intervals and constant baselines.",
    no_args_is_help=True,
)


@app.callback()
def evaluate() -> None:
    """Measure models on what people judged, with intervals and constant baselines."""
