"""`normwright learn convert`: rows of one form as rows of another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from normwright.cli.learn.group import app
from normwright.cli.options import AsJson, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words


def _list(value: bool) -> None:
    """Print the forms and leave."""
    if not value:
        return
    from normwright.learn.forms import FORMS

    out = console()
    for form in FORMS.values():
        arrow = "in     " if form.write is None else "in, out"
        out.print(f"{form.name:<36}{arrow}  {form.told}", markup=False, soft_wrap=True)
    raise typer.Exit


@app.command(
    "convert",
    epilog="Example:  normwright learn convert pairs.jsonl --to trl-preferences-chat"
    " --out trl.jsonl",
)
def convert(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Rows: JSON lines, a JSON list or parquet.")
    ],
    *,
    target: Annotated[
        str, typer.Option("--to", metavar="NAME", help="The form to write; `--forms` lists them.")
    ],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FILE", help="A new file: .jsonl, .json (.gz) or .parquet."),
    ],
    source: Annotated[
        str, typer.Option("--from", metavar="NAME", help="The form of FILE; told by its columns.")
    ] = "auto",
    lossy: Annotated[
        bool, typer.Option("--lossy", help="Agree to lose the columns the form has no place for.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Of choices drawn from vote shares.")] = 0,
    draws: Annotated[
        int, typer.Option("--draws", min=1, help="How often a pair of weight 1 is drawn.")
    ] = 1,
    forms: Annotated[
        bool, typer.Option("--forms", is_eager=True, callback=_list, help="List the forms.")
    ] = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Write rows in another form; nothing is lost unless you agree to it.

    Each row is read again after it is written, and what does not come back is named. Forms without
    vote shares get choices drawn from them, repeated by weight; the card beside the file says so.
    """
    from normwright.flow.learning.conversion import converted

    made = converted(
        file, source=source, target=target, out=out, lossy=lossy, seed=seed, draws=draws
    )
    if as_json:
        emit(made.as_json())
        return DONE
    say, screen = words(choose(lang)), console()
    told = say["converted"].format(
        items=made.items, source=made.read_as, rows=made.rows, target=target, out=out
    )
    screen.print(told, markup=False)
    if made.drawn:
        screen.print(say["converted-drawn"].format(rows=made.drawn), markup=False)
    if made.lost:
        names = ", ".join(f"{name} ({rows})" for name, rows in made.lost.items())
        screen.print(say["converted-lost"].format(names=names), style="yellow", markup=False)
    return DONE
