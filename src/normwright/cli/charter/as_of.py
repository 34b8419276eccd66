"""`normwright charter as-of`: which norms are in force on one day, as known on another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from normwright.cli.charter.group import Drafts, Place, app
from normwright.cli.charter.places import charter_at, drafted_at, is_project
from normwright.cli.options import HERE, AsJson, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.verdict import in_language
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from normwright.charter.amending import AsOf, InForce
    from normwright.flow import Ratified
    from normwright.records import Charter


@app.command("as-of", epilog="Example:  normwright charter as-of 2026-12-02 my-town/norms")
def as_of(
    day: Annotated[
        str,
        typer.Argument(
            metavar="DATE",
            help="A day, 2026-12-02, counted where each norm is made; or an instant,"
            " 2026-12-03T14:02+01:00 (UTC where no zone is given).",
        ),
    ],
    place: Place = HERE,
    *,
    known: Annotated[
        str | None,
        typer.Option(
            "--known", metavar="DATE", help="Count only what had been recorded by then (UTC)."
        ),
    ] = None,
    drafts: Drafts = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Show which norms are in force on a day, since when, until when, and what comes next."""
    from normwright.charter import amending

    on = _moment(day, "DATE")
    by = None if known is None else _moment(known, "--known")
    charter, governed = _charter(place, on, by, drafts)
    found = amending.as_of(charter, on=on, known=by)
    if as_json:
        emit(_json(found, governed))
    else:
        _show(found, governed, choose(lang))
    return DONE


def _moment(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is neither a day like 2026-12-02 nor an instant like 2026-12-03T14:02Z",
            param_hint=name,
        ) from None


def _charter(
    place: Path, on: date, known: date | None, drafts: bool
) -> tuple[Charter, Sequence[Ratified]]:
    """Return the norms to look at, and, for a project, the charters that stood on the day."""
    from normwright import flow

    if drafts:
        return drafted_at(place, drafts=True).charter, ()
    if not is_project(place):
        return charter_at(place).charter, ()
    stood = flow.ratified(place)
    if known is not None:
        stood = tuple(one for one in stood if one.at < _end(known))
    first, last = _start(on), _end(on)
    began = [one for one in stood if one.at < last]
    # The last to begin by the start of the day, and those that began during it.
    before = [i for i, one in enumerate(began) if one.at <= first]
    governed = began[before[-1] :] if before else began
    if governed:
        return governed[-1].charter, governed
    latest = charter_at(place, past=True).charter
    return latest.model_copy(update={"norms": ()}), ()


def _start(when: date) -> datetime:
    if isinstance(when, datetime):
        return when if when.tzinfo else when.replace(tzinfo=UTC)
    return datetime.combine(when, time(), UTC)


def _end(when: date) -> datetime:
    length = timedelta(microseconds=1) if isinstance(when, datetime) else timedelta(days=1)
    return _start(when) + length


def _json(found: AsOf, governed: Sequence[Ratified]) -> dict[str, Any]:
    def told(when: date | None) -> str | None:
        return None if when is None else when.isoformat()

    return {
        "on": told(found.on),
        "known": told(found.known),
        "digest": found.digest,
        "in_force": [
            {
                "norm": one.norm.ref, "kind": one.norm.kind, "layer": one.norm.layer,
                "authority": one.norm.authority, "status": one.norm.status,
                "since": told(one.since), "until": told(one.until), "ended_by": one.ended_by,
                "zone": one.zone, "recorded": told(one.recorded),
                "emergency": one.norm.emergency,
            }
            for one in found.in_force
        ],
        "next": [
            {"day": turn.day.isoformat(), "norm": turn.norm,
             "what": "begins" if turn.begins else "ends"}
            for turn in found.next
        ],
        "undated": list(found.undated),
        "unknown_then": list(found.unknown_then),
        "governed": [
            {"at": one.at.isoformat(), "run": one.run, "digest": one.charter.digest}
            for one in governed
        ],
    }  # fmt: skip


def _show(found: AsOf, governed: Sequence[Ratified], lang: str) -> None:
    out, say = console(), words(lang)
    for one in governed:
        out.print(
            f"{say['as-of-governed'].format(run=one.run, at=one.at.isoformat())}: "
            f"{one.charter.digest}",
            style="bold", markup=False,
        )  # fmt: skip
    out.print(f"{say['as-of-digest'].format(day=found.on.isoformat())}: {found.digest}",
              markup=False)  # fmt: skip
    for norm in found.in_force:
        style = "yellow" if norm.norm.emergency else "green"
        out.print(f"{norm.norm.ref}  {_span(norm, say)}", style=style, markup=False)
        out.print(f"  {in_language(norm.norm.statement, lang)}", markup=False)
    if not found.in_force:
        out.print(say["as-of-none"], style="yellow", markup=False)
    for turn in found.next:
        key = "as-of-begins" if turn.begins else "as-of-ends"
        out.print(say[key].format(day=turn.day, norm=turn.norm), style="cyan", markup=False)
    for key, names in (("undated", found.undated), ("late", found.unknown_then)):
        if names:
            out.print(f"{say[f'as-of-{key}']}: {', '.join(names)}", style="dim", markup=False)


def _span(norm: InForce, say: Any) -> str:
    since = say["as-of-always"] if norm.since is None else say["as-of-since"].format(day=norm.since)
    until = "" if norm.until is None else f", {say['as-of-until'].format(day=norm.until)}"
    by = "" if norm.ended_by is None else f" ({norm.ended_by})"
    return f"{since}{until}{by}, {norm.zone}"
