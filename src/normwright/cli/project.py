"""`normwright init`, `run`, `status`: begin a project, carry it to a verdict, see how far it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from normwright.cli.foreseen import line_of, show
from normwright.cli.options import HERE, AsJson, Directory, Lang
from normwright.cli.progress import watching
from normwright.cli.screen import DONE, VERDICT_CODES, VERDICT_STYLES, console, emit
from normwright.cli.standing import last_of
from normwright.cli.words import choose, words
from normwright.records import VERDICTS, Verdict, VerdictWord

if TYPE_CHECKING:
    from rich.console import Console

    from normwright.flow import Forecast, RunReport, Status


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    app.command("init", epilog="Example:  normwright init my-town --template town")(init)
    app.command("run", epilog="Example:  normwright run my-town --until charter --forecast")(run)
    app.command("status", epilog="Example:  normwright status my-town")(status)


def init(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where the project is to lie; new or empty.")
    ],
    template: Annotated[
        str,
        typer.Option(
            "--template",
            metavar="NAME",
            help="town: a city's assistant, in two languages; micro: the same path in seconds.",
        ),
    ] = "town",
    as_json: AsJson = False,
) -> int:
    """Make a project from a template: one file to edit, a consultation, norms, scenes, criteria."""
    from normwright import flow

    started = flow.init(directory, template)
    if as_json:
        emit({**asdict(started), "directory": str(started.directory)})
        return DONE
    out = console()
    out.print(f"{started.directory}: {len(started.files)} files", markup=False, soft_wrap=True)
    for line in started.next:
        out.print(f"  {line}", markup=False, soft_wrap=True)
    return DONE


def run(
    directory: Directory = HERE,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="STEP", help="Stop after this step; `status` lists them."),
    ] = None,
    forecast: Annotated[
        bool,
        typer.Option(
            "--forecast", help="Only say what the run would take in time, memory and disk."
        ),
    ] = False,
    accept_clock: Annotated[
        bool,
        typer.Option(
            "--accept-clock",
            help="The clock is right and was ahead before: note that in the ledger, and go on.",
        ),
    ] = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Carry a project from its consultation to a verdict; what has not changed is skipped.

    It says beforehand what it will take, as an estimate, and does not start where the disk is too
    small. A run that was stopped, however, goes on where it was. The exit code is that of the worst
    verdict among the modes the project file asks for: 0 RELEASE, 3 HOLD, 4 BLOCK, 5 INVALID.
    """
    from normwright import flow

    shown = choose(lang)
    if forecast:
        return _forecast(directory, until, shown, as_json=as_json)
    modes = flow.load_project(directory).settings.release.modes
    err = console(stderr=True)

    def foresee(foreseen: Forecast) -> None:
        if not as_json:
            err.print(line_of(foreseen, shown), markup=False, soft_wrap=True)

    with watching(err, shown, quiet=as_json) as watch:
        report = flow.run(
            directory, until=until, watch=watch, foresee=foresee, accept_clock=accept_clock
        )
    page = _page(directory, report)
    if as_json:
        emit({**report.as_json(), "report": None if page is None else str(page.resolve())})
    else:
        _show_run(console(), directory, report, page, shown)
    return exit_code(report.verdicts, modes)


def _forecast(directory: Path, until: str | None, lang: str, *, as_json: bool) -> int:
    from normwright import flow

    foreseen = flow.forecast(directory, until)
    if as_json:
        emit(foreseen.as_json())
    else:
        show(console(), foreseen, lang)
    return DONE


def _page(directory: Path, report: RunReport) -> Path | None:
    """Return the report for people, drawn anew if it is not whole or not about this verdict."""
    if not report.verdicts:
        return None
    page = None if report.report is None else directory / report.report
    unchanged = all(stage.skipped for stage in report.stages)
    if page is not None and unchanged and _speaks_of(page, report.stages[-1].made):
        return page
    from normwright import web

    return web.publish(directory)


def _speaks_of(page: Path, made: Iterable[str]) -> bool:
    """Say whether a page names the verdict among what the last step made.

    A run may be stopped after its verdict and before its page; the old page is then still whole.
    """
    text = page.read_text(encoding="utf-8")
    return any(digest in text for digest in made)


def exit_code(verdicts: Mapping[str, str], asked: Iterable[str]) -> int:
    """Return the exit code of a run: that of the worst verdict among the modes asked for.

    A mode that was asked for and has no verdict, although others have one, is INVALID: nothing
    unknown passes. Without any verdict the run ended before the release, and is simply done.
    """
    if not verdicts:
        return DONE
    words_said = [cast(VerdictWord, verdicts.get(mode, "INVALID")) for mode in asked]
    return VERDICT_CODES[max(words_said, key=VERDICTS.index)]


def status(directory: Directory = HERE, lang: Lang = None, as_json: AsJson = False) -> int:
    """Show which steps have a result that still counts, and the verdicts that stand."""
    from normwright import flow

    found = flow.status(directory)
    if as_json:
        emit(found.as_json())
    else:
        _show_status(console(), found, choose(lang))
    return DONE


def _show_run(
    out: Console, directory: Path, report: RunReport, page: Path | None, lang: str
) -> None:
    from normwright.cli.verdict import panel

    say = words(lang)
    made = [digest for stage in report.stages for digest in stage.made]
    verdict = last_of(directory, made, Verdict) if report.verdicts else None
    if verdict is not None:
        out.print(panel(verdict, lang, width=out.width))
    if page is not None:
        out.print(f"{say['report']}: {page}", markup=False, soft_wrap=True)


def _show_status(out: Console, found: Status, lang: str) -> None:
    from rich.table import Table

    say = words(lang)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(say["stage"])
    table.add_column(say["state"])
    table.add_column(say["seconds"], justify="right")
    table.add_column(say["made"], justify="right")
    for stage in found.stages:
        style = "green" if stage.state == "done" else "dim"
        seconds = "" if stage.seconds is None else f"{stage.seconds:.1f}"
        table.add_row(
            stage.name, say[stage.state], seconds, str(len(stage.made) or ""), style=style
        )
    out.print(table)
    for mode, word in found.verdicts.items():
        style = VERDICT_STYLES[cast(VerdictWord, word)]
        out.print(f"{say.get(mode, mode)}: [{style}]{word}[/]")
