"""`normwright evaluate degeneracy`: which published counts a constant answer could have made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from normwright.cli.evaluate.group import app
from normwright.cli.options import AsJson, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words


@app.command(epilog="Example:  normwright evaluate degeneracy counts.csv --json")
def degeneracy(
    counts: Annotated[
        Path,
        typer.Argument(
            metavar="COUNTS.csv",
            help="Columns model,suite,n,correct,majority: items asked, items right, and items that "
            "always giving the commonest answer is right about.",
        ),
    ],
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Say of each count whether it is shown to be more than a constant answer's.

    It is not where its exact 95 % interval holds what always giving the commonest answer scores, or
    lies under that. No items are needed; with them `evaluate run` compares answer by answer.
    """
    from normwright.flow.scores import judged_counts

    found = judged_counts(counts)
    if as_json:
        emit(found.as_json())
        return DONE
    say, out = words(choose(lang)), console()
    for count, judged in found.rows:
        style = "yellow" if judged.degenerate else "green"
        flag = say["scores-yes" if judged.degenerate else "scores-no"]
        out.print(f"{count.model}, {count.suite}: {say['scores-flag']}: {flag}", style=style,
                  markup=False)  # fmt: skip
        out.print(f"  {judged.why}", markup=False)
    some = sum(judged.degenerate for _, judged in found.rows)
    out.print(say["scores-degenerate"].format(some=some, all=len(found.rows)), markup=False)
    return DONE
