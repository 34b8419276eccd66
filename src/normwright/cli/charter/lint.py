"""`normwright charter lint`: what people should look at in a charter, with a question for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from normwright.cli.charter.asking import as_asked
from normwright.cli.charter.group import Norms, app
from normwright.cli.charter.places import drafted_at
from normwright.cli.options import HERE, AsJson, Lang
from normwright.cli.progress import counting
from normwright.cli.screen import DONE, console, emit
from normwright.cli.verdict import in_language
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from normwright.charter.concerns import ConcernCoverage
    from normwright.charter.linting import Lint, Severity
    from normwright.records import CharterFinding, FindingClass

STYLES: dict[Severity, str] = {"error": "bold red", "warning": "bold yellow", "info": "bold cyan"}


@app.command(
    "lint", epilog="Example:  normwright charter lint my-town --class UNRESOLVED --class TRAP"
)
def lint(
    place: Norms = HERE,
    *,
    classes: Annotated[
        list[str] | None,
        typer.Option(
            "--class",
            metavar="CLASS",
            help="Only findings of this class, for example TRAP; repeat it. All if left out.",
        ),
    ] = None,
    drafts: Annotated[
        bool,
        typer.Option(
            "--drafts",
            help="Take drafted and proposed norms to hold as well; done anyway where none holds.",
        ),
    ] = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Look a charter over: contradictions, traps, dead letters, gaps, each with a question to ask.

    Exits 0 whatever it finds. The proofs need the extra `lint`; `charter check` does without.
    """
    from normwright.charter.linting import lint as look_over

    wanted = _classes(classes or [])
    norms = drafted_at(place, drafts=True if drafts else None)
    shown = choose(lang)
    with counting(words(shown)["lint-working"], quiet=as_json) as progress:
        found = look_over(norms.charter, classes=wanted or None, progress=progress)
    if as_json:
        emit(_json(found, drafts=norms.drafts))
    else:
        _show(found, shown, drafts=norms.drafts and not drafts)
    return DONE


def _classes(given: list[str]) -> tuple[FindingClass, ...]:
    """Return the classes by their names, which may be written small."""
    from normwright.charter.linting import LINTS

    unknown = [name for name in given if name.upper() not in LINTS]
    if unknown:
        raise typer.BadParameter(
            f"{', '.join(unknown)}: expected some of {', '.join(LINTS)}", param_hint="--class"
        )
    return tuple(name for name in LINTS if name in {one.upper() for one in given})


def _json(found: Lint, *, drafts: bool) -> dict[str, Any]:
    from normwright.charter.linting import severity_of

    return {
        "norms": found.norms,
        "drafts": drafts,
        "findings": [
            {**one.model_dump(mode="json", by_alias=True), "severity": severity_of(one)}
            for one in found.findings
        ],
        "coverage": _coverage_json(found.coverage),
        "open": [{"class": kind, "norms": list(norms)} for kind, norms in found.open],
    }


def _coverage_json(coverage: ConcernCoverage) -> dict[str, Any]:
    from normwright.charter.concerns import concern_name
    from normwright.charter.wording import spoken

    return {
        "layers": list(coverage.layers),
        "concerns": [
            {
                "concern": tag,
                "name": concern_name(tag, spoken()),
                "layers": dict(coverage.counts[tag]),
            }
            for tag in coverage.concerns
        ],
        "holes": [{"concern": tag, "layer": layer} for tag, layer in coverage.holes],
        "unknown": {tag: list(norms) for tag, norms in coverage.unknown.items()},
    }


def _show(found: Lint, lang: str, *, drafts: bool) -> None:
    from normwright.charter.linting import SEVERITIES, severity_of

    say, out = words(lang), console()
    if drafts:
        out.print(say["lint-drafts"], style="dim")
    for severity in SEVERITIES:
        group = [one for one in found.findings if severity_of(one) == severity]
        if group:
            told = say[f"lint-{severity}"].format(n=len(group))
            out.print(f"\n{told}", style=STYLES[severity])
        for one in group:
            _show_finding(one, lang, out)
    if not found.findings:
        out.print(say["lint-none"].format(n=found.norms), style="green")
    for kind, norms in found.open:
        out.print(say["lint-open"].format(kind=kind, norms=", ".join(norms)), markup=False)
    if found.norms:
        out.print()
        out.print(_matrix(found.coverage, lang))


def _show_finding(one: CharterFinding, lang: str, out: Console) -> None:
    say = words(lang)
    head = " ".join((one.kind, *one.norms))
    out.print(head, style="bold", markup=False)
    out.print(f"  {in_language(one.detail, lang)}", markup=False)
    out.print(
        f"  {say['lint-ask']} {in_language(one.question, lang)}", markup=False, style="italic"
    )
    if one.witness is not None:
        told = f"  {say['lint-witness']} {as_asked(one.witness)}"
        out.print(told, markup=False, style="dim")


def _matrix(coverage: ConcernCoverage, lang: str) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    from normwright.charter.concerns import concern_name

    say = words(lang)
    table = Table(title=say["lint-coverage"], title_justify="left")
    table.add_column(say["lint-concern"], no_wrap=True)
    for layer in coverage.layers:
        table.add_column(say[f"lint-{layer}"])
    for tag, layers in coverage.counts.items():
        cells = []
        for counts in layers.values():
            told = ", ".join(f"{say[f'lint-{kind}']} {n}" for kind, n in counts.items())
            cells.append(Text(told) if told else Text(say["lint-hole"], style="red"))
        table.add_row(concern_name(tag, (lang,))[lang], *cells)
    return table
