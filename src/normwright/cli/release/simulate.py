"""`normwright release simulate`: how often the gate itself errs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from normwright.cli.options import AsJson, Lang
from normwright.cli.progress import counting
from normwright.cli.release.group import app
from normwright.cli.screen import DONE, FAILED, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from normwright.records import Estimate
    from normwright.release import Simulated

STYLES = {"kept": "green", "undecided": "yellow", "broken": "red"}


@app.command(epilog="Example:  normwright release simulate --seed 1 --json")
def simulate(
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of all draws.")] = 0,
    rounds: Annotated[
        int, typer.Option("--rounds", min=1, help="Models drawn in each case.")
    ] = 100_000,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Draw models that ought not to be released, and count how often the gate releases them.

    One model at the limit, the best of twenty, evidence that is looked at while it grows, answers
    that are alike, and the same model measured twice. Beside each stands what a usual shortcut does
    on the same draws. The exit code is 1 if an error is greater than it may be.
    """
    from normwright.release import simulate as simulated

    shown = choose(lang)
    with counting(words(shown)["simulate-working"], quiet=as_json) as told:
        rows = simulated(seed=seed, rounds=rounds, told=told)
    if as_json:
        emit({"rows": [row.as_json() for row in rows], "seed": seed})
    else:
        _show(rows, shown)
    return FAILED if any(row.state == "broken" for row in rows) else DONE


def _show(rows: Sequence[Simulated], lang: str) -> None:
    from rich.table import Table

    say, out = words(lang), console()
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for name in ("simulate-rate", "simulate-interval", "simulate-alpha", "simulate-naive"):
        table.add_column(say[name], justify="right")
    table.add_column("")
    for row in rows:
        table.add_row(
            say[f"simulate-{row.case}"], *_figures(row.rate), f"{row.alpha:.1%}",
            _figures(row.naive)[0], say[f"simulate-{row.state}"], style=STYLES[row.state],
        )  # fmt: skip
    out.print(table)
    out.print(say["simulate-about"].format(rounds=rows[0].rate.n), markup=False)
    for row in rows:
        if not row.telling:
            case = say[f"simulate-{row.case}"]
            out.print(say["simulate-mute"].format(case=case), style="yellow", markup=False)


def _figures(estimate: Estimate) -> tuple[str, str]:
    low, high = estimate.ends or (0.0, 1.0)
    return f"{estimate.value or 0.0:.2%}", f"[{low:.2%}, {high:.2%}]"
