"""`normwright elicit import` and `export`: read what exists and audit it; write it for others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from normwright.cli.counted import finding_json
from normwright.cli.options import Answers, AsJson, Lang, answers_of
from normwright.cli.screen import DONE, console, emit, fault_json
from normwright.cli.words import choose, words
from normwright.records import Fault, InputError

if TYPE_CHECKING:
    from normwright.elicit import Source
    from normwright.flow import Imported

_PLACES = 3
"""Places shown for each finding; `--json` has up to five."""


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    app.command("import", epilog="Example:  normwright elicit import polis-export.zip")(import_)
    app.command(
        "export", epilog="Example:  normwright elicit export my-town --to polis --out for-polis"
    )(export)


def import_(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="A Polis export, a PrefLib file, votes, rankings, comparisons or ratings as CSV "
            "or XLSX, judged pairs, or annotations; a file, a folder or a zip archive.",
        ),
    ],
    *,
    format_: Annotated[
        str | None,
        typer.Option("--format", metavar="SLUG", help="The format; recognised, if left out."),
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option(
            "--project",
            metavar="DIR",
            help="Put the files into this project, which has no consultation yet. Without it "
            "nothing is written.",
        ),
    ] = None,
    answer: Answers = None,
    process: Annotated[
        Path | None,
        typer.Option("--process", metavar="FILE", help="A process.yaml that says who was asked."),
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Read votes, rankings, comparisons, pairs or annotations, and report what is odd in them.

    Everything is read or nothing: what cannot be used is one error with every fault by file and
    line. What can be used, but is odd, is in the report with what was done about it.
    """
    shown = choose(lang)
    answers = answers_of(answer)
    done: Imported | None = None
    if project is None:
        from normwright.elicit import read_source

        source = read_source(path, format=format_, answers=answers, process=process)
    else:
        from normwright.flow import import_into

        done = import_into(project, path, format=format_, answers=answers, process=process)
        source = done.source
    if as_json:
        emit(json_of(source))
        return DONE
    show_source(path, source, shown)
    if done is not None and project is not None:
        _show_imported(done, project, shown)
    return DONE


def export(
    path: Annotated[
        Path,
        typer.Argument(metavar="PATH", help="A project, or what `elicit import` reads."),
    ],
    *,
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="polis or preflib.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the files are to lie; new or empty.")
    ],
    lossy: Annotated[
        bool,
        typer.Option("--lossy", help="Leave out what the format cannot carry; it is named first."),
    ] = False,
    format_: Annotated[
        str | None,
        typer.Option("--format", metavar="SLUG", help="The format; recognised, if left out."),
    ] = None,
    answer: Answers = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Write votes as a Polis export, or rankings as a PrefLib file.

    Who was asked goes into a process.yaml beside it. Importing the files gives the same again; if
    something would be lost, nothing is written, unless with --lossy.
    """
    from normwright import elicit, flow

    say = words(choose(lang))
    answers = answers_of(answer)
    if (path / flow.FILE).is_file():
        found: elicit.Consulted | None = flow.consultation_of(path)
    else:
        found = elicit.read_source(path, format=format_, answers=answers).consulted
    if found is None:
        expected = "votes or rankings of people"
        raise InputError([Fault(where=str(path), expected=expected, seen="something else")])
    made = elicit.export(found, to, lossy=lossy)
    written = flow.write_folder(made.files, out)
    if as_json:
        lost = [fault_json(fault) for fault in made.lost]
        emit({"to": to, "directory": str(out), "files": list(written), "lost": lost})
        return DONE
    err, screen = console(stderr=True), console()
    for fault in made.lost:
        line = say["lost"].format(what=fault.where, seen=fault.seen)
        err.print(line, markup=False, soft_wrap=True)
    for name in written:
        screen.print(str(out / name), markup=False, soft_wrap=True)
    return DONE


def json_of(source: Source) -> dict[str, Any]:
    """Return what was read as one JSON value: its format, how much of what, and the findings."""
    return {
        "format": source.format,
        "records": dict(source.counts),
        "findings": [finding_json(one) for one in source.faults],
        "digest": source.digest,
    }


def show_source(path: Path, source: Source, lang: str) -> None:
    """Print what was read, and what was found in it."""
    from rich.table import Table
    from rich.text import Text

    from normwright.web.words import words_for

    say, out = words(lang), console()
    (told,) = words_for([lang])
    counts = ", ".join(f"{count} {say[kind]}" for kind, count in source.counts.items())
    out.print(f"{path}: {source.format}", style="bold", markup=False, soft_wrap=True)
    out.print(counts, markup=False, soft_wrap=True)
    if source.faults:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column(say["n"], justify="right")
        for heading in ("finding", "done-about-it", "where"):
            table.add_column(say[heading], overflow="fold")
        for fault in source.faults:
            places = ", ".join(fault.examples[:_PLACES])
            more = ", ..." if fault.count > _PLACES else ""
            # The report's own words are English, and say more; other languages have a table.
            done = (lang != "en" and told.get(f"done.{fault.kind}")) or fault.policy
            row = (str(fault.count), fault.kind, done, places + more)
            table.add_row(*(Text(cell) for cell in row))
        out.print(table)
    else:
        out.print(say["nothing-found"], markup=False, soft_wrap=True)
    out.print(source.digest, style="dim", markup=False, soft_wrap=True)


def _show_imported(done: Imported, project: Path, lang: str) -> None:
    say, out = words(lang), console()
    out.print(say["imported"].format(files=", ".join(done.files)), markup=False, soft_wrap=True)
    if done.left_behind:
        left = ", ".join(done.left_behind)
        out.print(say["left-behind"].format(files=left), markup=False, soft_wrap=True)
    out.print(say["next"], markup=False)
    out.print(f"  normwright run {project}", markup=False, soft_wrap=True)
