"""`normwright charter show`: what was ratified, by whom, and how sure that is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from normwright.cli.charter.group import Place, app
from normwright.cli.charter.places import whole_at, writing
from normwright.cli.options import HERE, AsJson, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.verdict import in_language
from normwright.cli.words import choose
from normwright.records import Fault, InputError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from normwright.records import Charter, Norm


@app.command("show", epilog="Example:  normwright charter show my-town --norm g.privacy")
def show(
    place: Place = HERE,
    *,
    norm: Annotated[
        str | None,
        typer.Option("--norm", metavar="ID", help="Only norms whose id begins like this."),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(
            "--page",
            metavar="FILE",
            help="Write it as a page for everyone, in every language, without scripts.",
        ),
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Show a charter: each norm with its layer, force, status and support.

    Of a project it is the ratified charter; of a directory of norms, or of `seeds`, all norms in
    it, those that do not hold included.
    """
    charter = whole_at(place)
    if page is not None:
        _write_page(charter, page)
    chosen = [one for one in charter.norms if norm is None or one.id.startswith(norm)]
    if not chosen:
        known = ", ".join(one.id for one in charter.norms) or "a charter with norms"
        raise InputError([Fault(where="--norm", expected=f"one of {known}", seen=str(norm))])
    if as_json:
        body = charter.model_dump(mode="json", by_alias=True)
        body["norms"] = [one.model_dump(mode="json", by_alias=True) for one in chosen]
        emit({**body, "digest": charter.digest})
    else:
        out = console()
        for one in chosen:
            out.print(_shown(one, choose(lang)))
    return DONE


def _write_page(charter: Charter, path: Path) -> None:
    from normwright.web import CharterPage, write_charter

    title = charter.title or dict.fromkeys(charter.languages, charter.id)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_charter(CharterPage(charter=charter, title=title, languages=charter.languages), path)
    console(stderr=True).print(f"{path}", style="green", markup=False)


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
