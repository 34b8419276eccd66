"""`normwright guard contests`: what people said against verdicts, for the next consultation."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Annotated

import typer

from normwright.cli.guard.group import app
from normwright.cli.guard.serve import STATE
from normwright.cli.options import AsJson, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words
from normwright.records import Fault, InputError


@app.command(
    "contests", epilog="Example:  normwright guard contests --out consultation/statements.csv"
)
def contests(
    state: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="The state of the server.", show_default=STATE)
    ] = Path(STATE),
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Write those that may be put before others as statements, in the form that "
            "`elicit import` reads.",
        ),
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """List what people said against verdicts, or write it as statements to be voted on.

    A statement speaks about the norm that the verdict rests on, and opposes it. Only what somebody
    agreed to have put before others is written.
    """
    from normwright.store import VerdictBook, write_whole
    from normwright.web.guard.contests import COLUMNS, statement_rows

    file = state / "verdicts.db"
    if not file.is_file():
        do = "Give the folder that `guard serve --state` was given."
        raise InputError([Fault(where=str(state), expected="the state of a served guard",
                                seen="none", do=do)])  # fmt: skip
    book = VerdictBook(file)
    try:
        found = book.contests()
        rows = statement_rows(found, book.policy)
    finally:
        book.close()
    said = words(choose(lang))
    if out is not None:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_whole(out, text.getvalue().encode())
    if as_json:
        emit({"contests": found, "statements": len(rows)})
        return DONE
    for one in found:
        norms = ", ".join(one.get("norms", ()))
        console().print(f"{one['at'][:10]} {norms} [{one['lang']}] {one['text']}", markup=False)
    told = said["guard-contests"].format(n=len(found), rows=len(rows))
    console(stderr=True).print(told, markup=False)
    return DONE
