"""`normwright evaluate pareto`: a sweep of models, and which trade-offs nothing beats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from normwright.cli.evaluate.group import app
from normwright.cli.options import AsJson, Lang
from normwright.cli.progress import counting
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from normwright.flow.sweeps import Swept
    from normwright.records import Estimate


@app.command(
    epilog="Example:  normwright evaluate pareto sweep.yaml --out sweep --jobs 4 --unpermitted "
    "--json"
)
def pareto(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="SWEEP.yaml", help="Sizes, methods, betas, mixes, seeds, and what is measured."
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where finished runs are kept.")
    ] = Path("sweep"),
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", metavar="N", min=1, help="Runs at once; one a core if left out."),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option("--ray", metavar="ADDRESS", help="Run through Ray: an address, or local."),
    ] = None,
    permit: Annotated[
        Path | None, typer.Option("--permit", metavar="FILE", help="A signed permit to train.")
    ] = None,
    unpermitted: Annotated[
        bool, typer.Option("--unpermitted", help="Train without one; models are not kept.")
    ] = False,
    pooled: Annotated[
        bool,
        typer.Option("--pooled", help="Take the spread of seeds to be the same in every cell."),
    ] = False,
    pictures: Annotated[
        Path | None,
        typer.Option("--pictures", metavar="DIR", help="Write pictures, each pair of objectives."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the resampling.")] = 0,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Train and measure every cell of a sweep, and say which no other beats, and how surely.

    Finished runs are kept; the same call goes on where another was killed. What a constant answer
    could have made is barred.
    """
    from normwright.flow.sweeps import swept

    shown = choose(lang)
    with counting(words(shown)["pareto-working"], quiet=as_json) as told:
        found = swept(file, out=out, jobs=jobs, ray=ray, permit=permit, unpermitted=unpermitted,
                      pooled=pooled, seed=seed, told=told)  # fmt: skip
    files: tuple[Path, ...] = ()
    if pictures is not None:
        from normwright.web import write_frontiers

        files = write_frontiers(found.frontier, pictures)
    if as_json:
        emit({**found.as_json(), "pictures": [str(one) for one in files]})
    else:
        _show(found, shown)
        for one in files:
            console().print(str(one), markup=False, soft_wrap=True)
    return DONE


def _show(found: Swept, lang: str) -> None:
    from rich.table import Table

    say, out, made = words(lang), console(), found.frontier
    table = Table(box=None, pad_edge=False)
    table.add_column(say["pareto-cell"], overflow="fold")
    table.add_column(say["pareto-seeds"], justify="right")
    for one in made.objectives:
        table.add_column(one.name, justify="right")
    table.add_column(say["pareto-probability"], justify="right")
    table.add_column(say["pareto-dominated"], overflow="fold")
    for cell in made.cells:
        table.add_row(
            cell.name, str(len(cell.seeds)),
            *(_value(cell.values[one.name]) for one in made.objectives),
            "" if cell.probability is None else f"{cell.probability:.2f}",
            say["pareto-barred"].format(why=cell.barred) if cell.barred
            else ", ".join(cell.dominated),
            style="dim" if cell.barred else "green" if cell.on_frontier else None,
        )  # fmt: skip
    out.print(table)
    value, _, ends = _value(made.hypervolume).partition(" ")
    reference = ", ".join(f"{o.name} {o.reference:g}" for o in made.objectives)
    out.print(say["pareto-volume"].format(value=value, ends=ends, reference=reference),
              markup=False)  # fmt: skip
    moved = [w for w in made.without if w.entered or w.left]
    for gone in moved:
        out.print(say["pareto-without"].format(
            kind=gone.kind, group=gone.group, entered=", ".join(gone.entered) or "–",
            left=", ".join(gone.left) or "–"), markup=False)  # fmt: skip
    if made.without and not moved:
        out.print(say["pareto-stays"].format(count=len(made.without)), markup=False)
    for note in made.notes:
        out.print(note, markup=False)
    out.print(say["pareto-ran"].format(run=found.run, kept=found.kept,
              cpu=f"{found.cpu_seconds:.0f}"), markup=False)  # fmt: skip


def _value(estimate: Estimate) -> str:
    if estimate.value is None:
        return ""
    ends = estimate.ends
    told = "" if ends is None else f" [{ends[0]:.3f}, {ends[1]:.3f}]"
    return f"{estimate.value:.3f}{told}"
