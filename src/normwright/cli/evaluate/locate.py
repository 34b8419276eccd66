"""`normwright evaluate locate`: where two models of one shape differ, layer by layer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from normwright.cli.evaluate.group import app
from normwright.cli.evaluate.tax import figures
from normwright.cli.options import AsJson, Lang, Threads
from normwright.cli.progress import counting
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from normwright.flow.locating import Located


@app.command(
    epilog="Example:  normwright evaluate locate base aligned --suite arc-easy --data data "
    "--limit 200 --probe-data labelled.jsonl --json"
)
def locate(
    before: Annotated[Path, typer.Argument(metavar="A", help="A model directory.")],
    after: Annotated[
        Path, typer.Argument(metavar="B", help="What came of it, with the same shape and tokens.")
    ],
    probe_data: Annotated[
        Path | None,
        typer.Option(
            "--probe-data",
            metavar="FILE",
            help="Lines with `text`, `label`, perhaps `cluster`: what probes are to read.",
        ),
    ] = None,
    suite: Annotated[
        str | None, typer.Option("--suite", metavar="NAME", help="Questions for patching.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="PATH", help="The suite's rows.")
    ] = None,
    asked: Annotated[
        str | None,
        typer.Option("--asked", metavar="TAG", help="Language of the questions, for example pt."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=2, help="Questions, at most.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of everything drawn.")] = 0,
    threads: Threads = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Say by layer how far weights moved, what states tell, and what B's states do in A.

    Probes stand beside a control task with random labels, patching beside the states of other
    questions. Intervals hold for all layers at once.
    """
    from normwright.flow.locating import located

    shown = choose(lang)
    with counting(words(shown)["locate-working"], quiet=as_json) as told:
        found = located(before, after, probe_data=probe_data, suite=suite, data=data, lang=asked,
                        limit=limit, seed=seed, threads=threads, told=told)  # fmt: skip
    if as_json:
        emit(found.as_json())
    else:
        _show(found, shown)
    return DONE


def _show(found: Located, lang: str) -> None:
    from rich.table import Table

    say, out = words(lang), console()
    moved = Table(box=None, pad_edge=False)
    for name in ("layer", "kind", "relative", "share", "top"):
        moved.add_column(say[f"locate-{name}"], justify="right")
    for d in found.deltas:
        moved.add_row(
            _layer(d.layer), say[f"locate-kind-{d.kind}"],
            "" if d.relative is None else f"{d.relative:.4f}", f"{d.share:.4f}",
            "" if d.top is None else f"{d.top:.3f}",
        )  # fmt: skip
    out.print(moved)
    if found.probes:
        table = Table(box=None, pad_edge=False)
        for name in ("model", "layer", "accuracy", "control", "selectivity", "interval"):
            table.add_column(say[f"locate-{name}"], justify="right")
        for p in found.probes:
            table.add_row(p.model, str(p.layer), f"{p.accuracy.value or 0.0:.3f}",
                          f"{p.control:.3f}", *figures(p.selectivity))  # fmt: skip
        out.print(table)
        out.print(say["locate-control-task"].format(by=say[f"locate-by-{found.control}"]))
    if found.patches:
        table = Table(box=None, pad_edge=False)
        for name in ("layer", "recovered", "interval", "step", "interval", "other", "swapped"):
            table.add_column(say[f"locate-{name}"], justify="right")
        for row in found.patches:
            table.add_row(str(row.layer), *figures(row.recovered), *figures(row.step),
                          figures(row.control)[0], figures(row.swapped)[0])  # fmt: skip
        out.print(table)
    for note in found.notes:
        out.print(note, markup=False)


def _layer(layer: int | None) -> str:
    return "" if layer is None else str(layer)
