"""`normwright guard bench`: how well and how fast a policy's guard decides, on labelled lines."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from normwright.cli.guard.group import PolicyDir, app, guard_at
from normwright.cli.options import AsJson, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from rich.console import Console

    from normwright.records import GuardBench, Way

_WORDS = {
    "way": "bench-way",
    "recall": "bench-recall",
    "over_refusal": "bench-over-refusal",
    "accuracy": "bench-accuracy",
    "stop-all": "bench-stop-all",
    "stop-none": "bench-stop-none",
    "guard": "bench-guard",
}


@app.command("bench", epilog="Example:  normwright guard bench --input labelled.jsonl --json")
def bench(
    policy: PolicyDir = None,
    *,
    lines: Annotated[
        Path,
        typer.Option(
            "--input",
            metavar="FILE",
            help='JSON lines, packed (.gz) or not: as `guard check` reads them, with "harmful":'
            ' true or false, and "source" if you like.',
        ),
    ],
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page with the same as pictures."),
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Measure recall, over-refusal and speed of a guard on lines that people labelled.

    Both come from the same decisions, those the guard makes when it serves, with exact intervals,
    beside aira-compat and the constant answers. Lines count as independent of each other.
    """
    from rich.progress import Progress

    from normwright.guard.benching import bench as measured
    from normwright.guard.lines import read_labelled_lines
    from normwright.records import digest_bytes

    rows = read_labelled_lines(lines)
    guard = guard_at(policy)
    shown = choose(lang)
    err = console(stderr=True)
    with Progress(console=err, transient=True, disable=as_json or not err.is_terminal) as bar:
        task = bar.add_task(words(shown)["guard-checking"], total=len(rows))
        record = measured(
            guard,
            rows,
            digest=digest_bytes(lines.read_bytes()),
            clock=time.perf_counter,
            seen=lambda: bar.advance(task),
        )
    if html is not None:
        _write(record, html, shown)
    if as_json:
        emit({**record.model_dump(mode="json"), "digest": record.digest})
    else:
        _show(record, console(), shown)
    return DONE


def said_of_ways(lang: str) -> Mapping[str, str]:
    """Return the words for measures and for ways of deciding."""
    say = words(lang)
    return {name: say[key] for name, key in _WORDS.items()}


def show_ways(ways: Sequence[Way], title: str, out: Console, lang: str) -> None:
    """Print a table of ways of deciding."""
    from rich.table import Table

    from normwright.web.errorbars import told

    say = said_of_ways(lang)
    table = Table(box=None, header_style="bold", title=title, title_justify="left")
    for name in ("way", "recall", "over_refusal", "accuracy"):
        table.add_column(say[name], overflow="fold")
    for one in ways:
        measures = (one.recall, one.over_refusal, one.accuracy)
        table.add_row(say.get(one.name, one.name), *map(told, measures))
    out.print(table)


def _notes(record: GuardBench, lang: str) -> list[str]:
    say = words(lang)
    first = record.parts[0]
    notes = [
        say["bench-lines"].format(
            n=first.harmful + first.harmless, harmful=first.harmful, unchecked=record.unchecked
        ),
        say["bench-majority"].format(answer=said_of_ways(lang)[first.majority]),
        say["bench-took"].format(p50=f"{record.spent.p50:.2f}", p99=f"{record.spent.p99:.2f}"),
        say["bench-limit"],
    ]
    if record.no_aira:
        notes.append(say["bench-no-aira"].format(n=record.no_aira))
    return notes


def _show(record: GuardBench, out: Console, lang: str) -> None:
    for part in record.parts:
        title = f"{part.name}: {part.harmful} / {part.harmless}"
        show_ways(part.ways, title, out, lang)
    for note in _notes(record, lang):
        out.print(note, style="dim", markup=False)


def _write(record: GuardBench, path: Path, lang: str) -> None:
    from normwright.store import write_whole
    from normwright.web.errorbars import beside_page

    parts = [(p.name, p.ways) for p in record.parts]
    title = words(lang)["bench-title"]
    notes = [*_notes(record, lang), f"policy {record.policy}", f"lines {record.lines}"]
    text = beside_page(title, notes, parts, said_of_ways(lang), lang)
    write_whole(path, text.encode())
