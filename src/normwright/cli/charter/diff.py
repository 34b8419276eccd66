"""`normwright charter diff`: what a change of a charter changes, before anybody votes on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from normwright.cli.charter.asking import as_asked
from normwright.cli.charter.group import app
from normwright.cli.charter.places import charter_at, drafted_at
from normwright.cli.options import AsJson, Lang
from normwright.cli.screen import DONE, FAILED, console, emit
from normwright.cli.verdict import in_language
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from rich.console import Console

    from normwright.records import ChangedRegion, CharterDiff

_EFFECTS: Final = {
    "newly_allowed": "green",
    "newly_denied": "red",
    "now_asked": "yellow",
    "other": "cyan",
}

Side = Annotated[
    Path,
    typer.Argument(
        metavar="A",
        help="The charter before: a project (what it ratified last), a directory of norms, one"
        " charter file, or the JSON of `charter show`; `seeds`: the norms that ship.",
    ),
]
Other = Annotated[
    Path | None,
    typer.Argument(
        metavar="[B]",
        help="The charter after. Left out, where A is a project: its norms as they are on disk.",
        show_default=False,
    ),
]
Drafts = Annotated[
    bool | None,
    typer.Option(
        "--drafts/--in-force",
        help="Whether drafted and proposed norms are taken to hold; they are if a place has no norm"
        " in force, and on disk in a project.",
        show_default=False,
    ),
]
Every = Annotated[
    bool,
    typer.Option(
        "--all",
        help="Show also what only differs beside other feasible acts, or while facts are unknown.",
    ),
]


@app.command("diff", epilog="Example:  normwright charter diff my-town my-town/norms")
def diff(
    before: Side,
    after: Other = None,
    *,
    drafts: Drafts = None,
    every: Every = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Show every kind of situation that two charters decide differently, or prove there is none.

    Exit 1 if a norm's version was altered after the fact; what was found is shown all the same.
    """
    from normwright.charter import amending

    if after is None:
        old = charter_at(before, drafts=None, past=True)
        new = drafted_at(before, drafts=True)
    else:
        old, new = (charter_at(one, drafts=drafts, past=True) for one in (before, after))
        if drafts is None and old.drafts != new.drafts:
            # Counting drafts on one side only would show every norm as new or gone.
            old, new = charter_at(before, drafts=True), charter_at(after, drafts=True)
    found = amending.diff(old.charter, new.charter)
    if as_json:
        emit({**_json(found), "drafts": {"before": old.drafts, "after": new.drafts}})
    else:
        _show(found, choose(lang), every=every)
    return FAILED if found.faults else DONE


def _json(found: CharterDiff) -> dict[str, Any]:
    body = found.model_dump(mode="json", by_alias=True)
    for key in ("derived_from", "made_by"):
        body.pop(key)
    return body


def _show(found: CharterDiff, lang: str, *, every: bool) -> None:
    out, say = console(), words(lang)
    for key in ("added", "removed", "revised", "texts", "vocabulary", "head"):
        names = getattr(found, key)
        if names:
            out.print(f"{say[f'charter-diff-{key}']}: {', '.join(names)}", markup=False)
    if found.tier is not None:
        out.print(say[f"charter-diff-{found.tier}"], style="bold", markup=False)
    for fault in found.faults:
        out.print(f"{fault.where}: {fault.expected}; {fault.seen}. {fault.do}", style="bold red",
                  markup=False)  # fmt: skip
    told = {act for r in found.changed if r.seen == "known" for act in r.acts}
    shown = [r for r in found.changed if every or r.seen == "known" or not told & set(r.acts)]
    for effect, style in _EFFECTS.items():
        for region in (r for r in shown if r.effect == effect):
            _region(out, region, lang, style)
    if len(shown) < len(found.changed):
        left = len(found.changed) - len(shown)
        out.print(say["charter-diff-more"].format(count=left), style="dim", markup=False)
    if found.proved_unchanged:
        out.print(say["charter-diff-proved"], style="bold green", markup=False)
    if found.open:
        told_open = say["charter-diff-open"].format(acts=", ".join(found.open))
        out.print(told_open, style="bold yellow", markup=False)
    out.print(in_language(found.covers, lang), style="dim", markup=False)


def _region(out: Console, region: ChangedRegion, lang: str, style: str) -> None:
    say = words(lang)
    out.print(in_language(region.told, lang), style=style, markup=False)
    told = f"  {say['charter-diff-example']}: {as_asked(region.situation)}"
    out.print(f"{told}  {region.before.verdict} > {region.after.verdict}", markup=False)
    because = sorted({*region.before.governing, *region.after.governing})
    if because:
        out.print(f"  {say['charter-diff-because']}: {', '.join(because)}", style="dim",
                  markup=False)  # fmt: skip
