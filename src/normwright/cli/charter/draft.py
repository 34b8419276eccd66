"""`normwright charter draft`: what people support, norm by norm, and what no norm says yet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from normwright.cli.charter.group import Norms, app
from normwright.cli.charter.places import consulted, norms_of
from normwright.cli.options import HERE, AsJson, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.verdict import in_language
from normwright.cli.words import choose, words
from normwright.records import Estimate

if TYPE_CHECKING:
    from normwright.charter import CharterSource
    from normwright.records import Dissent, NormDraft, Reading, ReadingResult


@app.command("draft", epilog="Example:  normwright charter draft my-town --out my-drafts")
def draft(
    place: Norms = HERE,
    *,
    reading: Annotated[
        Path | None,
        typer.Option(
            "--reading",
            metavar="FILE",
            help="A reading that --save wrote, in place of a project's own consultation.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Write a file for each supported statement that no norm says; never over one.",
        ),
    ] = None,
    report: Annotated[
        bool,
        typer.Option("--report", help="Print the minority report, as Markdown, and nothing else."),
    ] = False,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save",
            metavar="FILE",
            help="Write the reading as JSON, without any ballot, for `charter ratify --reading`.",
        ),
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Show who supports each norm and who dissents, and draft what no norm says yet.

    A project is counted first, where that is still to be done. What people support and no norm says
    becomes a file that a person makes a norm of: a vote tells neither its act nor its condition,
    and such a file is refused as a norm until somebody has written them.
    """
    from normwright import charter, flow

    shown = choose(lang)
    source = norms_of(place)
    if reading is None:
        consulted(place)
    held = (flow.readings_of(place) if reading is None else flow.read_readings([reading]))[-1]
    rules = source.head.amendment
    drafts = charter.unwritten(
        held.outcomes, held.statements, amendment=rules, known=[n.id for n in source.norms]
    )
    speak = source.head.languages
    told = [d for n in source.norms if (d := charter.dissent_in(n, held, rules, speak)) is not None]
    if save is not None:
        flow.write_record(held, save)
    written = () if out is None else charter.write_drafts(drafts, out)
    page = charter.minority_report(told, source.norms, shown, title=held.process.id)
    if as_json:
        body = _json(source, held, drafts, told)
        emit({**body, "written": list(map(str, written)), **({"report": page} if report else {})})
    elif report:
        typer.echo(page, nl=False)
    else:
        _show(source, held, drafts, told, shown)
        for path in written:
            console().print(str(path), markup=False, soft_wrap=True)
    return DONE


def _json(
    source: CharterSource, held: Reading, drafts: Sequence[NormDraft], told: Sequence[Dissent]
) -> dict[str, Any]:
    return {
        "reading": {
            "held_on": held.held_on.isoformat(),
            "process": held.process.id,
            "kind": held.process.kind,
        },
        "norms": [
            {"norm": ref, **one.model_dump(mode="json")}
            for ref, one in _results(source, held, source.head.languages)
        ],
        "drafts": [one.model_dump(mode="json", by_alias=True) for one in drafts],
        "dissents": [{**one.model_dump(mode="json"), "digest": one.digest} for one in told],
    }


def _results(
    source: CharterSource, held: Reading, languages: tuple[str, ...]
) -> list[tuple[str, ReadingResult]]:
    """What the reading says of each norm, by the rule of its tier."""
    from normwright import charter

    found = charter.draft(source, held.outcomes, held.statements)
    return [
        (one.norm.ref, charter.result_of(
            one.found, getattr(source.head.amendment, one.norm.tier), held, languages))
        for one in found
    ]  # fmt: skip


def _show(
    source: CharterSource,
    held: Reading,
    drafts: tuple[NormDraft, ...],
    told: list[Dissent],
    lang: str,
) -> None:
    out, say = console(), words(lang)
    against = {one.norm: one for one in told}
    for ref, one in _results(source, held, source.head.languages):
        state = say["vote-carried"] if one.carried else say["vote-not-carried"]
        style = "green" if one.carried else "yellow"
        out.print(f"{ref}  {share_of(one.support)}  {state}", style=style, markup=False)
        for text in one.against:
            out.print(f"  {in_language(text, lang)}", markup=False)
        if ref in against:
            out.print(f"  {in_language(against[ref].words, lang)}", style="dim", markup=False)
    for one_draft in drafts:
        out.print(f"{say['vote-draft']}: {in_language(one_draft.statement, lang)}",
                  style="cyan", markup=False)  # fmt: skip
        out.print(f"  {one_draft.layer} / {one_draft.authority}  {share_of(one_draft.support)}  "
                  f"{', '.join(one_draft.tiers)}", markup=False)  # fmt: skip


def share_of(support: dict[str, Estimate]) -> str:
    """Return the support of all with its interval and n, or that there is none."""
    return estimate_of(support.get("all"))


def estimate_of(one: Estimate | None) -> str:
    """Return a number with its interval and n."""
    if one is None or one.value is None or one.interval is None:
        return "–"
    return f"{one.value:.3f} [{one.interval.low:.3f}, {one.interval.high:.3f}], n = {one.n}"


def estimate_json(one: Estimate | None) -> dict[str, Any] | None:
    """Return an estimate as JSON, its interval as `[low, high]`."""
    if one is None or one.value is None:
        return None
    return {"value": one.value, "interval": one.ends, "n": one.n}
