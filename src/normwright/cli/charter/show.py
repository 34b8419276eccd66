"""`normwright charter show`: what was ratified, by whom, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from normwright.cli.charter.group import app
from normwright.cli.options import HERE, AsJson, Directory, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.standing import standing
from normwright.cli.verdict import in_language
from normwright.cli.words import choose
from normwright.records import Charter, Fault, InputError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from normwright.records import Norm

STEP: Final = "charter"
"""The step of a run that makes the charter."""


@app.command("show", epilog="Example:  normwright charter show my-town --norm g.privacy")
def show(
    directory: Directory = HERE,
    norm: Annotated[
        str | None,
        typer.Option("--norm", metavar="ID", help="Only norms whose id begins like this."),
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Show the ratified charter: each norm with its layer, force, status and support."""
    charter = standing(directory, Charter, step=STEP)
    chosen = [one for one in charter.norms if norm is None or one.id.startswith(norm)]
    if not chosen:
        raise InputError(
            [
                Fault(
                    where="--norm",
                    expected=f"one of {', '.join(one.id for one in charter.norms)}",
                    seen=str(norm),
                )
            ]
        )
    if as_json:
        body = charter.model_dump(mode="json", by_alias=True)
        body["norms"] = [one.model_dump(mode="json", by_alias=True) for one in chosen]
        emit({**body, "digest": charter.digest})
    else:
        out = console()
        for one in chosen:
            out.print(_shown(one, choose(lang)))
    return DONE


def _shown(norm: Norm, lang: str) -> RenderableType:
    from rich.text import Text

    lines: list[tuple[str, str] | str] = [(norm.ref, "bold"), f"  {norm.layer} / {norm.authority}"]
    lines.append((f"  {norm.kind}, {norm.tier}, {norm.status}\n", "dim"))
    lines.append(f"  {in_language(norm.statement, lang)}\n")
    if norm.provenance is not None:
        support = norm.provenance.support.get("all")
        level = norm.provenance.decision_level
        told = f"  {level}, {norm.provenance.process} ({norm.provenance.process_kind})"
        if support is not None and support.value is not None and support.interval is not None:
            low, high = support.interval.low, support.interval.high
            told += f": {support.value:.2f} [{low:.2f}, {high:.2f}], n = {support.n}"
        lines.append((told + "\n", "cyan"))
    return Text.assemble(*lines)
