"""The arguments and options that several commands share, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Directory: TypeAlias = Annotated[
    Path, typer.Argument(metavar="[DIR]", help="The project directory.", show_default="here")
]
AsJson: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print one JSON value on stdout and nothing else there.")
]
Lang: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--lang",
        metavar="TAG",
        help="Language of what is shown, for example pt; the terminal's if left out.",
    ),
]
HERE = Path()
"""The directory the command is called in."""
