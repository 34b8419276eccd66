"""The command group that the files beside this one add their commands to."""

from __future__ import annotations

from datetime import date
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
"""Norms as people write them."""
Place: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="[DIR]",
        help="A project, which gives its ratified charter; a directory of norms; one charter file,"
        " or the JSON of `charter show`; `seeds`: the norms that ship.",
        show_default="here",
    ),
]
"""A charter, made of norms or ratified already."""
Drafts: TypeAlias = Annotated[
    bool, typer.Option("--drafts", help="Take drafted and proposed norms to hold as well.")
]
Profile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--deployment",
        metavar="FILE",
        help="The profile of the deployment, in YAML; a project has its own.",
    ),
]


def day_of(text: str, option: str) -> date:
    """Return a day given on the command line.

    Raises:
        typer.BadParameter: if it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day such as 2026-11-30",
                                 param_hint=option) from None  # fmt: skip
