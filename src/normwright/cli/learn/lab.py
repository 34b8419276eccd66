"""`normwright learn lab`: every recipe against the optimum that theory says it has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from normwright.cli.learn.group import app
from normwright.cli.options import AsJson, Lang
from normwright.cli.progress import counting
from normwright.cli.screen import DONE, FAILED, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from normwright.learn.lab import Row


@app.command("lab", epilog="Example:  normwright learn lab --quick --plot lab.svg")
def lab(
    quick: Annotated[
        bool, typer.Option("--quick", help="The checks that take seconds; says what is left out.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="NAME", help="Only this check; once for each."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of worlds, votes and training.")] = 0,
    jobs: Annotated[
        int, typer.Option("--jobs", help="Processes that share the checks, a thread each.")
    ] = 1,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw the rows as SVG here too.")
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Prove the recipes: train them in worlds whose optimum is known and measure how far they land.

    Theorems are checked on random instances, recipes against closed forms worked out apart from
    them, and controls do something wrong that must be seen. Exit code 1 if a row fails.
    """
    from os import times
    from time import monotonic

    from normwright.learn.lab import Scale, left_out, run_lab
    from normwright.models.local import use_threads

    use_threads(1)
    began, shown, scale = times(), choose(lang), Scale(seed=seed, quick=quick)
    with counting(quiet=as_json) as progress:
        rows = run_lab(scale, clock=monotonic, only=only or (), jobs=jobs, progress=progress)
    ended = times()
    missing = () if only else left_out(scale)
    if plot is not None:
        from normwright.learn.lab.picture import picture

        plot.write_text(picture([row.as_json() for row in rows]), encoding="utf-8")
    if as_json:
        emit({"rows": [row.as_json() for row in rows], "seed": seed, "quick": quick,
              "left_out": list(missing), "jobs": jobs,
              "wall_seconds": round(ended.elapsed - began.elapsed, 1),
              "cpu_seconds": round(sum(ended[:4]) - sum(began[:4]), 1)})  # fmt: skip
    else:
        _show(rows, missing, shown)
    return DONE if all(row.finding.passed for row in rows) else FAILED


def _show(rows: Sequence[Row], missing: Sequence[str], lang: str) -> None:
    from rich.table import Table

    say, out = words(lang), console()
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column(say["lab-test"], overflow="fold")
    for name in ("expected", "measured", "threshold"):
        table.add_column(say[f"lab-{name}"], justify="right", overflow="fold")
    for row in rows:
        found = row.finding
        relation = "" if found.relation == "within" else f"{found.relation} "
        test = f"{found.test} ({say['lab-control']})" if found.control else found.test
        table.add_row(
            "✔" if found.passed else "✘", test, _number(found.expected), _number(found.measured),
            f"{relation}{_number(found.threshold)}", style=None if found.passed else "red",
        )  # fmt: skip
    out.print(table)
    failed = sum(not row.finding.passed for row in rows)
    seconds = sum(row.seconds for row in rows)
    key = "lab-failed" if failed else "lab-passed"
    out.print(say[key].format(rows=len(rows), failed=failed, seconds=f"{seconds:.0f}"),
              style="red" if failed else "green", markup=False)  # fmt: skip
    if missing:
        out.print(say["lab-left-out"].format(checks=", ".join(missing)), markup=False)


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"
