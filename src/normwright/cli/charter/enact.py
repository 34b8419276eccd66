"""`normwright charter enact`: a charter as prompt, rubric, guard, rewards, items and criteria."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from normwright.cli.charter.group import Drafts, Place, Profile, app
from normwright.cli.charter.places import charter_at, is_project
from normwright.cli.options import HERE, AsJson, Lang
from normwright.cli.screen import DONE, FAILED, console, emit
from normwright.cli.verdict import in_language
from normwright.cli.words import choose, words
from normwright.records import ARTEFACTS

if TYPE_CHECKING:
    from rich.table import Table

    from normwright.records import Coverage, CoverageHole, Deployment, Policy


@app.command("enact", epilog="Example:  normwright charter enact norms --drafts --out policy")
def enact(
    place: Place = HERE,
    *,
    deployment: Profile = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write the artefacts into this new folder."),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(
            "--check",
            metavar="DIR",
            help="Count what the artefacts in this folder cover as they stand there.",
        ),
    ] = None,
    drafts: Drafts = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Compile a charter for one deployment; exit 1 if a constitutional norm is left uncovered."""
    from normwright import flow
    from normwright.charter import coverage

    if out is not None and check is not None:
        raise typer.BadParameter("write or check, not both at once", param_hint="--check")
    policy = enacted(place, _profile(deployment, check), drafts)
    edited: Sequence[str] = ()
    if check is not None:
        checked = flow.check_policy(policy, check)
        policy, found, edited = checked.policy, checked.coverage, checked.edited
    else:
        found = coverage(policy)
    own = flow.project_holes(place, policy)
    written = flow.write_policy(policy, out) if out is not None else ()
    shown = choose(lang)
    if as_json:
        emit(_body(policy, found, own, written, edited))
    else:
        _show(policy, found, own, shown)
        _tell(written, out, edited, shown)
    return DONE if found.complete else FAILED


def enacted(place: Path, deployment: Deployment | None, drafts: bool) -> Policy:
    """Return the policy of a project's ratified charter, or of the norms that hold in a place."""
    from normwright import flow

    if is_project(place) and not drafts:
        return flow.enacted(place, deployment)
    return flow.enacted(place, deployment, charter=charter_at(place, drafts=drafts).charter)


def _profile(deployment: Path | None, check: Path | None) -> Deployment | None:
    """The profile named; else the one the checked folder was written for; else the project's."""
    from normwright import flow
    from normwright.charter import read_deployment

    if deployment is not None:
        return read_deployment(deployment)
    return flow.profile_in(check) if check is not None else None


def _body(
    policy: Policy,
    found: Coverage,
    own: Sequence[CoverageHole],
    written: Sequence[str],
    edited: Sequence[str],
) -> dict[str, Any]:
    return {
        "policy": policy.digest,
        "charter": policy.charter.digest,
        "complete": found.complete,
        "rows": [row.model_dump(mode="json") for row in found.rows],
        "holes": [hole.model_dump(mode="json") for hole in found.holes],
        "project_holes": [hole.model_dump(mode="json") for hole in own],
        "dropped": list(policy.prompt.dropped),
        "defeated": [one.model_dump(mode="json") for one in policy.prompt.defeated],
        "moot_cases": list(policy.moot_cases),
        "prompt_words": policy.prompt.words,
        "files": list(written),
        "edited": list(edited),
    }


def _show(policy: Policy, found: Coverage, own: Sequence[CoverageHole], lang: str) -> None:
    out = console()
    say = words(lang)
    out.print(_table(found, say))
    for hole in found.holes:
        style = "red" if hole.severity == "error" else "yellow"
        told = f"{say[f'enact-{hole.severity}']}: {in_language(hole.reason, lang)}"
        out.print(told, style=style, markup=False)
    for hole in own:
        told = f"{say['enact-own']}: {in_language(hole.reason, lang)}"
        out.print(told, style="yellow", markup=False)
    for one in policy.prompt.defeated:
        out.print(f"{say['defeated']}: {one.id} < {one.by} ({one.rule})", markup=False)
    if policy.prompt.dropped:
        norms = ", ".join(policy.prompt.dropped)
        out.print(say["enact-dropped"].format(norms=norms), style="yellow", markup=False)
    if policy.moot_cases:
        out.print(say["enact-moot"].format(cases=", ".join(policy.moot_cases)), markup=False)
    key = "enact-complete" if found.complete else "enact-incomplete"
    out.print(say[key].format(n=len(found.rows)), style="green" if found.complete else "red")


def _table(found: Coverage, say: Mapping[str, str]) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    table.add_column(say["enact-norm"], overflow="fold")
    for artefact in ARTEFACTS:
        table.add_column(say[f"enact-{artefact}"], justify="center")
    missing = {(hole.norm, hole.artefact): hole.severity for hole in found.holes}
    for row in found.rows:
        cells = []
        for artefact in ARTEFACTS:
            severity = missing.get((row.norm, artefact))
            if row.covers(artefact):
                cells.append("[green]✓[/]")
            elif severity is None:
                cells.append("[dim]·[/]")
            else:
                cells.append("[bold red]✗[/]" if severity == "error" else "[yellow]○[/]")
        table.add_row(row.norm, *cells)
    return table


def _tell(written: Sequence[str], out: Path | None, edited: Sequence[str], lang: str) -> None:
    say = words(lang)
    if written:
        told = say["enact-written"].format(n=len(written), folder=out)
        console().print(told, markup=False)
    if edited:
        console().print(say["enact-edited"].format(files=", ".join(edited)), markup=False)
