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
Answers: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--answer",
        metavar="KEY=VALUE",
        help="What the files leave open, as an error names it; once for each.",
    ),
]
Threads: TypeAlias = Annotated[
    int | None, typer.Option("--threads", min=1, help="Threads; one a core if left out.")
]
Served: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--served", metavar="NAME", help="What an address calls the model, if it has several."
    ),
]
KeyEnv: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--key-env", metavar="NAME", help="Environment variable that holds the address's key."
    ),
]


def answers_of(given: list[str] | None) -> dict[str, str]:
    """Return the answers of `--answer` by key.

    Raises:
        typer.BadParameter: if one is not KEY=VALUE.
    """
    told: dict[str, str] = {}
    for text in given or []:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise typer.BadParameter(f"{text!r} is not KEY=VALUE", param_hint="--answer")
        told[key.strip()] = value.strip()
    return told


HERE = Path()
"""The directory the command is called in."""
