"""`normwright init`, `run`, `demo`, `status`: begin a project, carry it to a verdict, see it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias, cast

import typer

from normwright.cli.asked import put, show_taken_in
from normwright.cli.foreseen import line_of, remedy_lines, show
from normwright.cli.keys import passphrase_of_person, signed_lines
from normwright.cli.options import HERE, AsJson, Directory, Lang, answers_of
from normwright.cli.progress import watching
from normwright.cli.screen import DONE, VERDICT_CODES, VERDICT_STYLES, console, emit
from normwright.cli.standing import last_of
from normwright.cli.words import choose, words
from normwright.records import VERDICTS, Verdict, VerdictWord

if TYPE_CHECKING:
    from rich.console import Console

    from normwright.flow import Forecast, RunReport, Status


Template: TypeAlias = Annotated[
    str,
    typer.Option(
        "--template",
        metavar="NAME",
        help="town: a city's assistant, in two languages; micro: the same path in seconds.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    app.command("init", epilog="Example:  normwright init my-votes --from votes.csv")(init)
    app.command("run", epilog="Example:  normwright run my-town --until charter --forecast")(run)
    app.command("demo", epilog="Example:  normwright demo")(demo)
    app.command("status", epilog="Example:  normwright status my-town")(status)


def init(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where the project is to lie; new or empty.")
    ],
    template: Annotated[
        str | None,
        typer.Option(
            "--template",
            metavar="NAME",
            help="town: a city's assistant, in two languages; micro: the same path in seconds. "
            "town, if neither this nor --from is given.",
        ),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="PATH",
            help="Your own data, copied in: a Polis export, a PrefLib file, a CSV or XLSX of "
            "votes, or judged pairs of answers; a file, a folder or a zip archive.",
        ),
    ] = None,
    answer: Annotated[
        list[str] | None,
        typer.Option(
            "--answer",
            metavar="KEY=VALUE",
            help="What --from would ask; give it once for each answer.",
        ),
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Make a project: from a template, or with --from out of your own data.

    A template holds one file to edit, a consultation, norms, scenes and criteria. Your own data
    are copied and read once; where they leave something open it is asked on a terminal, and
    elsewhere one error lists what to answer. Nothing appears before everything is in order.
    """
    from normwright import flow

    if source is not None:
        return _init_from(directory, source, template, answer or [], lang, as_json=as_json)
    if answer:
        raise typer.BadParameter("it answers questions about --from", param_hint="--answer")
    started = flow.init(directory, template or "town")
    if as_json:
        emit({**asdict(started), "directory": str(started.directory)})
        return DONE
    out = console()
    out.print(f"{started.directory}: {len(started.files)} files", markup=False, soft_wrap=True)
    for line in started.next:
        out.print(f"  {line}", markup=False, soft_wrap=True)
    return DONE


def _init_from(
    directory: Path,
    source: Path,
    template: str | None,
    given: Sequence[str],
    lang: str | None,
    *,
    as_json: bool,
) -> int:
    from normwright.flow import init_from

    if template is not None:
        raise typer.BadParameter("give either --template or --from", param_hint="--from")
    shown = choose(lang)
    answers = answers_of(list(given))
    asking = sys.stdin.isatty() and not as_json
    made = init_from(
        directory,
        source,
        today=datetime.now(UTC).date(),
        answers=answers,
        ask=partial(put, lang=shown) if asking else None,
    )
    if as_json:
        emit(
            {
                **{name: getattr(made, name) for name in _SHOWN},
                "directory": str(made.directory),
                "integrity": [fault.model_dump() for fault in made.integrity],
            }
        )
    else:
        show_taken_in(console(), made, shown)
    return DONE


_SHOWN = ("format", "languages", "counts", "answers", "left_behind", "files", "next")


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
    permit: Annotated[
        Path | None,
        typer.Option(
            "--permit",
            metavar="FILE",
            help="Train under this signed permit, not the run's own; its signer must be trusted.",
        ),
    ] = None,
    unpermitted: Annotated[
        bool,
        typer.Option(
            "--unpermitted",
            help="Train without a permit. The model is marked, and every release mode is BLOCK.",
        ),
    ] = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Carry a project from its consultation to a verdict; what has not changed is skipped.

    Nothing is trained without a permit: the one that `charter permit` shows, or one from --permit.
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
            directory,
            until=until,
            watch=watch,
            foresee=foresee,
            passphrase=passphrase_of_person,
            accept_clock=accept_clock,
            permit=permit,
            unpermitted=unpermitted,
        )
    page = _page(directory, report, whole=until is None)
    if as_json:
        emit({**report.as_json(), "report": None if page is None else str(page.resolve())})
    else:
        _show_run(console(), directory, report, page, shown)
    return exit_code(report.verdicts, modes)


def demo(
    directory: Annotated[
        Path,
        typer.Argument(
            metavar="[DIR]", help="Where the demo is to lie; one that is there goes on."
        ),
    ] = Path("demo"),
    template: Template = "town",
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Make a project from a template and run it: from a consultation to a verdict, offline.

    Its participants are simulated, and it says so to the end. It says beforehand what it will take;
    what is done already is skipped. The exit code is that of `run`: an honest HOLD is 3.
    """
    from normwright import flow

    flow.require_learning("The demo")
    if not (directory / flow.FILE).is_file():
        started = flow.init(directory, template)
        if not as_json:
            line = f"{started.directory}: {len(started.files)} files"
            console(stderr=True).print(line, markup=False, soft_wrap=True)
    return run(directory, lang=lang, as_json=as_json)


def _forecast(directory: Path, until: str | None, lang: str, *, as_json: bool) -> int:
    from normwright import flow

    foreseen = flow.forecast(directory, until)
    if as_json:
        emit(foreseen.as_json())
    else:
        show(console(), foreseen, lang)
    return DONE


def _page(directory: Path, report: RunReport, *, whole: bool) -> Path | None:
    """Return the report for people, drawn anew if it is not whole or not about these results."""
    if not (whole or report.verdicts):
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
    resting = any(stage.marked for stage in found.stages)
    todo = flow.remedies(directory) if resting else None
    if as_json:
        emit({**found.as_json(), **({"remedies": todo.as_json()} if todo is not None else {})})
    else:
        _show_status(console(), found, directory, choose(lang))
        for line in remedy_lines(todo, choose(lang)) if todo is not None else ():
            console().print(line, markup=False, soft_wrap=True)
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
    told = report.signed if report.verdicts or any(report.signed.values()) else {}
    for line in signed_lines(told, directory, lang):
        out.print(line, markup=False, soft_wrap=True)


def _show_status(out: Console, found: Status, directory: Path, lang: str) -> None:
    from rich.table import Table

    say = words(lang)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(say["stage"])
    table.add_column(say["state"])
    table.add_column(say["seconds"], justify="right")
    table.add_column(say["made"], justify="right")
    if any(stage.marked for stage in found.stages):
        table.add_column(say["resting"], justify="right")
    for stage in found.stages:
        style = "green" if stage.state == "done" else "dim"
        seconds = "" if stage.seconds is None else f"{stage.seconds:.1f}"
        table.add_row(
            stage.name,
            say[stage.state],
            seconds,
            str(len(stage.made) or ""),
            *([str(stage.marked)] if stage.marked else []),
            style=style,
        )
    out.print(table)
    for mode, word in found.verdicts.items():
        style = VERDICT_STYLES[cast(VerdictWord, word)]
        out.print(f"{say.get(mode, mode)}: [{style}]{word}[/]")
    for line in signed_lines(found.signed, directory, lang):
        out.print(line, markup=False, soft_wrap=True)
