"""`normwright plugins`: the cards of every replaceable part."""

from __future__ import annotations

from typing import Annotated

import typer

from normwright.cli.screen import DONE, console, emit


def add_to(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command("plugins", epilog="Example:  normwright plugins methods")(plugins)


def plugins(
    kind: Annotated[
        str | None, typer.Argument(metavar="[KIND]", help="One kind, for example methods.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> int:
    """List every importer, method, recipe, check, suite, attack and criterion, with its card."""
    from normwright.plugins import broken, cards

    found, failed = cards(kind), broken(kind)
    if as_json:
        emit(
            {
                "plugins": [card.model_dump(mode="json") for card in found],
                "broken": [vars(bad) for bad in failed],
            }
        )
        return DONE

    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("kind", "name", "status", "what it does", "reference"):
        table.add_column(heading, overflow="fold")
    for card in found:
        table.add_row(card.kind, card.name, card.status, card.summary, card.reference)
    for bad in failed:
        table.add_row(bad.kind, bad.name, "broken", f"{bad.where}: {bad.reason}", "", style="red")
    console().print(table)
    return DONE
