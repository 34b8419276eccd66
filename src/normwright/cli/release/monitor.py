"""`normwright release monitor`: where a release stands after what has happened since."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from normwright.cli.options import AsJson, Lang
from normwright.cli.release.group import app
from normwright.cli.screen import VERDICT_CODES, VERDICT_STYLES, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from normwright.records import MonitorReport


@app.command(
    epilog="Example:  normwright release monitor log.jsonl --statements consultation/alarms.csv"
)
def monitor(
    log: Annotated[
        Path,
        typer.Argument(
            metavar="LOG",
            help="Events as JSON lines, the first of them the release; .gz is unpacked.",
        ),
    ],
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="Duties and reviews must be kept up to then; the log's last event if left out.",
        ),
    ] = None,
    statements: Annotated[
        Path | None,
        typer.Option(
            "--statements",
            metavar="FILE",
            help="Write what the alarms ask people, in the form that `elicit import` reads.",
        ),
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Read what happened since a release, and set to HOLD each mode that an alarm concerns.

    Audited units are watched by evidence that may be looked at whenever one likes; the guard's
    interventions and the requests by alarms with a stated rate; duties, reviews and withdrawals by
    the clock and their limit. Only a new run of the gate lifts a HOLD. The exit code is that of the
    worst mode: 0 RELEASE, 3 HOLD, 4 BLOCK, 5 INVALID.
    """
    from normwright.records import Fault, InputError, instant_of, json_rows
    from normwright.release import monitor as watched
    from normwright.store import write_whole

    try:
        now = None if at is None else instant_of(at)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--at") from None
    faults: list[Fault] = []
    events = [(n, f"{log}:{n}", body) for n, body in json_rows(log, str(log), faults)]
    if faults:
        raise InputError(faults)
    found = watched(events, now=now)
    if statements is not None:
        write_whole(statements, _csv(found).encode())
    if as_json:
        emit(found.model_dump(mode="json"))
    else:
        _show(found, choose(lang))
    return max((VERDICT_CODES[word] for word in found.modes.values()), default=0)


def _csv(found: MonitorReport) -> str:
    from normwright.web.guard.contests import COLUMNS

    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for question in found.questions:
        texts = {f"text_{lang}": text for lang, text in question.text.items()}
        writer.writerow(
            {
                "id": question.id,
                "layer": question.layer,
                "authority": question.authority,
                "norm": question.norm,
                "endorses": str(question.endorses).lower(),
                "concern": "alarm",
                **{column: texts[column] for column in COLUMNS if column in texts},
            }
        )
    return out.getvalue()


def _show(found: MonitorReport, lang: str) -> None:
    from rich.table import Table

    say, out = words(lang), console()
    for mode, word in found.modes.items():
        out.print(f"{say.get(mode, mode)}: [{VERDICT_STYLES[word]}]{word}[/]")
    table = Table(box=None, pad_edge=False)
    for name in ("what", "n", "count", "evidence", "threshold"):
        table.add_column(say[f"monitor-{name}"], justify="left" if name == "what" else "right")
    for each in found.watched:
        table.add_row(
            f"{say[f'monitor-{each.kind}']}: {each.about}",
            f"{each.n:,}",
            "–" if each.count is None else f"{each.count:,}",
            "–" if each.evidence is None else f"{each.evidence:.3g}",
            "–" if each.threshold is None else f"{each.threshold:.3g}",
        )
    out.print(table)
    for alarm in found.alarms:
        where = f" ({say['monitor-line']} {alarm.event})" if alarm.event else ""
        told = alarm.reason.get(lang) or next(iter(alarm.reason.values()), "")
        out.print(f"{alarm.at[:10]}{where}  {told}", style="red", markup=False)
    if not found.alarms:
        out.print(say["monitor-calm"].format(n=found.events), style="green", markup=False)
    if found.not_watched:
        names = ", ".join(say[f"monitor-{kind}"] for kind in found.not_watched)
        out.print(say["monitor-blind"].format(names=names), style="yellow", markup=False)
    if found.questions:
        told = say["monitor-questions"].format(n=len(found.questions))
        out.print(told, markup=False)
