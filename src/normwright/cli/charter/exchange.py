"""`normwright charter import` and `export`: drafts from documents, policies for other engines."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from normwright.cli.charter.enact import enacted
from normwright.cli.charter.group import Drafts, Place, Profile, app, day_of
from normwright.cli.charter.places import writing
from normwright.cli.options import HERE, AsJson, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.verdict import in_language
from normwright.cli.words import choose, words

imports = typer.Typer(help="Start from what others wrote; nothing imported is in force.",
                      no_args_is_help=True)  # fmt: skip
exports = typer.Typer(help="Hand the charter to another engine, with a list of what it cannot say.",
                      no_args_is_help=True)  # fmt: skip
app.add_typer(imports, name="import")
app.add_typer(exports, name="export")

Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="A new folder for the files.")]
On = Annotated[
    str | None,
    typer.Option("--on", metavar="DATE", help="The day, as 2026-11-30; today if left out."),
]


@imports.command(
    "model-spec",
    epilog="Example:  normwright charter import model-spec model_spec.md --out drafts",
)
def model_spec(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The document, in markdown.")],
    *,
    out: Out,
    examples: Annotated[
        Path | None,
        typer.Option(
            "--examples",
            metavar="DIR",
            help="Where the files of examples lie; `examples` beside the document if left out.",
        ),
    ] = None,
    authority: Annotated[
        str,
        typer.Option("--authority", metavar="SLUG", help="The organisation that takes them up."),
    ] = "model-spec",
    written_in: Annotated[
        str,
        typer.Option("--written-in", metavar="TAG", help="The language of the document."),
    ] = "en",
    on: On = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Turn each section of a Model Spec document into a draft that still needs an act."""
    from normwright import flow

    spec, written = flow.import_model_spec(
        file, out, examples=examples, authority=authority, lang=written_in, on=_day(on)
    )
    attached = sum(len(section.examples) for section in spec.sections)
    if as_json:
        emit(
            {
                "sections": len(spec.sections),
                "levels": spec.levels,
                "examples": attached,
                "missing_examples": list(spec.missing),
                "unused_examples": list(spec.unused),
                "files": list(written),
            }
        )
        return DONE
    say = words(choose(lang))
    levels = ", ".join(f"{count} {level}" for level, count in spec.levels.items())
    told = say["import-spec"].format(n=len(spec.sections), levels=levels, examples=attached)
    console().print(told, markup=False)
    for key, names in (("import-missing", spec.missing), ("import-unused", spec.unused)):
        if names:
            console().print(say[key].format(keys=", ".join(names)), style="yellow", markup=False)
    console().print(say["import-next"].format(folder=out), markup=False)
    return DONE


@imports.command("seeds", epilog="Example:  normwright charter import seeds global --out norms")
def seeds(
    layers: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LAYER]...", help="Folders of the seeds, such as global; all if"
                       " left out."),
    ] = None,
    *,
    out: Out,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:  # fmt: skip
    """Copy norms that ship into a new folder, with the acts and facts they need."""
    from normwright import flow

    written = flow.import_seeds(tuple(layers or ()), out)
    if as_json:
        emit({"files": list(written)})
    else:
        say = words(choose(lang))
        told = say["enact-written"].format(n=len(written), folder=out)
        console().print(told, markup=False)
    return DONE


@exports.command(
    "cedar", epilog="Example:  normwright charter export cedar norms --drafts --out town.cedar"
)
def cedar(
    place: Place = HERE,
    *,
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FILE", help="The policies; the schema is put beside them."),
    ],
    deployment: Profile = None,
    on: On = None,
    drafts: Drafts = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Write the bans of a charter, with what beats them, as Cedar policies."""
    from normwright import flow
    from normwright.charter import read_deployment

    profile = None if deployment is None else read_deployment(deployment)
    policy = enacted(place, profile, drafts)
    with writing(out):
        made, places = flow.export_cedar(policy, out, on=_day(on))
    if as_json:
        body: dict[str, Any] = {
            "charter": policy.charter.digest,
            "policies": made.policies,
            "schema": made.schema,
            "cannot_say": [vars(one) for one in made.unsaid],
            "files": [str(place) for place in places],
        }
        emit(body)
        return DONE
    shown = choose(lang)
    say = words(shown)
    named = ", ".join(map(str, places))
    console().print(say["export-written"].format(files=named), markup=False)
    console().print(say["export-unsaid"], style="bold")
    for one in made.unsaid:
        about = "" if one.norm is None else f"{one.norm}: "
        console().print(f"- {about}{in_language(one.reason, shown)}", markup=False)
    return DONE


def _day(given: str | None) -> date:
    """The day that was named, or today."""
    return datetime.now(UTC).date() if given is None else day_of(given, "--on")
