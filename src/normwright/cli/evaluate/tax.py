"""`normwright evaluate tax`: what alignment cost, against a margin that was fixed beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from normwright.cli.evaluate.group import app
from normwright.cli.options import AsJson, Lang, Threads
from normwright.cli.progress import counting
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from normwright.flow.taxes import TaxMeasured
    from normwright.records import Estimate

STYLES = {"shown": "green", "refuted": "red", "open": "yellow", "not comparable": "yellow"}


@app.command(
    epilog="Example:  normwright evaluate tax base aligned --margin 0.02 --suite arc-easy "
    "--data data --format bare --format chat --json"
)
def tax(
    before: Annotated[
        Path, typer.Argument(metavar="A", help="The model before: its directory, or its results.")
    ],
    after: Annotated[
        Path, typer.Argument(metavar="B", help="The aligned one: its directory, or its results.")
    ],
    margin: Annotated[
        float,
        typer.Option("--margin", metavar="M", help="The greatest loss that would be borne: 0.02."),
    ],
    suites: Annotated[
        list[str] | None,
        typer.Option("--suite", metavar="NAME", help="A suite; once for each. Models need it."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="PATH", help="A folder of the suites' rows, or one file."),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="How models are asked, once for each: bare (always), chat, few-shot, "
            "english-words.",
        ),
    ] = None,
    shots: Annotated[
        int, typer.Option("--shots", metavar="K", help="Examples in the format few-shot.")
    ] = 5,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="Questions a suite, at most.")
    ] = None,
    alpha: Annotated[
        float, typer.Option("--alpha", help="One-sided error over all suites.")
    ] = 0.05,
    seed: Annotated[int, typer.Option("--seed", help="Seed of sample and resampling.")] = 0,
    threads: Threads = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Say for each suite whether B loses less than a margin against A, item by item.

    Shown, refuted or open, with the items still needed. A suite on which A was no better than a
    constant answer by more than the margin shows nothing. With several formats, what the stock
    prompt costs is told from what is lost in another format too.
    """
    from normwright.flow.taxes import measured_tax

    shown = choose(lang)
    asked = tuple(dict.fromkeys(("bare", *(formats or ()))))
    with counting(words(shown)["suite-working"], quiet=as_json) as told:
        found = measured_tax(
            before, after, margin=margin, suites=tuple(suites or ()), data=data, formats=asked,
            shots=shots, limit=limit, alpha=alpha, seed=seed, threads=threads, told=told,
        )  # fmt: skip
    if as_json:
        emit(found.as_json())
    else:
        _show(found, shown)
    return DONE


def _show(found: TaxMeasured, lang: str) -> None:
    from rich.table import Table

    say, out, made = words(lang), console(), found.tax
    table = Table(box=None, pad_edge=False)
    for name in ("suite", "before", "after", "difference", "interval", "state", "needed"):
        table.add_column(say[f"tax-{name}"], justify="left" if name == "suite" else "right")
    for row in made.rows:
        table.add_row(
            f"{row.suite} {row.lang or ''}".rstrip(), f"{row.before.score:.4f}",
            f"{row.after.score:.4f}", *figures(row.difference), say[_state(row.state)],
            "" if row.needed is None else str(row.needed), style=STYLES[row.state],
        )  # fmt: skip
    out.print(table)
    for row in made.rows:
        out.print(f"{row.suite} {row.lang or ''}: {row.why}", markup=False)
    for one in made.formats:
        value, ends = figures(one.share)
        out.print(say["tax-format"].format(suite=f"{one.suite} {one.lang or ''}".rstrip(),
                  format=one.format, value=value, ends=ends, tax=" ".join(figures(one.tax)),
                  why=one.why), markup=False)  # fmt: skip
    for gap in made.parity:
        out.print(say["tax-parity"].format(suite=gap.suite, before=" ".join(figures(gap.before)),
                  after=" ".join(figures(gap.after)), change=" ".join(figures(gap.change))),
                  markup=False)  # fmt: skip
    if made.mean.value is not None and len(made.rows) > 1:
        out.print(say["tax-mean"].format(mean=" ".join(figures(made.mean))), markup=False)
    for note in made.notes:
        out.print(note, markup=False)
    out.print(say["tax-together"].format(margin=f"{made.margin:g}", state=say[_state(made.state)],
              alpha=f"{made.alpha:g}"), style=STYLES[made.state], markup=False)  # fmt: skip


def _state(state: str) -> str:
    return f"tax-state-{state.replace(' ', '-')}"


def figures(estimate: Estimate | None) -> tuple[str, str]:
    """Return a difference and its interval as text."""
    if estimate is None or estimate.value is None:
        return "", ""
    ends = estimate.ends
    return f"{estimate.value:+.4f}", "" if ends is None else f"[{ends[0]:+.4f}, {ends[1]:+.4f}]"
