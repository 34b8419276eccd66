"""`normwright evaluate compare`: scores of local runs and published tables, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from normwright.cli.evaluate.group import app
from normwright.cli.options import AsJson, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from normwright.flow.scores import ScoresCompared


@app.command(
    epilog="Example:  normwright evaluate compare results/base results/aligned "
    "--against aira-paper --json"
)
def compare(
    before: Annotated[
        Path | None,
        typer.Argument(
            metavar="[A]",
            help="A result or a folder of them (`evaluate run --out`), a CSV file of counts, or a "
            "project.",
            show_default=False,
        ),
    ] = None,
    after: Annotated[
        Path | None,
        typer.Argument(metavar="[B]", help="What is compared with it.", show_default=False),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against", metavar="TABLE", help="A published table beside them: aira-paper."
        ),
    ] = None,
    claim: Annotated[
        list[str] | None,
        typer.Option(
            "--claim",
            metavar="SUITE",
            help="A suite on which B is claimed to be better; Holm's correction is over these.",
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with pictures.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the resampling.")] = 0,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Show scores with intervals and constant answers, and what differs between two places.

    Two results with the same items are compared item by item. A rise is called an improvement only
    where no constant answer explains it and no other suite shows that the model was damaged.
    """
    from normwright.flow.scores import compared_scores

    places = [place for place in (before, after) if place is not None]
    if not places and against is None:
        raise typer.BadParameter("give A, A and B, or --against", param_hint="A")
    found = compared_scores(places, against=against, claims=claim or (), seed=seed)
    if html is not None:
        from normwright.web import write_scores_page

        write_scores_page(found, html)
    if as_json:
        emit(found.as_json())
    else:
        _show(found, choose(lang))
    return DONE


def _show(found: ScoresCompared, lang: str) -> None:
    from rich.table import Table

    say, out = words(lang), console()
    table = Table(box=None, pad_edge=False)
    for name in ("model", "suite"):
        table.add_column(say[f"scores-{name}"], overflow="fold")
    for name in ("n", "score", "interval", "answer"):
        table.add_column(name if name == "n" else say[f"scores-{name}"], justify="right")
    for name in ("flag", "origin"):
        table.add_column(say[f"scores-{name}"])
    for row in found.rows:
        at, best = row.interval, row.best_constant
        table.add_row(
            row.model, f"{row.suite} {row.lang or ''}".rstrip(), str(row.n), f"{row.score:.4f}",
            "" if at is None else f"[{at[0]:.4f}, {at[1]:.4f}]",
            "" if best is None else f"{best:.4f}",
            say["scores-yes" if row.degenerate else "scores-no"], row.origin,
            style="yellow" if row.degenerate else None,
        )  # fmt: skip
    out.print(table)
    if found.comparisons:
        out.print()
        out.print(_differences(found, lang))
    flagged = sum(row.degenerate for row in found.rows)
    out.print(say["scores-degenerate"].format(some=flagged, all=len(found.rows)), markup=False)
    if found.comparisons:
        told = say["scores-claimed"].format(claims=", ".join(found.claims)) if found.claims else ""
        out.print(told or say["scores-unclaimed"], markup=False)
    if found.table is not None:
        out.print(say["scores-against"].format(**found.table.about()), markup=False)


def _differences(found: ScoresCompared, lang: str) -> object:
    from rich.table import Table

    say = words(lang)
    table = Table(box=None, pad_edge=False)
    for name in ("before", "after", "suite"):
        table.add_column(say[f"scores-{name}"], overflow="fold")
    for name in ("difference", "interval"):
        table.add_column(say[f"scores-{name}"], justify="right")
    table.add_column(say["scores-verdict"])
    for one in found.comparisons:
        d = one.difference
        ends = None if d is None else d.ends
        table.add_row(
            one.before.model, one.after.model, f"{one.suite} {one.lang or ''}".rstrip(),
            "" if d is None or d.value is None else f"{d.value:+.4f}",
            "" if ends is None else f"[{ends[0]:+.4f}, {ends[1]:+.4f}]",
            say[f"scores-verdict-{one.verdict.replace(' ', '-')}"],
        )  # fmt: skip
    return table
