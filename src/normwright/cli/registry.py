"""`normwright plugins`: the cards of every replaceable part."""

from __future__ import annotations

from dataclasses import asdict
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
    """List every importer, method, recipe, check, suite, attack and criterion, with its card.

    Each is told with the distribution it comes from. What is declared and does not load is listed
    as broken, with the reason; it breaks nothing else, and the exit code is 0.
    """
    from normwright.plugins import broken, cards, origin

    found, failed = cards(kind), broken(kind)
    if as_json:
        emit(
            {
                "plugins": [
                    {**card.model_dump(mode="json"), **asdict(origin(card.kind, card.name))}
                    for card in found
                ],
                "broken": [vars(bad) for bad in failed],
            }
        )
        return DONE

    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("kind", "name", "status", "from", "what it does", "reference"):
        table.add_column(heading, overflow="fold")
    for card in found:
        come = origin(card.kind, card.name)
        source = f"{come.distribution} {come.version}" if come.distribution else come.module
        told = (card.kind, card.name, card.status, source, card.summary, card.reference)
        table.add_row(*map(escape, told))
    for bad in failed:
        why = f"{bad.where}: {bad.reason}"
        said = (bad.kind, bad.name, "broken", bad.distribution or "", why, "")
        table.add_row(*map(escape, said), style="red")
    console().print(table)
    return DONE
