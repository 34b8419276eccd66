"""`normwright release case`: the argument for a verdict, for people or for other tools."""

from __future__ import annotations

import enum
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from normwright.cli.options import AsJson, Lang
from normwright.cli.release.group import app
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from normwright.records import SafetyCase


class Notation(enum.StrEnum):
    """What a case is written in."""

    md = "md"
    svg = "svg"
    gsn = "gsn"
    tea = "tea"


@app.command(
    epilog="Example:  normwright release case criteria.yaml --evidence evidence --as svg "
    "--out case.svg"
)
def case(
    place: Annotated[
        Path, typer.Argument(metavar="PLACE", help="A project, or a file of criteria.")
    ],
    *,
    evidence: Annotated[
        Path | None,
        typer.Option("--evidence", metavar="DIR", help="The evidence, for a file of criteria."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME", help="Which candidate, where rows are of several."),
    ] = None,
    notation: Annotated[
        Notation,
        typer.Option(
            "--as", help="Markdown, a picture, YAML for gsn2x, or JSON for the TEA Platform."
        ),
    ] = Notation.md,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where to write it; the screen if left out."),
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Argue a verdict: claims, what they rest on, where evidence is missing, what could defeat it.

    A claim without evidence is an undeveloped node and is never left out; what could defeat the
    case has an owner, or is shown to have none. Owners stand in the criteria under `defeaters`.
    """
    from normwright.flow.cases import evidence_case, project_case
    from normwright.flow.releasing import decided, today
    from normwright.release import open_points
    from normwright.store import write_whole

    if place.is_dir() == (evidence is not None):
        hint = "a project has its own" if evidence is not None else "a file of criteria needs it"
        raise typer.BadParameter(hint, param_hint="--evidence")
    found = (
        project_case(place)
        if evidence is None
        else evidence_case(decided(place, evidence, now=today(), model=model))
    )
    shown = choose(lang)
    if out is not None:
        write_whole(out, _written(found, notation, shown).encode())
    if as_json:
        holes = [node.id for node in open_points(found)]
        emit({"digest": found.digest, "open": holes, **found.model_dump(mode="json")})
    elif out is None:
        sys.stdout.write(_written(found, notation, shown))
    else:
        holes_told = words(shown)["case-written"].format(
            file=out, n=len(found.nodes), holes=sum(1 for _ in open_points(found))
        )
        console(stderr=True).print(holes_told, markup=False)
    return DONE


def _written(found: SafetyCase, notation: Notation, lang: str) -> str:
    from normwright.release import gsn2x, outline, tea

    match notation:
        case Notation.md:
            return outline(found, lang)
        case Notation.gsn:
            return gsn2x(found, lang)
        case Notation.tea:
            from normwright.flow.releasing import today

            at = found.decided_at or today().isoformat()
            value = tea(found, lang, exported_at=at)
            return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
        case _:
            from normwright.web.pictures.case import safety_case_picture
            from normwright.web.words import words_for

            return safety_case_picture(found, words_for([lang])[0])
