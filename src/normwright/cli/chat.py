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
    """Return the answers of all models as one table, a column each, and below it what they cite."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    told = words(lang)
    table = Table(box=box.ROUNDED, expand=True)
    cells, cited = [], []
    for reply in replies:
        name = told.get(reply.model, reply.model)
        table.add_column(name, ratio=1, overflow="fold")
        silent = Text(told["silent"], style="dim")
        cells.append(Text(reply.text) if reply.text.strip() else silent)
        if reply.cited:
            line = f"{name}: {told['refused-by']} {', '.join(reply.cited)}"
            cited.append(Text(line, style="yellow"))
    table.add_row(*cells)
    return Group(table, *cited)
