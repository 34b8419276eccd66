"""`normwright chat`: one question, every model of the project side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from normwright.cli.options import HERE, AsJson, Directory, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from normwright.flow.conversation import Reply


def add_to(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command(
        "chat", epilog='Example:  normwright chat my-town --say "When does the library open?"'
    )(chat)


def chat(
    directory: Directory = HERE,
    say: Annotated[
        str | None,
        typer.Option("--say", metavar="TEXT", help="Ask this and end; left out, it is a dialogue."),
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Ask base, tuned, aligned and guarded the same thing and show the answers side by side.

    A refusal of the guarded model cites the norms it rests on. Each line is asked on its own.
    """
    from normwright.flow.conversation import conversation

    if as_json and say is None:
        raise typer.BadParameter("--json needs --say TEXT: one question, one JSON value")
    shown = choose(lang)
    out = console()
    questions = _typed(out, shown) if say is None else iter([say])
    with conversation(directory) as ask:
        for question in questions:
            replies = ask(question)
            if as_json:
                emit([{"model": r.model, "text": r.text, "cited": list(r.cited)} for r in replies])
            else:
                out.print(side_by_side(replies, shown))
    return DONE


def _typed(out: Console, lang: str) -> Iterator[str]:
    """Yield what a person types, until an empty line or the end of the input."""
    told = words(lang)
    out.print(told["one-turn"], told["hint"], style="dim")
    while True:
        try:
            line = out.input(f"[bold]{told['you']}:[/] ").strip()
        except EOFError:
            return
        if not line:
            return
        yield line


def side_by_side(replies: Sequence[Reply], lang: str) -> RenderableType:
    """Return the answers of all models as one table, a column each."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    told = words(lang)
    table = Table(box=box.ROUNDED, expand=True, show_lines=False)
    cells = []
    for reply in replies:
        table.add_column(told.get(reply.model, reply.model), ratio=1, overflow="fold")
        cell = Text(reply.text)
        for norm in reply.cited:
            cell.append(f"\n{told['refused-by']} {norm}", style="yellow")
        cells.append(cell)
    table.add_row(*cells)
    return table
