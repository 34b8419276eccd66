"""`normwright gc`: let go of what no kept result speaks of."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from normwright.cli.foreseen import size_of
from normwright.cli.options import HERE, AsJson, Directory, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from rich.console import Console

    from normwright.flow import Collection


def add_to(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command("gc", epilog="Example:  normwright gc my-town --keep-runs 3 --yes")(gc)


def gc(
    directory: Directory = HERE,
    keep_runs: Annotated[
        int,
        typer.Option(
            "--keep-runs", metavar="N", min=1, help="Keep the results of the last N finished runs."
        ),
    ] = 1,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Remove it; otherwise it is only shown, or asked."),
    ] = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Remove the results, records and objects of runs that nothing kept rests on.

    Kept are the last finished run, what the next run would skip, everything these rest on, people's
    rows, and whatever a signature, a withdrawal or a published file refers to. The ledger says
    which results were let go; `verify` and `trace` work as before.
    """
    from normwright import flow

    shown = choose(lang)
    found = flow.collect(directory, keep_runs=keep_runs, remove=yes)
    out = console()
    if not (yes or as_json):
        _show(out, found, shown)
        if _is_nothing(found) or not (sys.stdin.isatty() and out.is_terminal):
            return DONE
        if not typer.confirm(words(shown)["gc-ask"]):
            return DONE
        found = flow.collect(directory, keep_runs=keep_runs, remove=True)
    if as_json:
        emit(found.as_json())
    elif found.done:
        _show(out, found, shown)
    return DONE


def _is_nothing(found: Collection) -> bool:
    waste = found.waste
    return not (waste.results or waste.runs or waste.records or waste.objects or waste.leftovers)


def _show(out: Console, found: Collection, lang: str) -> None:
    say, waste = words(lang), found.waste
    if _is_nothing(found):
        out.print(say["gc-nothing"])
        return
    stages = Counter(result.stage for result in waste.results)
    lines = [
        say["gc-runs"].format(runs=", ".join(map(str, waste.runs)) or "–"),
        say["gc-results"].format(
            count=len(waste.results),
            stages=", ".join(f"{name} {count}" for name, count in stages.items()) or "–",
        ),
        say["gc-records"].format(count=len(waste.records)),
        say["gc-objects"].format(count=len(waste.objects), size=size_of(waste.object_bytes)),
        say["gc-leftovers"].format(count=len(waste.leftovers), size=size_of(waste.leftover_bytes)),
    ]
    if found.after_bytes is None:
        lines.append(say["gc-would"])
    else:
        lines.append(
            say["gc-done"].format(
                before=size_of(found.before_bytes), after=size_of(found.after_bytes)
            )
        )
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)
