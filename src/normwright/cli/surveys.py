"""What `normwright aggregate survey` writes: a report of each source, and a table of all."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normwright.cli import counted
from normwright.cli.screen import fault_json
from normwright.cli.words import words
from normwright.records import Fault, InputError, describe

if TYPE_CHECKING:
    from rich.console import RenderableType

    from normwright.flow import Surveyed


def as_json(found: Surveyed) -> dict[str, Any]:
    """Return one source as JSON; what was not looked for is null."""
    agreement, slate = found.agreement, found.slate
    return {
        "path": found.path,
        "seconds": round(found.seconds, 2),
        "format": found.format or None,
        "records": dict(found.counts),
        "findings": [counted.finding_json(one) for one in found.findings],
        "digest": found.digest,
        "methods": None if agreement is None else agreement.model_dump(mode="json"),
        "groups": None if found.groups is None else found.groups.as_json(),
        "slate": None if slate is None else counted.slate_json(slate),
        "left_out": dict(found.left_out),
        "faults": [fault_json(f) for f in found.faults],
    }


def write(found: Surveyed, row: dict[str, Any], out: Path, lang: str) -> None:
    """Write the report of one source: JSON, text, and where there are votes the map of opinions.

    Args:
        found: the source.
        row: the same as JSON.
        out: the folder of the reports, made if it is not there.
        lang: language of the text and the picture.
    """
    from normwright.store import write_whole

    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", found.path)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError as error:
        fault = Fault(where="--out", expected=f"a place to make {out}", seen=str(error.strerror),
                      do="Choose another place.")  # fmt: skip
        raise InputError([fault]) from error
    told = json.dumps(row, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    write_whole(out / f"{stem}.json", told.encode())
    write_whole(out / f"{stem}.txt", _text(found, lang).encode())
    if found.groups is not None:
        from normwright.web import opinion_picture

        write_whole(out / f"{stem}.svg", opinion_picture(found.groups, lang).encode())


def screen(rows: Sequence[dict[str, Any]], lang: str) -> list[RenderableType]:
    """Return all sources as a table: what each holds, what was found in it, what it says."""
    from rich.markup import escape
    from rich.table import Table

    say = words(lang)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for key in ("survey-source", "survey-holds", "survey-found", "survey-says", "survey-seconds"):
        table.add_column(say[key], overflow="fold")
    for row in rows:
        holds = ", ".join(f"{n} {kind}" for kind, n in row["records"].items())
        table.add_row(
            escape(row["path"]),
            escape(holds or row["faults"][0]["seen"]),
            str(len(row["findings"])),
            escape(_says(row, lang)),
            f"{row['seconds']:.1f}".replace(".", say["decimal"]),
        )
    unread = sum(row["format"] is None for row in rows)
    return [table, say["survey-total"].format(n=len(rows), unread=unread)]


def _says(row: dict[str, Any], lang: str) -> str:
    say = words(lang)
    if row["groups"] is not None:
        groups = row["groups"]
        if groups["supported"]:
            return say["survey-groups"].format(k=groups["k"])
        return say["survey-no-groups"]
    if row["methods"] is None:
        return "–"
    camps = row["methods"]["camps"]
    if len(camps) == 1:
        return say["survey-one"].format(winners=" = ".join(camps[0]["winners"])[:40])
    return say["survey-depends"].format(n=len(camps))


def _text(found: Surveyed, lang: str) -> str:
    """The screens of one source as plain text."""
    from rich.console import Console

    say, page = words(lang), io.StringIO()
    out = Console(file=page, width=100, color_system=None, highlight=False)
    out.print(f"{found.path}: {found.format or '–'}", markup=False)
    out.print(", ".join(f"{n} {kind}" for kind, n in found.counts.items()), markup=False)
    for fault in found.faults:
        out.print(describe(fault), markup=False)
    if found.findings:
        out.print(f"\n{say['found-in-data']}", markup=False)
    for one in found.findings:
        where = ", ".join(one.examples[:3])
        out.print(f"- {one.kind} ({one.count}): {one.policy}. {where}", markup=False)
    parts: list[RenderableType] = []
    if found.agreement is not None:
        parts += ["", *counted.agreement_screen(found.agreement, lang)]
    if found.groups is not None:
        parts += ["", *counted.groups_screen(found.groups, lang)]
    if found.slate is not None:
        parts += ["", *counted.slate_screen(found.slate, lang)]
    for part in parts:
        out.print(part)
    for name, why in sorted(found.left_out.items()):
        out.print(f"{say['audit-left-out']} {name}: {why}", markup=False)
    return page.getvalue()
